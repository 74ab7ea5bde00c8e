"""A packet ring shared with the kernel (AF_PACKET, TPACKET_V3): packets come in blocks, not by calls.

    block 0 | block 1 | block 2 | ...           the kernel fills a block and hands it over when it is full
      ^ ours until released                     or `retire` milliseconds after its first packet

    block header   +8 status (bit 0: ours)  +12 packets  +16 offset of the first packet
    packet header  +0 offset of the next  +4 seconds  +8 nanoseconds  +12 bytes kept  +26 offset of the data
                   +48 sockaddr_ll: +50 protocol (network order)  +58 packet type

All numbers but the protocol are the host's (linux/if_packet.h). The filter is attached before the socket is
bound to anything, so that nothing passes that should not.
"""

import ctypes
import mmap
import os
import select
import socket
import struct
from array import array
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple, Self

SOL_PACKET = 263
_PACKET_RX_RING, _PACKET_STATISTICS, _PACKET_VERSION = 5, 6, 10
_TPACKET_V3 = 2
_SO_ATTACH_FILTER = 26
_ETH_P_ALL = 3
BLOCK_BYTES = 1 << 18
_FRAME_BYTES = 2048
_BLOCK_HEADER = struct.Struct("=III")
_STATUS = struct.Struct("=I")
_USER = 1
_STATISTICS = struct.Struct("=III")


class Block(NamedTuple):
    """A block that is ours: how many packets, and where the first one's header is."""

    packets: int
    first: int


class Ring:
    """One ring on one interface, or on all of them; a context manager.

    Attributes:
        memory: The ring; valid for the packets of a block until it is released.
    """

    def __init__(self, interface: str, megabytes: int, code: bytes, retire_ms: int = 100) -> None:
        """Open it.

        Args:
            interface: Its name; empty for all.
            megabytes: Of kernel memory, locked while it is open.
            code: The filter (`bpf`).
            retire_ms: After how many milliseconds a block with packets is handed over though not full.

        Raises:
            OSError: not allowed (CAP_NET_RAW), no such interface, or no memory.
        """
        self._blocks = max(2, megabytes * (1 << 20) // BLOCK_BYTES)
        self._at = 0
        # Protocol 0 receives nothing until bind names one.
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC, 0)
        try:
            self.attach(code)
            self._socket.setsockopt(SOL_PACKET, _PACKET_VERSION, _TPACKET_V3)
            frames = self._blocks * BLOCK_BYTES // _FRAME_BYTES
            wanted = struct.pack("=7I", BLOCK_BYTES, self._blocks, _FRAME_BYTES, frames, retire_ms, 0, 0)
            self._socket.setsockopt(SOL_PACKET, _PACKET_RX_RING, wanted)
            self._map = mmap.mmap(self._socket.fileno(), self._blocks * BLOCK_BYTES)
            self._bind(interface)
        except BaseException:
            self._socket.close()
            raise
        self.memory = memoryview(self._map)

    def _bind(self, interface: str) -> None:
        """Begin to receive; for all interfaces by the call itself, for Python wants a name."""
        if interface:
            self._socket.bind((interface, _ETH_P_ALL))
            return
        anywhere = struct.pack("=H2siHBB8s", socket.AF_PACKET, _ETH_P_ALL.to_bytes(2, "big"), 0, 0, 0, 0, b"")
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.bind(self._socket.fileno(), anywhere, len(anywhere)):
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))

    def __enter__(self) -> Self:
        """Give the ring."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.memory.release()
        with suppress(BufferError):  # an iterator still holds a view: the process ends soon
            self._map.close()
        self._socket.close()

    def attach(self, code: bytes) -> None:
        """Have the kernel run another filter from now on."""
        held = array("B", code)
        address, _ = held.buffer_info()
        program = struct.pack("@HP", len(code) // 8, address)
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)

    def fileno(self) -> int:
        """The descriptor to poll."""
        return self._socket.fileno()

    def ready(self) -> Iterator[Block]:
        """Yield the blocks that are ours; each is given back when the next one is asked for."""
        for _ in range(self._blocks):
            begin = self._at * BLOCK_BYTES
            status, packets, first = _BLOCK_HEADER.unpack_from(self.memory, begin + 8)
            if not status & _USER:
                return
            yield Block(packets, begin + first)
            _STATUS.pack_into(self.memory, begin + 8, 0)
            self._at = (self._at + 1) % self._blocks

    def wait(self, milliseconds: int, *others: int) -> bool:
        """Wait for packets; say whether one of the other descriptors has something to read."""
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        for other in others:
            poll.register(other, select.POLLIN)
        return any(found in others for found, _ in poll.poll(milliseconds))

    def statistics(self) -> tuple[int, int]:
        """Return how many packets found room since the last call, and how many did not."""
        raw = self._socket.getsockopt(SOL_PACKET, _PACKET_STATISTICS, _STATISTICS.size)
        seen, lost, _ = _STATISTICS.unpack(raw)
        # The kernel counts what was lost within what was seen.
        return seen - lost, lost
