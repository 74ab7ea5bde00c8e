"""Believes what a collector signed, and nothing else (`wire.signed`).

    envelope ─> certificate by an authority this node trusts? for the name that may sign? in its time?
             ─> signature over purpose and body? ─> the body, as bytes

The time is the collector's, as its answer tells it: a node's wrong clock locks no order out.
"""

from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from wire.messages import Purpose, Signed
from wire.signed import SIGNER, statement


class SignatureError(ValueError):
    """What is not from a collector this node trusts; the text says why."""


class Signatures:
    """Checks against the authorities of one identity: during a change of authority there are two."""

    def __init__(self, authorities: bytes) -> None:
        """Take the trusted certificates in PEM.

        Raises:
            ValueError: they can't be read.
        """
        self._authorities = x509.load_pem_x509_certificates(authorities)
        self._known: tuple[str, x509.Certificate] | None = None

    def open(self, signed: Signed, purpose: Purpose, at: datetime) -> bytes:
        """Return the body that was signed.

        Args:
            signed: The envelope.
            purpose: What the body will be used for.
            at: The collector's time.

        Raises:
            SignatureError: it is not to be believed.
        """
        certificate = self._certificate(signed.certificate)
        if not certificate.not_valid_before_utc <= at < certificate.not_valid_after_utc:
            until = certificate.not_valid_after_utc.isoformat()
            raise SignatureError(f"the signer's certificate is out of its time (until {until})")
        key = certificate.public_key()
        if not isinstance(key, ec.EllipticCurvePublicKey):
            raise SignatureError("the signer's key is no EC key")
        if signed.purpose != purpose:
            raise SignatureError(f"signed as {signed.purpose!r}, expected {purpose!r}")
        try:
            key.verify(signed.signature, statement(purpose, signed.body), ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            raise SignatureError("the signature does not fit what was signed") from None
        return signed.body

    def _certificate(self, pem: str) -> x509.Certificate:
        """Return a certificate that may sign; the last one, nearly always the same, is remembered."""
        if self._known is not None and self._known[0] == pem:
            return self._known[1]
        try:
            certificate = x509.load_pem_x509_certificate(pem.encode())
            names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        except (ValueError, x509.ExtensionNotFound, UnsupportedAlgorithm) as error:
            raise SignatureError(f"the signer's certificate can't be read ({error})") from None
        if not any(_issued(certificate, authority) for authority in self._authorities):
            raise SignatureError("the signer's certificate is not by an authority this node trusts")
        if [name.value for name in names] != [SIGNER]:
            raise SignatureError("the certificate is not one that may sign orders")
        self._known = (pem, certificate)
        return certificate


def _issued(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True
