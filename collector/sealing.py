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

import json
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
    return sha256(previous.encode("ascii") + b"\n" + canonical(dict(fields))).hexdigest()


def canonical(value: dict[str, Any]) -> bytes:
    """Return RFC 8785 canonical JSON.

    The standard library writes the same, and much faster, but for numbers with a fraction, very large ones
    and names beyond ASCII, whose order differs.

    Raises:
        rfc8785.CanonicalizationError: A value has no JSON form.
    """
    if not _simple(value):
        return rfc8785.dumps(value)
    try:
        return _write(value).encode()
    except UnicodeEncodeError:  # a lone surrogate: the other one says so
        return rfc8785.dumps(value)


_write = json.JSONEncoder(
    ensure_ascii=False, check_circular=False, sort_keys=True, separators=(",", ":")
).encode
_SAFE = 2**53 - 1


def _simple(value: object) -> bool:
    kind = type(value)
    if kind is str or value is None or kind is bool:
        return True
    if isinstance(value, dict):
        names = all(type(name) is str and name.isascii() for name in value)
        return names and all(map(_simple, value.values()))
    if isinstance(value, list):
        return all(map(_simple, value))
    return kind is int and -_SAFE <= value <= _SAFE  # type: ignore[operator]
