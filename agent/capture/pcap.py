"""Reads recorded packets: classic pcap in both byte orders and both clocks, and pcapng.

    classic   header 24 bytes (magic: order and clock; link at 20), then 16 bytes and a frame, again and again
    pcapng    blocks: type, length, ..., length; sections (byte order), interfaces (link type, clock), packets

A recording is somebody else's file: every length is held against what may be, memory is bounded by one
packet, and a file that is damaged in the middle gives what stands before the damage, and says where it
ends.
"""

import struct
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import BinaryIO, NamedTuple

MAX_FRAME = 262_144
_MAX_BLOCK = 16 * 1024 * 1024
_MAX_INTERFACES = 1024
_CLASSIC = {
    b"\xd4\xc3\xb2\xa1": ("<", 6),
    b"\xa1\xb2\xc3\xd4": (">", 6),
    b"\x4d\x3c\xb2\xa1": ("<", 9),
    b"\xa1\xb2\x3c\x4d": (">", 9),
}
_SECTION = b"\x0a\x0d\x0d\x0a"
_ORDERS = {b"\x4d\x3c\x2b\x1a": "<", b"\x1a\x2b\x3c\x4d": ">"}
_INTERFACE, _SIMPLE, _PACKET = 1, 3, 6
_TSRESOL = 9
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = 7_258_118_400 * 1_000_000  # the year 2200


class PcapError(ValueError):
    """The file is no recording, or damaged from here on."""


class Frame(NamedTuple):
    """One recorded packet: number from 1, time (None where its form has none), link type, bytes."""

    number: int
    at: datetime | None
    link: int
    data: bytes


def frames(file: BinaryIO) -> Iterator[Frame]:
    """Yield the packets of a recording.

    Raises:
        PcapError: no recording, or damaged; what stands before was yielded.
        OSError: the file can't be read.
    """
    magic = file.read(4)
    if magic in _CLASSIC:
        yield from _classic(file, *_CLASSIC[magic])
    elif magic == _SECTION:
        yield from _Sections(file).frames()
    else:
        raise PcapError(f"begins with {magic.hex() or 'nothing'}, expected a pcap or pcapng file")


def _classic(file: BinaryIO, order: str, digits: int) -> Iterator[Frame]:
    rest = _exactly(file, 20, "the file's header")
    # The upper bits of the link type tell of a checksum behind each frame.
    link = struct.unpack(order + "I", rest[16:])[0] & 0xFFFF
    header = struct.Struct(order + "4I")
    number = 0
    while begin := file.read(16):
        number += 1
        if len(begin) < 16:
            raise PcapError(f"packet {number}: the file ends within its header")
        seconds, fraction, kept, _ = header.unpack(begin)
        if kept > MAX_FRAME:
            raise PcapError(f"packet {number}: {kept} bytes, at most {MAX_FRAME} are read; damaged")
        data = _exactly(file, kept, f"packet {number}")
        yield Frame(number, _time(seconds * 10**digits + fraction, 10**digits), link, data)


def _exactly(file: BinaryIO, length: int, what: str) -> bytes:
    data = file.read(length)
    if len(data) < length:
        raise PcapError(f"{what}: the file ends {length - len(data)} bytes too early")
    return data


def _time(ticks: int, second: int) -> datetime | None:
    micros = ticks * 1_000_000 // second
    # A time centuries away is a damaged one.
    return _EPOCH + timedelta(microseconds=micros) if micros < _LATEST else None


class _Sections:
    """The blocks of a pcapng file; byte order and interfaces belong to a section."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._order = "<"
        self._interfaces: list[tuple[int, int]] = []
        self._number = 0

    def frames(self) -> Iterator[Frame]:
        kind = _SECTION
        while len(kind) == 4:
            if kind == _SECTION:
                self._section()
            elif frame := self._block(struct.unpack(self._order + "I", kind)[0]):
                yield frame
            kind = self._file.read(4)
        if kind:
            raise PcapError(f"after packet {self._number}: the file ends within a block")

    def _section(self) -> None:
        length = _exactly(self._file, 4, "a section")
        magic = _exactly(self._file, 4, "a section")
        if magic not in _ORDERS:
            raise PcapError(f"after packet {self._number}: a section without a byte order")
        self._order = _ORDERS[magic]
        self._interfaces = []
        self._rest(struct.unpack(self._order + "I", length)[0], 12)

    def _rest(self, length: int, read: int) -> bytes:
        """Return the rest of a block of which so many bytes are read, without its closing length."""
        if length % 4 or not read + 4 <= length <= _MAX_BLOCK:
            raise PcapError(f"after packet {self._number}: a block of {length} bytes; damaged")
        return _exactly(self._file, length - read, f"a block after packet {self._number}")[:-4]

    def _block(self, kind: int) -> Frame | None:
        length = struct.unpack(self._order + "I", _exactly(self._file, 4, "a block"))[0]
        body = self._rest(length, 8)
        if kind == _INTERFACE and len(body) >= 8:
            if len(self._interfaces) >= _MAX_INTERFACES:
                raise PcapError(f"more than {_MAX_INTERFACES} interfaces; damaged")
            link = struct.unpack_from(self._order + "H", body)[0]
            self._interfaces.append((link, _second(self._order, body[8:])))
        elif kind == _PACKET:
            return self._packet(body)
        elif kind == _SIMPLE and len(body) >= 4:
            self._number += 1
            return Frame(self._number, None, self._interface(0)[0], body[4:][:MAX_FRAME])
        return None

    def _packet(self, body: bytes) -> Frame:
        self._number += 1
        if len(body) < 20:
            raise PcapError(f"packet {self._number}: a block too short for a packet")
        interface, high, low, kept, _ = struct.unpack_from(self._order + "5I", body)
        if kept > min(len(body) - 20, MAX_FRAME):
            raise PcapError(f"packet {self._number}: {kept} bytes in a block of {len(body)}; damaged")
        link, second = self._interface(interface)
        return Frame(self._number, _time(high << 32 | low, second), link, body[20 : 20 + kept])

    def _interface(self, number: int) -> tuple[int, int]:
        if number >= len(self._interfaces):
            raise PcapError(f"packet {self._number}: of interface {number}, which was not told")
        return self._interfaces[number]


def _second(order: str, options: bytes) -> int:
    """Return how many ticks a second has, by an interface's options: microseconds where they say nothing."""
    while len(options) >= 4:
        code, length = struct.unpack_from(order + "2H", options)
        if code == _TSRESOL and length == 1 and len(options) >= 5:
            base, power = (2, options[4] & 0x7F) if options[4] & 0x80 else (10, options[4])
            return int(base ** min(power, 63))
        if code == 0:
            break
        options = options[4 + (length + 3) // 4 * 4 :]
    return 1_000_000
