"""What a collector signs and a node believes: orders and programs in one envelope (`wire.messages.Signed`).

    body         the message's JSON bytes, exactly as they were signed
    signature    ECDSA over SHA-256 of  "fengsui signed 1" NUL purpose NUL body
    certificate  of the key that signed, by the collector's authority, for the name `SIGNER` alone

The authority is the one a node pinned at its enrolment, or its successor. A certificate of a node or of a
listener does not sign: it bears another name. Nothing outside `body` is believed; `id` stands outside so that
what can't be believed can be answered.
"""

import hashlib

from .messages import Purpose

SIGNER = "urn:fengsui:signer"
"""The one name in the certificate of a key that may sign."""


def digest_of(authorities: str) -> str:
    """Return the short digest by which both sides tell sets of trusted authorities apart."""
    return hashlib.sha256(authorities.strip().encode()).hexdigest()[:16]


def statement(purpose: Purpose, body: bytes) -> bytes:
    r"""Return the bytes that are signed.

    >>> statement("order", b"{}")
    b'fengsui signed 1\x00order\x00{}'
    """
    return b"\0".join((b"fengsui signed 1", purpose.encode("ascii"), body))
