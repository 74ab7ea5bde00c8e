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
from datetime import datetime
from hashlib import sha256
from typing import Any

import msgspec
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
    return seal_text(previous, canonical(dict(fields)))


def seal_text(previous: str, text: bytes) -> str:
    """Return what `seal` returns for fields whose canonical JSON is `text`."""
    return sha256(previous.encode("ascii") + b"\n" + text).hexdigest()


def canonical(value: Mapping[str, Any]) -> bytes:
    """Return RFC 8785 canonical JSON of JSON values.

    msgspec writes the same, and much faster, but for very small and very large numbers, those with a fraction
    that is nought, and names beyond ASCII, whose order differs.

    Raises:
        rfc8785.CanonicalizationError: A value has no JSON form.
    """
    if _simple(value, _TEXTS):
        try:
            return _write(value)
        except UnicodeEncodeError:  # a lone surrogate: the other one says so
            pass
    return rfc8785.dumps(dict(value))


def texts_of(value: Mapping[str, Any]) -> tuple[bytes, bytes]:
    """Return JSON to be stored, and the canonical JSON of what a reader will decode from it.

    They are mostly one, and what has been written once is not written again. A whole number that the standard
    cannot hold becomes text: what somebody reports must not keep an incident from being written down.

    Args:
        value: Anything that msgspec has a JSON form for: times, structs, tuples.

    >>> texts_of({"late": 1.5, "at": None})
    (b'{"at":null,"late":1.5}', b'{"at":null,"late":1.5}')
    >>> texts_of({"late": 1.0, "at": (1, 2**60)})
    (b'{"late":1.0,"at":[1,"1152921504606846976"]}', b'{"at":[1,"1152921504606846976"],"late":1}')
    """
    if _simple(value, _TEXTS_AND_TIMES):
        text = _write(value)
        return text, text
    plain = _held(msgspec.json.decode(msgspec.json.encode(value)))
    return msgspec.json.encode(plain), canonical(plain)


def _held(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, dict):
        return {name: _held(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_held(one) for one in value]
    return str(value) if type(value) is int and abs(value) > _SAFE else value


_write = msgspec.json.Encoder(order="sorted").encode
_SAFE = 2**53 - 1
_NAMES: frozenset[type] = frozenset({str})
_TEXTS: frozenset[type] = frozenset({str, bool, type(None)})
_TEXTS_AND_TIMES = _TEXTS | {datetime}


def _simple(value: object, texts: frozenset[type]) -> bool:
    """Whether msgspec writes a value as RFC 8785 does; most hold only texts, so a dict is asked whole."""
    asked: list[object] = [value]
    for one in asked:  # grows while it is gone through
        if isinstance(one, dict):
            if not _NAMES.issuperset(map(type, one)) or not "".join(one).isascii():
                return False
            asked += () if texts.issuperset(map(type, one.values())) else one.values()
        elif isinstance(one, list):
            asked += () if texts.issuperset(map(type, one)) else one
        elif type(one) not in texts and not _simple_number(one):
            return False
    return True


def _simple_number(value: object) -> bool:
    if isinstance(value, float):
        return 1e-4 <= abs(value) < 1e15 and not value.is_integer()
    return type(value) is int and -_SAFE <= value <= _SAFE
