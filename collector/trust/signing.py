"""The key by which nodes know this collector's orders and programs (`wire.signed`).

A key of its own, so that the authority's stays out of daily work: `signer.key` (0600) and `signer.pem`, which
the authority signs for 90 days and for the one name that may sign. Made anew when a third of its life is left
or the authority has changed.
"""

from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from wire.messages import Purpose, Signed
from wire.signed import statement

from .ca import SERVER_LIFE, Authority, key_pem, load_key
from .keeping import write_secret


class Signer:
    """Signs for one collector; several processes of one state folder share the key."""

    def __init__(self, folder: Path, authority: Authority) -> None:
        self._key_file = folder / "signer.key"
        self._certificate_file = folder / "signer.pem"
        self._authority = authority
        self._pair: tuple[ec.EllipticCurvePrivateKey, x509.Certificate] | None = None
        self._pem = ""

    def sign(self, identifier: str, purpose: Purpose, body: bytes, now: datetime) -> Signed:
        """Return the message in its envelope.

        Raises:
            OSError: a new key can't be written.
        """
        key = self._ensure(now)
        signature = key.sign(statement(purpose, body), ec.ECDSA(hashes.SHA256()))
        return Signed(id=identifier, purpose=purpose, body=body, certificate=self._pem, signature=signature)

    def _ensure(self, now: datetime) -> ec.EllipticCurvePrivateKey:
        if self._pair is None or not _fresh(self._pair[1], now):
            self._pair = self._stored(now) or self._made(now)
            self._pem = self._certificate_file.read_text()
        return self._pair[0]

    def _stored(self, now: datetime) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate] | None:
        try:
            certificate = x509.load_pem_x509_certificate(self._certificate_file.read_bytes())
            key = load_key(self._key_file)
            certificate.verify_directly_issued_by(self._authority.certificate)
        except (OSError, ValueError, TypeError, InvalidSignature):
            return None
        matches = certificate.public_key() == key.public_key()
        return (key, certificate) if matches and _fresh(certificate, now) else None

    def _made(self, now: datetime) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
        key = ec.generate_private_key(ec.SECP256R1())
        issued = self._authority.sign_signer(key.public_key(), now)
        # A crash between the two files leaves a pair that does not match, which the next call replaces.
        write_secret(self._key_file, key_pem(key))
        write_secret(self._certificate_file, issued.pem.encode())
        return key, x509.load_pem_x509_certificate(issued.pem.encode())


def _fresh(certificate: x509.Certificate, now: datetime) -> bool:
    return now < certificate.not_valid_after_utc - SERVER_LIFE / 3
