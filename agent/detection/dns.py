"""DNS messages (RFC 1035), as far as this house asks and listens: a question written, an answer read.

    head     number, flags (an answer? cut? failed?), four counts
    question name, type, class
    answers  name, type, class, seconds, length, data       a name may end in a pointer to an earlier one

An answer may come from anybody, and a captured one may be cut off: what was read until then is given, and
`cut` says so. A pointer has to go backwards, so that no name is read for ever.

>>> asked = question(7, "example.gov.cn", MX)
>>> read(asked).name, read(asked).records
('example.gov.cn', ())
"""

import struct
from ipaddress import ip_address

from msgspec import Struct

A, CNAME, MX, AAAA = 1, 5, 15, 28
NO_SUCH_NAME = 3
_HEAD = struct.Struct("!HHHHHH")
_RECORD = struct.Struct("!HHIH")
_ANSWERS, _CUT, _RECURSE = 0x8000, 0x0200, 0x0100
_INTERNET = 1
_POINTER = 0xC0
_LONGEST_NAME = 255
_MAX_RECORDS = 64


class DnsError(ValueError):
    """No DNS message, or a name that none can hold."""


class Record(Struct, frozen=True):
    """One answer: `value` is an address or a name; `preference` is that of a mail exchange."""

    name: str
    kind: int
    value: str
    preference: int = 0


class Message(Struct, frozen=True):
    """A message; `failed` is the server's code, 0: it did not; `cut`: there was more than could be read."""

    number: int
    answers: bool
    failed: int
    cut: bool
    name: str
    kind: int
    records: tuple[Record, ...]


def question(number: int, name: str, kind: int) -> bytes:
    """Return a question for a server that looks further itself.

    Raises:
        DnsError: the name does not fit.
    """
    wire = b""
    for label in name.rstrip(".").encode("ascii", "replace").split(b"."):
        if not 0 < len(label) < 64:
            raise DnsError(f"{name!r}: a label of {len(label)} letters, expected 1 to 63")
        wire += bytes([len(label)]) + label
    if len(wire) >= _LONGEST_NAME:
        raise DnsError(f"{name!r}: {len(wire)} bytes, expected fewer than {_LONGEST_NAME}")
    return _HEAD.pack(number, _RECURSE, 1, 0, 0, 0) + wire + b"\0" + struct.pack("!HH", kind, _INTERNET)


def read(message: bytes) -> Message:
    """Return what a message says.

    Raises:
        DnsError: not even its question can be read.
    """
    if len(message) < _HEAD.size:
        raise DnsError(f"{len(message)} bytes, a message has at least {_HEAD.size}")
    number, flags, questions, answers, _, _ = _HEAD.unpack_from(message)
    if questions != 1:
        raise DnsError(f"{questions} questions, expected one")
    name, at = _name(message, _HEAD.size)
    if at + 4 > len(message):
        raise DnsError("the question ends too early")
    kind = int.from_bytes(message[at : at + 2])
    records, whole = _records(message, at + 4, min(answers, _MAX_RECORDS))
    cut = bool(flags & _CUT) or not whole or answers > _MAX_RECORDS
    return Message(number, bool(flags & _ANSWERS), flags & 15, cut, name, kind, records)


def _records(message: bytes, at: int, most: int) -> tuple[tuple[Record, ...], bool]:
    """Return the answers, and whether all of them could be read."""
    found: list[Record] = []
    for _ in range(most):
        try:
            name, at = _name(message, at)
            kind, _, _, length = _RECORD.unpack_from(message, at)
            at += _RECORD.size
            if at + length > len(message):
                return tuple(found), False
            record = _record(message, name, kind, at, length)
        except (DnsError, struct.error):
            return tuple(found), False
        if record:
            found.append(record)
        at += length
    return tuple(found), True


def _record(message: bytes, name: str, kind: int, at: int, length: int) -> Record | None:
    if (kind, length) in {(A, 4), (AAAA, 16)}:
        return Record(name, kind, str(ip_address(message[at : at + length])))
    if kind == CNAME:
        return Record(name, kind, _name(message, at)[0])
    if kind == MX and length > 2:
        return Record(name, kind, _name(message, at + 2)[0], int.from_bytes(message[at : at + 2]))
    return None


def _name(message: bytes, at: int) -> tuple[str, int]:
    """Return a name in small letters, and where what follows it begins.

    Raises:
        DnsError: it ends too early, is too long, or its pointer does not go backwards.
    """
    labels: list[str] = []
    behind, letters, begin = 0, 0, at
    while True:
        if at >= len(message):
            raise DnsError("a name ends too early")
        length = message[at]
        if length >= _POINTER:
            target = int.from_bytes(message[at : at + 2]) & 0x3FFF
            behind = behind or at + 2
            if at + 2 > len(message) or target >= begin:
                raise DnsError(f"a name's pointer to {target} does not go backwards")
            at = begin = target
            continue
        label = message[at + 1 : at + 1 + length]
        at += 1 + length
        letters += 1 + length
        if length >= 64 or len(label) < length or letters > _LONGEST_NAME:
            raise DnsError("a name's label is cut off or too long")
        if not length:
            return ".".join(labels), behind or at
        labels.append(shown(label))


def shown(label: bytes) -> str:
    r"""Return a label as people may read it: small letters, and a question mark for what is none.

    >>> shown(b"WWW"), shown(b"a\nb")
    ('www', 'a?b')
    """
    return "".join(chr(one) if 0x21 <= one < 0x7F else "?" for one in label.lower())
