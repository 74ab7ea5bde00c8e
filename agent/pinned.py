"""TLS to the collectors of one's own authority, whatever this host's clock says.

A host's clock may be a year off, behind as well as ahead, and it is just such a host that must be heard of.
So its clock is not asked whether a collector's certificate is in its time; the collectors' own is: they made
this node's token, and later its certificate, at a time that stands in it, and a certificate of theirs that
ended before that is refused. The chain, the name and TLS 1.3 are checked as ever. How far off the clock is,
each batch tells.
"""

import ssl
from datetime import UTC, datetime

_NO_CHECK_TIME = 0x200000
"""OpenSSL's X509_V_FLAG_NO_CHECK_TIME, which the standard library has no name for."""


def to_collectors(authorities: str | bytes, made: datetime) -> ssl.SSLContext:
    """Return TLS 1.3 that trusts some authorities alone.

    Args:
        authorities: Their certificates, text in PEM or bytes in DER.
        made: When what names them was made (this node's token, its certificate), by the collectors' clock.

    Raises:
        ssl.SSLError: the authorities can't be read.
    """
    context = ssl.create_default_context(cadata=authorities)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_flags |= _NO_CHECK_TIME
    context.sslobject_class = type("Dated", (_Dated,), {"made": made})
    return context


class _Dated(ssl.SSLObject):
    """A connection whose other side may not show what ended before `made`."""

    made: datetime

    def do_handshake(self) -> None:
        """Begin, and refuse what is too old.

        Raises:
            ssl.SSLCertVerificationError: the certificate ended before that.
        """
        super().do_handshake()
        shown = self.getpeercert() or {}
        ended = datetime.fromtimestamp(ssl.cert_time_to_seconds(str(shown.get("notAfter"))), UTC)
        if ended < self.made:
            raise ssl.SSLCertVerificationError(
                f"the collector's certificate ended at {ended.isoformat()}, "
                f"before what this node trusts it by was made ({self.made.isoformat()})"
            )
