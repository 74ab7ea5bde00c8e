"""The beginning of each packet for a while, as a pcap file of bounded size.

An AF_PACKET socket takes what passes, cut to `packet_bytes` and sifted in the kernel (`sift.py`), so that a
flood of what was not asked for costs nothing here. It ends by time or by bytes, whichever comes first; what
the kernel had to drop is counted. Frames begin at the network layer (pcap link type 113, Linux "cooked").
"""

import select
import socket
import struct
from collections.abc import Callable
from ipaddress import ip_network

from msgspec import Struct

from .sift import program

_ALL = 0x0003
_LINKTYPE_COOKED = 113
_HEADER = struct.pack("=IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, _LINKTYPE_COOKED)
_PACKET_STATISTICS = 6
_SOL_PACKET = 263
_ATTACH_FILTER = 26
_LOOK_SECONDS = 0.5
_BUFFER = 4 * 1024 * 1024


class Wanted(Struct, frozen=True):
    """What to keep: of one interface, address and port or of all, at most `most_bytes` together."""

    seconds: int
    packet_bytes: int
    most_bytes: int
    interface: str | None = None
    address: str | None = None
    port: int | None = None


class Captured(Struct, frozen=True):
    """A pcap file, its packets, what the kernel dropped meanwhile, and what ended it: `time` or `bytes`."""

    pcap: bytes
    packets: int
    dropped: int
    ended_by: str


def capture(wanted: Wanted, now: Callable[[], float], steady: Callable[[], float]) -> Captured:
    """Keep packets; blocks for at most the wanted seconds.

    Args:
        wanted: What to keep.
        now: The wall clock, for the packets' times.
        steady: A clock that nobody sets.

    Raises:
        OSError: no such interface, or this process may not.
    """
    taken = bytearray(_HEADER)
    packets = 0
    with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0) as sniffer:
        sniffer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        network = ip_network(wanted.address) if wanted.address else None
        _attach(sniffer, program(network, wanted.port, wanted.packet_bytes))
        sniffer.bind((wanted.interface or "", _ALL))
        until = steady() + wanted.seconds
        ended_by = "time"
        while (left := until - steady()) > 0:
            if not select.select([sniffer], [], [], min(left, _LOOK_SECONDS))[0]:
                continue
            data, about = sniffer.recvfrom(wanted.packet_bytes)
            record = _record(data, about, now())
            if len(taken) + len(record) > wanted.most_bytes:
                ended_by = "bytes"
                break
            taken += record
            packets += 1
        statistics = sniffer.getsockopt(_SOL_PACKET, _PACKET_STATISTICS, 8)
    dropped = struct.unpack("=II", statistics)[1]
    return Captured(bytes(taken), packets, dropped, ended_by)


def _attach(sniffer: socket.socket, instructions: bytes) -> None:
    """Give the kernel the filter before the socket sees its first packet."""
    import ctypes  # noqa: PLC0415 - only a capture needs it

    held = ctypes.create_string_buffer(instructions, len(instructions))
    count = len(instructions) // 8
    sniffer.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, struct.pack("HL", count, ctypes.addressof(held)))


def _record(data: bytes, about: tuple[str, int, int, int, bytes], at: float) -> bytes:
    """Return one packet as pcap keeps it, behind the header that "cooked" frames have."""
    _, protocol, direction, hardware, sender = about
    address = sender[:8].ljust(8, b"\0")
    cooked = struct.pack("!HHH8sH", direction, hardware, len(sender[:8]), address, protocol)
    size = len(cooked) + len(data)
    seconds = int(at)
    return struct.pack("=IIII", seconds, int((at - seconds) * 1_000_000), size, size) + cooked + data
