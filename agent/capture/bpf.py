"""A small assembler of classic BPF, and the filter that the kernel runs on every packet for us.

Offsets count from the network header (the socket is SOCK_DGRAM), so that Ethernet, PPP and tun look alike;
what stands before it is asked of the kernel by ancillary loads. What passes:

    ARP, neighbour advertisements       who claims which address
    TCP with SYN or RST                 who knocks, who opens, who refuses; never the data in between
    TCP without ACK                     no stack sends it: who knocks in a way that logs do not show
    UDP to and from port 53             names asked for and what was answered, their beginning
    ICMP "unreachable"                  who knocked by UDP where nobody listens
    other UDP, one of 64 by chance      enough to see a flood, little enough to bear one

The loopback's packets never pass. Each instruction is `struct sock_filter`: code, jump if true, jump if
false, operand. Jumps are forward and by name here.

>>> program = Assembler().load_byte(9).jump_if(17, "udp", "no").label("udp").accept(64).label("no").drop()
>>> len(program.code()) // INSTRUCTION.size, program.code()[:8].hex()
(4, '3000000009000000')
"""

import struct
from typing import Self

INSTRUCTION = struct.Struct("=HBBI")
MAX_INSTRUCTIONS = 4096
SAMPLED = 64
"""Of UDP that is no question for a name and no answer, one of so many packets passes."""

_LOAD_WORD, _LOAD_HALF, _LOAD_BYTE = 0x20, 0x28, 0x30  # A := packet[k]
_LOAD_HALF_X, _LOAD_BYTE_X = 0x48, 0x50  # A := packet[X + k]
_LOAD_HEADER_LENGTH = 0xB1  # X := 4 * (packet[k] & 0xF)
_SET_X = 0x01  # X := k
_AND = 0x54
_JUMP_EQUAL, _JUMP_ANY_BIT = 0x15, 0x45
_RETURN = 0x06
# Loads from here on are answered by the kernel about the packet (linux/filter.h, SKF_AD_*).
_ABOUT = 0xFFFFF000
_PROTOCOL, _HARDWARE, _RANDOM = _ABOUT + 0, _ABOUT + 28, _ABOUT + 56

_ARPHRD_LOOPBACK = 772
ETH_ARP, ETH_IPV4, ETH_IPV6 = 0x0806, 0x0800, 0x86DD
ICMP, TCP, UDP, ICMPV6 = 1, 6, 17, 58
UNREACHABLE, UNREACHABLE_V6, ADVERTISEMENT = 3, 1, 136
_SYN_OR_RST, _ACK = 0x06, 0x10
_DNS = 53
_SNAP_HEADERS = 128  # an ICMPv6 error with the headers it quotes has 96 bytes
_SNAP_NAME = 360
_SNAP_ANSWER = 560  # what an answer may have without extensions, and headers


class BpfError(ValueError):
    """A program that is none: a jump backwards, too far, or to nowhere."""


