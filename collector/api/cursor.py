"""The mark between two pages: the last row's key, opaque to the caller and refused when tampered with."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence

import msgspec

from wire.codec import UNREADABLE

from ..desk.problem import ProblemError

_LIMIT = 512
_LARGEST = 2**53


def mark(key: Sequence[str | int]) -> str:
    """Return a key as a cursor.

    >>> mark(["node-1", "eth0"])
    'WyJub2RlLTEiLCJldGgwIl0'
    """
    return urlsafe_b64encode(msgspec.json.encode(list(key))).decode().rstrip("=")


def place(cursor: str, example: Sequence[type]) -> tuple[str | int, ...]:
    """Return the key a cursor stands for.

    Args:
        cursor: What `mark` made.
        example: The types of the key's parts.

    Raises:
        ProblemError: malformed; the cursor is none of this list's.

    >>> place("WyJub2RlLTEiLCJldGgwIl0", [str, str])
    ('node-1', 'eth0')
    """
    try:
        raw = urlsafe_b64decode(cursor[:_LIMIT] + "=" * (-len(cursor[:_LIMIT]) % 4))
        parts = msgspec.json.decode(raw, type=list[str | int])
    except (ValueError, *UNREADABLE):
        parts = []
    if len(parts) != len(example) or not all(map(_fits, parts, example)):
        raise ProblemError("malformed", "query: cursor is not one that this list gave; begin without it")
    return tuple(parts)


def _fits(part: str | int, wanted: type) -> bool:
    if isinstance(part, int):
        return wanted is int and 0 <= part <= _LARGEST
    return wanted is str and "\0" not in part
