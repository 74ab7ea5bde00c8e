r"""Netlink framing (RFC 3549): messages in a datagram, attributes in a message, and one dump.

Everything here takes bytes from outside, so every length is checked before it is believed: damaged input
ends in `NetlinkError`, never in an endless loop.

>>> from agent.netlink.message import attributes, pack_attribute
>>> attributes(pack_attribute(3, b"eth0") + pack_attribute(4, b"\x01\x02"))
{3: b'eth0', 4: b'\x01\x02'}
"""

import errno
import os
import socket
import struct
from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeVar

Row = TypeVar("Row")

ERROR = 2
DONE = 3
REQUEST_DUMP = 0x301
INTERRUPTED = 0x10
HEADER = struct.Struct("=IHHII")
ATTRIBUTE = struct.Struct("=HH")
_TYPE_MASK = 0x3FFF
_BUFFER = 1 << 18
_DUMP_SECONDS = 5
_DUMP_TRIES = 4


class NetlinkError(ValueError):
    """Bytes that are no netlink, or a request the kernel refused."""


class UnsupportedError(NetlinkError):
    """A request for something that this kernel was built without."""


class DumpInterruptedError(NetlinkError):
    """The table changed during every one of several dumps; trying again later may help."""


def reason(number: int | None) -> str:
    """Return an errno's text; of a right that is not there, also which one the kernel asks for."""
    text = os.strerror(number or 0)
    return f"{text}; needs CAP_NET_ADMIN" if number == errno.EPERM else text


class Message(NamedTuple):
    """One message: its type, flags, the request it answers and what follows the header."""

    type: int
    flags: int
    sequence: int
    payload: bytes


def split(datagram: bytes) -> Iterator[Message]:
    """Yield the messages of a datagram.

    Raises:
        NetlinkError: a header or a length that reaches past the end.
    """
    offset, end = 0, len(datagram)
    while offset < end:
        if end - offset < HEADER.size:
            raise NetlinkError(f"{end - offset} bytes at offset {offset}, a header has {HEADER.size}")
        length, kind, flags, sequence, _ = HEADER.unpack_from(datagram, offset)
        if not HEADER.size <= length <= end - offset:
            raise NetlinkError(f"message at offset {offset} claims {length} bytes of {end - offset}")
        yield Message(kind, flags, sequence, datagram[offset + HEADER.size : offset + length])
        offset += length + 3 & ~3


def each_attribute(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the attributes in their order, without the nested and byte-order marks: lists repeat a number.

    Raises:
        NetlinkError: an attribute whose length reaches past the end.
    """
    offset, end = 0, len(data)
    while end - offset >= ATTRIBUTE.size:
        length, kind = ATTRIBUTE.unpack_from(data, offset)
        if not ATTRIBUTE.size <= length <= end - offset:
            raise NetlinkError(f"attribute at offset {offset} claims {length} bytes of {end - offset}")
        yield kind & _TYPE_MASK, data[offset + ATTRIBUTE.size : offset + length]
        offset += length + 3 & ~3


def attributes(data: bytes) -> dict[int, bytes]:
    """Return the attributes by number; the last of a number wins.

    Raises:
        NetlinkError: an attribute whose length reaches past the end.
    """
    return dict(each_attribute(data))


def pack_attribute(kind: int, value: bytes) -> bytes:
    """Return one attribute, padded."""
    return (ATTRIBUTE.pack(ATTRIBUTE.size + len(value), kind) + value).ljust(
        ATTRIBUTE.size + len(value) + 3 & ~3, b"\0"
    )


def refusal(payload: bytes) -> int:
    """Return the errno of an error message; 0 is an acknowledgement."""
    if len(payload) < 4:
        raise NetlinkError(f"error message of {len(payload)} bytes, expected at least 4")
    code: int = struct.unpack_from("=i", payload)[0]
    return -code


def dump(protocol: int, kind: int, request: bytes) -> list[Message]:
    """Ask the kernel for a whole table and return its rows, all of one moment.

    Raises:
        NetlinkError: the kernel refused, with its errno's text.
        DumpInterruptedError: the table kept changing (several whole dumps were cut).
        OSError: the socket could not be made, or the kernel was silent for five seconds.
    """
    return table(protocol, kind, request, lambda row: row)


def table(protocol: int, kind: int, request: bytes, read: Callable[[Message], Row | None]) -> list[Row]:
    """Return what `read` makes of the rows of a table, those left out that it answers None for.

    Rows are read as they come: of a router with a whole internet table the messages are never all in memory.

    Raises:
        NetlinkError: as `dump`, or by `read`.
        DumpInterruptedError, OSError: as `dump`.
    """
    found, whole = seen(protocol, kind, request, read)
    if not whole:
        raise DumpInterruptedError(f"table changed during {_DUMP_TRIES} dumps of type {kind}")
    return found


def seen(
    protocol: int, kind: int, request: bytes, read: Callable[[Message], Row | None]
) -> tuple[list[Row], bool]:
    """Return the rows of a table as `table` does, and whether they are all of one moment.

    Of a table that changes whenever it is read these are the rows of several dumps, one after the other: what
    stayed in it all the while is among them, rows that changed or went are too.

    Raises:
        NetlinkError, OSError: as `table`.
    """
    torn: list[Row] = []
    for _ in range(_DUMP_TRIES):
        found: list[Row] = []
        interrupted = False
        for row in stream(protocol, kind, request):
            interrupted |= bool(row.flags & INTERRUPTED)
            if (one := read(row)) is not None:
                found.append(one)
        if not interrupted:
            return found, True
        torn += found
    return torn, False


def stream(protocol: int, kind: int, request: bytes) -> Iterator[Message]:
    """Yield the rows of a table as the kernel sends them: a large one is never whole in memory.

    Raises:
        NetlinkError: the kernel refused, with its errno's text.
        OSError: the socket could not be made, or the kernel was silent for five seconds.
    """
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, protocol) as kernel:
        kernel.settimeout(_DUMP_SECONDS)
        kernel.send(HEADER.pack(HEADER.size + len(request), kind, REQUEST_DUMP, 1, 0) + request)
        while True:
            for message in split(kernel.recv(_BUFFER)):
                if message.type == DONE:
                    return
                if message.type == ERROR:
                    code = refusal(message.payload)
                    refused = UnsupportedError if code == errno.EOPNOTSUPP else NetlinkError
                    raise refused(f"kernel refused a dump of type {kind}: {reason(code)}")
                yield message