class Assembler:
    """Collects instructions; every method returns the assembler."""

    def __init__(self) -> None:
        self._steps: list[tuple[int, int, str, str]] = []
        self._labels: dict[str, int] = {}

    def _add(self, code: int, operand: int, yes: str = "", no: str = "") -> Self:
        self._steps.append((code, operand, yes, no))
        return self

    def load_protocol(self) -> Self:
        """A := the Ethernet protocol."""
        return self._add(_LOAD_WORD, _PROTOCOL)

    def load_hardware(self) -> Self:
        """A := the link's type (ARPHRD_*)."""
        return self._add(_LOAD_WORD, _HARDWARE)

    def load_random(self) -> Self:
        """A := a random number."""
        return self._add(_LOAD_WORD, _RANDOM)

    def load_byte(self, offset: int) -> Self:
        """A := the byte there; a packet that ends before it is dropped by the kernel."""
        return self._add(_LOAD_BYTE, offset)

    def load_half(self, offset: int) -> Self:
        """A := the 16 bits there."""
        return self._add(_LOAD_HALF, offset)

    def load_byte_behind(self, offset: int) -> Self:
        """A := the byte at X + offset."""
        return self._add(_LOAD_BYTE_X, offset)

    def load_half_behind(self, offset: int) -> Self:
        """A := the 16 bits at X + offset."""
        return self._add(_LOAD_HALF_X, offset)

    def header_ends(self, offset: int) -> Self:
        """X := length of the IPv4 header whose first byte is there."""
        return self._add(_LOAD_HEADER_LENGTH, offset)

    def set_x(self, value: int) -> Self:
        """X := value."""
        return self._add(_SET_X, value)

    def keep_bits(self, mask: int) -> Self:
        """A := A & mask."""
        return self._add(_AND, mask)

    def jump_if(self, value: int, yes: str, no: str = "") -> Self:
        """Go to `yes` if A is the value, else to `no`; empty: the next instruction."""
        return self._add(_JUMP_EQUAL, value, yes, no)

    def jump_if_any(self, mask: int, yes: str, no: str = "") -> Self:
        """Go to `yes` if any bit of the mask is set in A."""
        return self._add(_JUMP_ANY_BIT, mask, yes, no)

    def label(self, name: str) -> Self:
        """Name the next instruction."""
        self._labels[name] = len(self._steps)
        return self

    def accept(self, length: int) -> Self:
        """Let the packet pass with at most so many bytes."""
        return self._add(_RETURN, length)

    def drop(self) -> Self:
        """Let it not pass."""
        return self._add(_RETURN, 0)

    def code(self) -> bytes:
        """Return the program as the kernel takes it.

        Raises:
            BpfError: a jump goes nowhere, backwards or too far, or there are too many instructions.
        """
        if not 0 < len(self._steps) <= MAX_INSTRUCTIONS:
            raise BpfError(f"{len(self._steps)} instructions, expected 1 to {MAX_INSTRUCTIONS}")
        return b"".join(
            INSTRUCTION.pack(code, self._distance(at, yes), self._distance(at, no), operand)
            for at, (code, operand, yes, no) in enumerate(self._steps)
        )

    def _distance(self, at: int, label: str) -> int:
        if not label:
            return 0
        distance = self._labels.get(label, -1) - at - 1
        if not 0 <= distance < 256:
            raise BpfError(f"instruction {at}: no way to {label!r} forward within 256 instructions")
        return distance


def interesting() -> bytes:
    """Return the filter of the story above."""
    return (
        Assembler()
        .load_hardware()
        .jump_if(_ARPHRD_LOOPBACK, "drop")
        .load_protocol()
        .jump_if(ETH_IPV4, "ipv4")
        .jump_if(ETH_IPV6, "ipv6")
        .jump_if(ETH_ARP, "headers", "drop")
        .label("ipv4")
        .load_half(6)  # flags and fragment offset: only first fragments have ports
        .jump_if_any(0x1FFF, "drop")
        .header_ends(0)
        .load_byte(9)  # protocol
        .jump_if(TCP, "tcp")
        .jump_if(UDP, "udp")
        .jump_if(ICMP, "icmp", "drop")
        .label("ipv6")
        .set_x(40)  # behind the fixed header; one with extension headers is not looked into
        .load_byte(6)  # next header
        .jump_if(TCP, "tcp")
        .jump_if(UDP, "udp")
        .jump_if(ICMPV6, "", "drop")
        .load_byte_behind(0)  # type
        .jump_if(ADVERTISEMENT, "headers")
        .jump_if(UNREACHABLE_V6, "headers", "drop")
        .label("icmp")
        .load_byte_behind(0)
        .jump_if(UNREACHABLE, "headers", "drop")
        .label("tcp")
        .load_byte_behind(13)  # flags
        .jump_if_any(_SYN_OR_RST, "headers")
        .jump_if_any(_ACK, "drop", "headers")
        .label("udp")
        .load_half_behind(2)  # destination port
        .jump_if(_DNS, "name")
        .load_half_behind(0)  # source port
        .jump_if(_DNS, "answer")
        .load_random()
        .keep_bits(SAMPLED - 1)
        .jump_if(0, "headers", "drop")
        .label("name")
        .accept(_SNAP_NAME)
        .label("answer")
        .accept(_SNAP_ANSWER)
        .label("headers")
        .accept(_SNAP_HEADERS)
        .label("drop")
        .drop()
        .code()
    )


def nothing() -> bytes:
    """Return the filter of a rest: the kernel drops everything at once."""
    return Assembler().drop().code()
