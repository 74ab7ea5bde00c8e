"""The headers that IPv6 may put before its ports: gone behind by the kernel's filters and by a decoder alike.

    40      next = hop-by-hop, routing, destination options: next := [0], on by 8 * ([1] + 1)
            next = fragment, the first:                      next := [0], on by 8; a later one has no ports
            anything else, or one header too many:           what the packet carries

Who puts a header there may not hide behind it, neither from what watches the packets nor from a recording
that an operator asks for. RFC 8200 has a use for five of them.

>>> behind(bytes([0x60, 0, 0, 0, 0, 0, 60]) + bytes(33) + bytes([6]) + bytes(7))
(6, 48)
"""

from collections.abc import Iterable

from .bpf import Assembler

EXTENSIONS = 6
"""So many headers before the ports are walked."""
HOP_BY_HOP, ROUTING, FRAGMENT, OPTIONS = 0, 43, 44, 60
_WALKED = frozenset({HOP_BY_HOP, ROUTING, FRAGMENT, OPTIONS})
_FIXED_HEADER = 40
_NEXT = 6
_LATER_FRAGMENT = 0xFFF8  # of the third and fourth byte of a fragment's header


def walk(made: Assembler, common: Iterable[tuple[int, str]], last: str) -> Assembler:
    """Go behind the headers; X is then where they end, and A what is there.

    A later fragment goes to `drop`.

    Args:
        made: What is written on.
        common: What most packets carry, and the label it has: it pays for a comparison, not for a walk.
        last: The label of whatever else is found.
    """
    kinds = tuple(common)
    made.set_x(_FIXED_HEADER).load_byte(_NEXT)
    for number in range(EXTENSIONS):
        options, fragment, over = (f"{last}-{name}-{number}" for name in ("options", "fragment", "over"))
        for kind, label in kinds:
            made.jump_if(kind, label)
        made.jump_if(HOP_BY_HOP, options).jump_if(OPTIONS, options).jump_if(ROUTING, options)
        made.jump_if(FRAGMENT, fragment, last)
        made.label(fragment).load_half_behind(2).jump_if_any(_LATER_FRAGMENT, "drop")
        # The second byte of a fragment's header is reserved and may be anything; its length is fixed.
        made.load_byte_behind(0).remember().set_a(0).jump(over)
        made.label(options).load_byte_behind(0).remember().load_byte_behind(1)
        made.label(over).go_behind(8, 1).recall()
    return made


def behind(packet: bytes) -> tuple[int, int]:
    """Return what a packet of at least 40 bytes carries and where that begins, as the kernel finds it.

    Kind -1: the packet ends before, or is a later fragment.
    """
    kind, at = packet[_NEXT], _FIXED_HEADER
    for _ in range(EXTENSIONS):
        if kind not in _WALKED:
            break
        if at + 4 > len(packet):
            return -1, at
        if kind == FRAGMENT and int.from_bytes(packet[at + 2 : at + 4], "big") & _LATER_FRAGMENT:
            return -1, at
        kind, at = packet[at], at + (8 if kind == FRAGMENT else 8 * (packet[at + 1] + 1))
    return kind, at
