"""Classic BPF, the language of socket filters: an assembler, and what the kernel makes of a program.

Two rooms have filters, the capture of what passes (`capture/sieve.py`) and the recording of what an operator
asks for (`powers/sift.py`). A machine of one accumulator (A), one index (X) and a few words of memory reads a
packet from its network header on (the sockets are SOCK_DGRAM, so that Ethernet, PPP and tun look alike); what
stands before it is asked of the kernel by ancillary loads. Each instruction is `struct sock_filter`: code,
jump if true, jump if false, operand. Jumps are forward and by name here, so that every program ends.

>>> made = Assembler().load_byte(9).jump_if(17, "udp", "no").label("udp").accept(64).label("no").drop()
>>> program = made.code()
>>> len(program) // INSTRUCTION.size, program[:8].hex()
(4, '3000000009000000')
>>> passed(program, bytes(9) + bytes([17])), passed(program, bytes(20)), passed(program, b"")
(64, 0, 0)

Source: Linux, Documentation/networking/filter.rst and include/uapi/linux/filter.h.
"""

import struct
from typing import Self

INSTRUCTION = struct.Struct("=HBBI")
MAX_INSTRUCTIONS = 4096
ETH_ARP, ETH_IPV4, ETH_IPV6 = 0x0806, 0x0800, 0x86DD
ICMP, TCP, UDP, ICMPV6 = 1, 6, 17, 58
TO_US, OUTGOING = 0, 4  # the kernel's packet types (linux/if_packet.h)

_LOAD_WORD, _LOAD_HALF, _LOAD_BYTE = 0x20, 0x28, 0x30  # A := packet[k]
_LOAD_HALF_X, _LOAD_BYTE_X = 0x48, 0x50  # A := packet[X + k]
_LOAD_VALUE = 0x00  # A := k
_LOAD_HEADER_LENGTH = 0xB1  # X := 4 * (packet[k] & 0xF)
_SET_X, _TO_X, _FROM_X = 0x01, 0x07, 0x87  # X := k, X := A, A := X
_REMEMBER, _RECALL = 0x02, 0x60  # M[k] := A, A := M[k]
_AND, _ADD, _ADD_X, _SHIFT, _SHIFT_DOWN = 0x54, 0x04, 0x0C, 0x64, 0x74
_JUMP, _JUMP_EQUAL, _JUMP_ANY_BIT = 0x05, 0x15, 0x45
_RETURN, _RETURN_A = 0x06, 0x16
# Loads from here on are answered by the kernel about the packet (linux/filter.h, SKF_AD_*).
_ABOUT = 0xFFFFF000
_PROTOCOL, _DIRECTION, _HARDWARE, _RANDOM = _ABOUT + 0, _ABOUT + 4, _ABOUT + 28, _ABOUT + 56
_SIZES = {_LOAD_WORD: 4, _LOAD_HALF: 2, _LOAD_BYTE: 1, _LOAD_HALF_X: 2, _LOAD_BYTE_X: 1}
_INDEXED = frozenset({_LOAD_HALF_X, _LOAD_BYTE_X})
_JUMPS = frozenset({_JUMP, _JUMP_EQUAL, _JUMP_ANY_BIT})
_RETURNS = frozenset({_RETURN, _RETURN_A})
_WORD = 0xFFFFFFFF


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

    def load_direction(self) -> Self:
        """A := where the packet goes, as `OUTGOING`."""
        return self._add(_LOAD_WORD, _DIRECTION)

    def load_random(self) -> Self:
        """A := a random number."""
        return self._add(_LOAD_WORD, _RANDOM)

    def load_byte(self, offset: int) -> Self:
        """A := the byte there; a packet that ends before it is dropped by the kernel."""
        return self._add(_LOAD_BYTE, offset)

    def load_half(self, offset: int) -> Self:
        """A := the 16 bits there."""
        return self._add(_LOAD_HALF, offset)

    def load_word(self, offset: int) -> Self:
        """A := the 32 bits there."""
        return self._add(_LOAD_WORD, offset)

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

    def go_behind(self, steps: int, extra: int) -> Self:
        """X := X + steps * (A + extra); steps are a power of two."""
        self._add(_ADD, extra)
        self._add(_SHIFT, steps.bit_length() - 1)
        self._add(_ADD_X, 0)
        return self._add(_TO_X, 0)

    def set_a(self, value: int) -> Self:
        """A := value."""
        return self._add(_LOAD_VALUE, value)

    def remember(self) -> Self:
        """M[0] := A."""
        return self._add(_REMEMBER, 0)

    def recall(self) -> Self:
        """A := M[0]."""
        return self._add(_RECALL, 0)

    def keep_bits(self, mask: int) -> Self:
        """A := A & mask."""
        return self._add(_AND, mask)

    def shift_down(self, bits: int) -> Self:
        """A := A shifted right."""
        return self._add(_SHIFT_DOWN, bits)

    def jump(self, label: str) -> Self:
        """Go there."""
        return self._add(_JUMP, 0, label)

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

    def accept_behind(self, length: int) -> Self:
        """Let the packet pass with at most so many bytes behind X."""
        self._add(_FROM_X, 0)
        self._add(_ADD, length)
        return self._add(_RETURN_A, 0)

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
            INSTRUCTION.pack(code, 0, 0, self._distance(at, yes, MAX_INSTRUCTIONS))
            if code == _JUMP
            else INSTRUCTION.pack(code, self._distance(at, yes, 256), self._distance(at, no, 256), operand)
            for at, (code, operand, yes, no) in enumerate(self._steps)
        )

    def _distance(self, at: int, label: str, most: int) -> int:
        if not label:
            return 0
        distance = self._labels.get(label, -1) - at - 1
        if not 0 <= distance < most:
            raise BpfError(f"instruction {at}: no way to {label!r} forward within {most} instructions")
        return distance


