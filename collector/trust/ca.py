"""The collector's own certificate authority for its listener and its nodes.

Keys are EC P-256. The authority is made at first start in the state folder (`ca.key` 0600, `ca.pem`). Another
is trusted beside it where it lies there, so that an authority can be replaced while nodes still trust, or
hold certificates of, the old one (`rotation.py`):

    rotate   ca-next made, trusted by nodes from their next contact on, signs nothing
    switch   ca-next signs; the old one, ca-previous, is still trusted
    retire   ca-previous is trusted no more

A node that slept through `rotate` trusts the old one alone. So the listener keeps showing what the old one
signed for it while that is trusted and not old, and the sleeper's next contact brings it the new one.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from msgspec import Struct

from wire.signed import SIGNER

from ..errors import PermanentError
from .keeping import alone, write_secret

NODE_URN = "urn:fengsui:node:"
NODE_DOMAIN = "node.fengsui"
"""Who asks a node's own listener (metrics) by its address checks this name, or `<node>.` before it."""
AUTHORITY_DAYS = 3650
PREVIOUS, NEXT = "ca-previous.pem", "ca-next.pem"
NODE_LIFE = timedelta(days=90)
SERVER_LIFE = timedelta(days=90)
BACKDATED = timedelta(hours=1)
"""Hosts with a slow clock must accept what was just made."""

_CURVES = (ec.SECP256R1, ec.SECP384R1)


class Issued(Struct, frozen=True, kw_only=True):
    """A certificate in PEM, with its serial number in hex and the end of its life."""

    pem: str
    serial: str
    expires: datetime


class Authority:
    """Signs the listener's and the nodes' certificates."""

    def __init__(
        self, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate, previous: str = ""
    ) -> None:
        self._key = key
        self.certificate = certificate
        self._previous = previous

    @classmethod
    def at(cls, folder: Path, name: str, now: datetime) -> "Authority":
        """Load the authority of a state folder, making it where there is none.

        Args:
            folder: Where `ca.key` and `ca.pem` lie; only its owner may write there.
            name: The unit it is made for; people read it in certificates.
            now: Used for a new one.

        Raises:
            PermanentError: the files are there but can't be used.
        """
        key_file, certificate_file = folder / "ca.key", folder / "ca.pem"
        with alone(folder):
            if not certificate_file.exists():
                make_authority(key_file, certificate_file, name, now)
        try:
            key = load_key(key_file)
            certificate = x509.load_pem_x509_certificate(certificate_file.read_bytes())
            others = [folder / name for name in (PREVIOUS, NEXT)]
            previous = "".join(file.read_text() for file in others if file.exists())
            x509.load_pem_x509_certificates(previous.encode()) if previous else None
        except (OSError, ValueError) as error:
            raise PermanentError(f"{folder}: the authority's files can't be used: {error}") from error
        if certificate.public_key() != key.public_key():
            raise PermanentError(f"{certificate_file}: belongs to another key than {key_file}; restore both")
        return cls(key, certificate, previous)

    @property
    def der(self) -> bytes:
        """All certificates to trust in DER, one behind the other, as tokens carry them: the own one first."""
        return b"".join(one.public_bytes(serialization.Encoding.DER) for one in self.certificates)

    @property
    def certificates(self) -> list[x509.Certificate]:
        """All certificates to trust, the own one first."""
        return x509.load_pem_x509_certificates(self.trusted.encode())

    @property
    def trusted(self) -> str:
        """All certificates to trust, in PEM: the own one first."""
        return _pem(self.certificate) + self._previous

    def sign_node(self, request: str, node: str, now: datetime) -> Issued:
        """Sign a node's certificate: 90 days, `CN=<node>`, URI `urn:fengsui:node:<node>`, two DNS names.

        Of the request only the public key is taken; names it asks for are not.

        Raises:
            PermanentError: it is no request, its signature is wrong, or its key is no EC P-256 or P-384.
        """
        key = _requested_key(request)
        names = [
            x509.UniformResourceIdentifier(NODE_URN + node),
            x509.DNSName(node_name(node)),
            x509.DNSName(NODE_DOMAIN),
        ]
        return self._issue(key, node, names, now, NODE_LIFE)

    def sign_server(self, key: ec.EllipticCurvePublicKey, names: Sequence[str], now: datetime) -> Issued:
        """Sign the listener's certificate for its host names and addresses."""
        return self._issue(key, names[0][:64], [_general_name(name) for name in names], now, SERVER_LIFE)

    def sign_signer(self, key: ec.EllipticCurvePublicKey, now: datetime) -> Issued:
        """Sign the certificate of the key that signs orders (`signing.py`)."""
        return self._issue(key, "Fengsui signer", [x509.UniformResourceIdentifier(SIGNER)], now, SERVER_LIFE)

    def _issue(
        self,
        key: ec.EllipticCurvePublicKey,
        common_name: str,
        names: Sequence[x509.GeneralName],
        now: datetime,
        life: timedelta,
    ) -> Issued:
        serial = x509.random_serial_number()
        expires = (now + life).replace(microsecond=0)
        usage = [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]
        certificate = (
            x509.CertificateBuilder()
            .subject_name(_name(common_name))
            .issuer_name(self.certificate.subject)
            .public_key(key)
            .serial_number(serial)
            .not_valid_before(now - BACKDATED)
            .not_valid_after(expires)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage(usage), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False
            )
            .sign(self._key, hashes.SHA256())
        )
        return Issued(pem=_pem(certificate), serial=f"{serial:x}", expires=expires)


