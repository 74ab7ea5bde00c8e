"""One link of the journal's hash chain: what is hashed, and how (pure).

A chain begins at `GENESIS` with number 1. Every entry's hash covers the hash before it and all of its own
fields as RFC 8785 canonical JSON, so a changed, removed or inserted entry shows at the first link behind it.

>>> first = seal(GENESIS, {"chain": "c", "n": 1, "action": "collector.started"})
>>> second = seal(first, {"chain": "c", "n": 2, "action": "incident.opened"})
>>> second == seal(first, {"action": "incident.opened", "n": 2, "chain": "c"})
True
>>> second == seal(first, {"chain": "c", "n": 2, "action": "incident.closed"})
False
"""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import rfc8785
from msgspec import Struct

GENESIS = "0" * 64


class Head(Struct, frozen=True):
    """Where a chain ends: its name, the number and the hash of its last entry."""

    chain: str
    n: int = 0
    hash: str = GENESIS


def seal(previous: str, fields: Mapping[str, Any]) -> str:
    """Return the SHA-256, in hex, of an entry that follows the hash `previous`.

    Args:
        previous: Hash of the entry before, `GENESIS` for the first.
        fields: JSON values only; times as RFC 3339 text in UTC.

    Raises:
        rfc8785.CanonicalizationError: A value has no JSON form.
    """
    return sha256(previous.encode("ascii") + b"\n" + rfc8785.dumps(dict(fields))).hexdigest()