def passed(
    program: bytes,
    packet: bytes,
    *,
    protocol: int = ETH_IPV4,
    hardware: int = 1,
    random: int = 0,
    direction: int = TO_US,
) -> int:
    """Run a program of `Assembler` as the kernel does; return how many bytes pass. For tests and readers.

    Args:
        program: The instructions.
        packet: From its network header on.
        protocol: Its Ethernet protocol.
        hardware: The type of its link.
        random: What the kernel's chance gives.
        direction: Where it goes.
    """
    about = {_PROTOCOL: protocol, _HARDWARE: hardware, _RANDOM: random, _DIRECTION: direction}
    at = accumulator = index = memory = 0
    while True:
        code, yes, no, operand = INSTRUCTION.unpack_from(program, at * INSTRUCTION.size)
        at += 1
        if code in _RETURNS:
            return int(operand) if code == _RETURN else accumulator
        if code in _SIZES or code == _LOAD_HEADER_LENGTH:
            size, behind = _SIZES.get(code, 1), index if code in _INDEXED else 0
            loaded = about[operand] if operand in about else _loaded(packet, operand + behind, size)
            if loaded is None:
                return 0
            if code == _LOAD_HEADER_LENGTH:
                index = 4 * (loaded & 0xF)
            else:
                accumulator = loaded
        elif code in _JUMPS:
            at += {
                _JUMP: operand,
                _JUMP_EQUAL: yes if accumulator == operand else no,
                _JUMP_ANY_BIT: yes if accumulator & operand else no,
            }[code]
        else:
            accumulator, index, memory = _moved(code, operand, accumulator, index, memory)


def _loaded(packet: bytes, start: int, size: int) -> int | None:
    """Return the number there, None where the packet ends before."""
    return int.from_bytes(packet[start : start + size]) if start + size <= len(packet) else None


def _moved(code: int, operand: int, a: int, x: int, memory: int) -> tuple[int, int, int]:
    """Return the three after an instruction that looks at nothing else."""
    if code in {_SET_X, _TO_X}:
        return a, operand if code == _SET_X else a, memory
    if code == _REMEMBER:
        return a, x, a
    made = {
        _LOAD_VALUE: operand,
        _FROM_X: x,
        _RECALL: memory,
        _AND: a & operand,
        _ADD: a + operand,
        _ADD_X: a + x,
        _SHIFT: a << min(operand, 31),
        _SHIFT_DOWN: a >> min(operand, 31),
    }
    return made[code] & _WORD, x, memory