class ServerCertificate:
    """The listener's key and certificate on disk, made anew when a third of its life is left."""

    def __init__(self, folder: Path, authority: Authority, names: Sequence[str]) -> None:
        self.key_file = folder / "server.key"
        self.certificate_file = folder / "server.pem"
        self._authority = authority
        self._names = list(names)

    def ensure(self, now: datetime) -> bool:
        """Make key and certificate where there are none, they age, or the names have changed.

        Returns:
            Whether a new certificate was written.
        """
        if self._usable(now):
            return False
        key = ec.generate_private_key(ec.SECP256R1())
        issued = self._authority.sign_server(key.public_key(), self._names, now)
        # A crash between the two files leaves a pair that does not match, which the next start replaces.
        write_secret(self.key_file, key_pem(key))
        write_secret(self.certificate_file, issued.pem.encode())
        return True

    def _usable(self, now: datetime) -> bool:
        try:
            certificate = x509.load_pem_x509_certificate(self.certificate_file.read_bytes())
            key = load_key(self.key_file)
            names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
            issued = any(_issued_by(certificate, one) for one in self._authority.certificates)
        except (OSError, ValueError, x509.ExtensionNotFound):
            return False
        return (
            issued
            and certificate.public_key() == key.public_key()
            and list(names) == [_general_name(name) for name in self._names]
            and now < certificate.not_valid_after_utc - SERVER_LIFE / 3
        )


def _issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def node_name(node: str) -> str:
    """Return the DNS name that only this node's certificate bears; no resolver needs to know it."""
    return f"{node}.{NODE_DOMAIN}"


def node_of(certificate: x509.Certificate) -> str:
    """Return the node id that a certificate names, or an empty text when it names none."""
    common = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(common[0].value) if common else ""


def key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return a private key as unencrypted PKCS #8 PEM."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def load_key(path: Path) -> ec.EllipticCurvePrivateKey:
    """Read an EC private key.

    Raises:
        OSError: the file can't be read.
        ValueError: it holds no EC key.
    """
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError(f"{path} holds no EC key")  # noqa: TRY004 - the file is wrong, not the caller
    return key


def make_authority(key_file: Path, certificate_file: Path, name: str, now: datetime) -> None:
    """Make an authority of ten years: its key, 0600, and its certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _name(f"Fengsui CA {name}"[:64])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + timedelta(days=AUTHORITY_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    write_secret(key_file, key_pem(key))
    write_secret(certificate_file, _pem(certificate).encode())


def digest_of_key(request: str) -> str:
    """Return the SHA-256 of the key that a certificate request proves to have, in hex.

    Raises:
        PermanentError: as `Authority.sign_node`.
    """
    spki = _requested_key(request).public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return sha256(spki).hexdigest()


def _requested_key(request: str) -> ec.EllipticCurvePublicKey:
    try:
        csr = x509.load_pem_x509_csr(request.encode())
        signed, key = csr.is_signature_valid, csr.public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise PermanentError(f"csr: not a PKCS #10 request in PEM ({error})") from None
    if not signed:
        raise PermanentError("csr: its signature does not fit its key; make it anew")
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, _CURVES):
        raise PermanentError("csr: its key is no EC P-256 or P-384; make such a key")
    return key


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()
