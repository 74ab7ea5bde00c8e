"""The proxy that GNOME's settings hold, out of a dconf database: a file of the form GVDB.

    head    "GVariant", version, options, where the root table begins and ends
    table   words of a filter, buckets, then an item of 24 bytes each: hash, parent, name (where, how long),
            kind ("v" a value, "L" a folder), value (where it begins and ends)
    value   its bytes, a zero, its type: `s` text that ends in a zero, `i` a number of four bytes

A name is that of its parents and its own. Only /system/proxy/ is looked at; the rest of the file is the
user's business.

>>> told({"mode": "manual", "http/host": "10.0.0.9", "http/port": 3128, "socks/host": ""})
[('http', '10.0.0.9:3128')]
>>> told({"mode": "none", "http/host": "10.0.0.9"})
[]
"""

import struct
from collections.abc import Iterator, Mapping

from msgspec import Struct

_HEAD = struct.Struct("<8sIIII")
_TABLE = struct.Struct("<II")
_ITEM = struct.Struct("<IIIHBxII")
_PREFIX = "/system/proxy/"
_NO_PARENT = 0xFFFFFFFF
_FILTER_WORDS = 0x07FFFFFF
_MAX_ITEMS = 20_000
_MAX_DEPTH = 16
_WAYS = ("http", "https", "ftp", "socks")


class DconfError(ValueError):
    """No database, or a damaged one."""


class _Item(Struct, frozen=True):
    parent: int
    name: str
    kind: str
    value: tuple[int, int]


def proxy(data: bytes) -> dict[str, str | int]:
    """Return the settings below /system/proxy/.

    Raises:
        DconfError: it is no database.
    """
    items = list(_items(data))
    found: dict[str, str | int] = {}
    for item in items:
        if item.kind == "v" and (name := _name(items, item)).startswith(_PREFIX):
            value = _value(data[slice(*item.value)])
            if value is not None:
                found[name.removeprefix(_PREFIX)] = value
    return found


def told(settings: Mapping[str, str | int]) -> list[tuple[str, str]]:
    """Return name and address of each proxy that is in force: scripts where they are automatic."""
    if settings.get("mode") == "auto":
        script = str(settings.get("autoconfig-url", ""))
        return [("pac", script)] if script else []
    if settings.get("mode") != "manual":
        return []
    return [
        (way, f"{host}:{settings.get(f'{way}/port', 0)}")
        for way in _WAYS
        if (host := settings.get(f"{way}/host"))
    ]


def _items(data: bytes) -> Iterator[_Item]:
    try:
        signature, _, _, begin, end = _HEAD.unpack_from(data)
        words, buckets = _TABLE.unpack_from(data, begin)
    except struct.error:
        raise DconfError(f"{len(data)} bytes are no database") from None
    if signature != b"GVariant":
        raise DconfError("its first bytes are not those of a database")
    at = begin + _TABLE.size + 4 * ((words & _FILTER_WORDS) + buckets)
    count = (min(end, len(data)) - at) // _ITEM.size
    if not 0 <= count <= _MAX_ITEMS:
        raise DconfError(f"a table of {count} entries")
    for number in range(count):
        _, parent, start, length, kind, first, last = _ITEM.unpack_from(data, at + number * _ITEM.size)
        name = data[start : start + length].decode("utf-8", "replace")
        yield _Item(parent, name, chr(kind), (first, last))


def _name(items: list[_Item], item: _Item) -> str:
    name = item.name
    for _ in range(_MAX_DEPTH):
        if item.parent >= len(items):
            return name if item.parent == _NO_PARENT else ""
        item = items[item.parent]
        name = item.name + name
    return ""


def _value(data: bytes) -> str | int | None:
    value, zero, kind = data.rpartition(b"\0")
    if not zero:
        return None
    if kind == b"s":
        return value.rstrip(b"\0").decode("utf-8", "replace")
    return int.from_bytes(value[:4], "little", signed=True) if kind == b"i" else None
