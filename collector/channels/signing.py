"""Signatures by which a receiver knows that a webhook is ours and new (pure; the Standard Webhooks form).

    webhook-id          the notice's key, the same at every attempt
    webhook-timestamp   seconds since 1970, of this attempt
    webhook-signature   v1,<base64 of HMAC-SHA256(secret, id "." timestamp "." body)>

A receiver computes the same over the body as it came, compares in constant time, and refuses timestamps that
lie more than a few minutes off. Its libraries exist in many languages under the name Standard Webhooks.

>>> from datetime import UTC
>>> at = datetime(2021, 2, 25, 18, 10, 22, tzinfo=UTC)
>>> key = key_of(b"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
>>> headers = signed(key, "i/escalate_0/1/wang/duty", at, b'{"subject": "..."}')
>>> verify(key, headers, b'{"subject": "..."}', at), verify(key, headers, b'{"subject": "!!!"}', at)
(True, False)
"""

import binascii
import hmac
from base64 import b64decode, b64encode
from collections.abc import Mapping
from datetime import datetime, timedelta

from ..errors import PermanentError

LEAST_BYTES = 16
_DIGITS = 18
TOLERANCE = timedelta(minutes=5)
_PREFIX = b"whsec_"


def key_of(secret: bytes) -> bytes:
    """Return the key that a secret file stands for: base64 after `whsec_`, else the bytes as they are.

    Raises:
        PermanentError: It is too short to keep anybody out, or no base64.
    """
    try:
        key = b64decode(secret[len(_PREFIX) :], validate=True) if secret.startswith(_PREFIX) else secret
    except binascii.Error:
        raise PermanentError("secret: found no base64 after whsec_") from None
    if len(key) < LEAST_BYTES:
        raise PermanentError(f"secret: found {len(key)} bytes, expected {LEAST_BYTES} at least")
    return key


def signed(key: bytes, identity: str, at: datetime, body: bytes) -> dict[str, str]:
    """Return the headers that sign a body sent at a moment."""
    stamp = str(int(at.timestamp()))
    return {
        "webhook-id": identity,
        "webhook-timestamp": stamp,
        "webhook-signature": "v1," + b64encode(_mac(key, identity, stamp, body)).decode(),
    }


def verify(key: bytes, headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
    """Whether headers sign a body with this key, not long ago; what a receiver does."""
    identity, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if (
        not stamp.isdecimal()
        or len(stamp) > _DIGITS
        or abs(now.timestamp() - int(stamp)) > TOLERANCE.total_seconds()
    ):
        return False
    wanted = b"v1," + b64encode(_mac(key, identity, stamp, body))
    given = headers.get("webhook-signature", "").encode("utf-8", "replace").split()
    return any([hmac.compare_digest(one, wanted) for one in given])  # noqa: C419 - every one is compared


def _mac(key: bytes, identity: str, stamp: str, body: bytes) -> bytes:
    return hmac.digest(key, f"{identity}.{stamp}.".encode() + body, "sha256")
