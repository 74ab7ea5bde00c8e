"""Counts what a ring holds; the one place of the agent where every microsecond counts.

Nearly every packet that passes the filter is IPv4 without options, and one unpacking of fixed offsets tells
all that is asked of it. What is anything else goes the careful way of `frames`.

    +0 next  +12 kept  +26 data at  +50 protocol  +58 direction  +96 version and length  +105 protocol
    +108 source  +112 target  +116 ports  +129 TCP flags    (the data of a SOCK_DGRAM ring begins at 96)
"""

import struct

from ..detection.tally import Tally
from .frames import count
from .ring import Block, Ring
from .sieve import SAMPLED

_DATA = 96
_FIELDS = struct.Struct("<I8xI10xH22x2s44xB8xB2x4s4s2s2s9xB")
_HEADER = struct.Struct("=I8xI10xH22x2s")
_IPV4 = b"\x08\x00"
_PLAIN = 0x45
_TCP, _UDP = 6, 17
_OPENS, _ACK = 22, 16  # of SYN, RST and ACK the last alone is data: a greeting of TLS
_DNS = b"\0\x35"
_NAME = _DATA + 28


def drain(ring: Ring, tally: Tally) -> None:
    """Count every packet of the blocks that are ready."""
    for block in ring.ready():
        _count(ring.memory, block, tally)


def _count(memory: memoryview, block: Block, tally: Tally) -> None:
    unpack = _FIELDS.unpack_from
    asked, opened, refused = tally.asked, tally.opened, tally.refused
    at = block.first
    for _ in range(block.packets):
        try:
            following, kept, data, protocol, version, kind, source, target, near, far, flags = unpack(
                memory, at
            )
        except struct.error:  # a short packet at the very end of the ring
            following = _carefully(memory, at, tally)
            at += following
            continue
        if protocol == _IPV4 and version == _PLAIN and data == _DATA and kept >= 28:
            if kind == _TCP and flags & _OPENS != _ACK:
                if flags & 4:
                    contact = (target, source, near)
                    refused[contact] = refused.get(contact, 0) + 1
                elif flags & 18 == 18:
                    contact = (target, source, near)
                    opened[contact] = opened.get(contact, 0) + 1
                else:
                    contact = (source, target, far)
                    asked[contact] = asked.get(contact, 0) + 1
                tally.packets += 1
                at += following
                continue
            if kind == _UDP:
                if far == _DNS:
                    tally.dns(source, bytes(memory[at + _NAME : at + _DATA + kept]))
                elif near == _DNS:
                    message = bytes(memory[at + _NAME : at + _DATA + kept])
                    tally.dns_answer((source, target), far, message)
                else:
                    tally.udp((source, target, far), SAMPLED)
                tally.packets += 1
                at += following
                continue
        _carefully(memory, at, tally)
        at += following


def _carefully(memory: memoryview, at: int, tally: Tally) -> int:
    """Count a packet that is none of the common kind; return where the next one is, from it."""
    following, kept, data, protocol = _HEADER.unpack_from(memory, at)
    packet = bytes(memory[at + data : at + data + kept])
    count(tally, int.from_bytes(protocol, "big"), packet, SAMPLED)
    return int(following)
