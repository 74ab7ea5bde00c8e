import doctest
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.capture import bpf
from agent.capture.bpf import Assembler, BpfError, interesting, nothing
from agent.capture.frames import count
from agent.detection.tally import Tally


def run(code: bytes, packet: bytes, *, protocol: int = 0x0800, hardware: int = 1, random: int = 0) -> int:
    """What the kernel does with a program, as linux/filter.h and its documentation tell it."""
    steps = [bpf.INSTRUCTION.unpack_from(code, at) for at in range(0, len(code), 8)]
    about = {0xFFFFF000: protocol, 0xFFFFF01C: hardware, 0xFFFFF038: random}
    at = a = x = 0
    while True:
        op, yes, no, k = steps[at]
        at += 1
        if op == 0x06:
            return int(k)
        if op == 0x20:
            a = about[k]
        elif op in {0x28, 0x30, 0x48, 0x50}:
            where, size = k + (x if op & 0x40 else 0), 2 if op & 0x08 else 1
            if where + size > len(packet):
                return 0
            a = int.from_bytes(packet[where : where + size], "big")
        elif op == 0xB1:
            if k >= len(packet):
                return 0
            x = 4 * (packet[k] & 15)
        elif op == 0x01:
            x = k
        elif op == 0x54:
            a &= k
        else:
            at += yes if (a == k if op == 0x15 else a & k) else no


def ipv4(protocol: int, payload: bytes, *, options: int = 0, fragment: int = 0) -> bytes:
    head = bytes([0x45 + options, 0, 0, 0, 0, 0, fragment >> 8, fragment & 255, 64, protocol, 0, 0])
    return head + bytes([10, 0, 0, 1, 10, 0, 0, 2]) + bytes(4 * options) + payload


def tcp(flags: int) -> bytes:
    return bytes([0, 80, 1, 187]) + bytes(9) + bytes([flags]) + bytes(6)


def udp(port: int) -> bytes:
    return struct.pack("!4H", 40000, port, 8, 0)


def test_the_example_is_true() -> None:
    assert doctest.testmod(bpf).attempted
    assert doctest.testmod(bpf).failed == 0


@pytest.mark.parametrize(
    ("packet", "passes"),
    [
        (ipv4(6, tcp(0x02)), True),
        (ipv4(6, tcp(0x12)), True),
        (ipv4(6, tcp(0x14)), True),
        (ipv4(6, tcp(0x02), options=10), True),
        (ipv4(6, tcp(0x10)), False),
        (ipv4(6, tcp(0x18)), False),
        (ipv4(6, tcp(0x02), fragment=0x2001), False),
        (ipv4(6, tcp(0x02))[:33], False),
        (ipv4(17, udp(53)), True),
        (ipv4(1, bytes(8)), False),
        (b"", False),
    ],
)
def test_ipv4_that_says_who_knocks_passes_and_its_data_does_not(packet: bytes, passes: bool) -> None:  # noqa: FBT001 - a case
    assert bool(run(interesting(), packet)) == passes


def test_ipv6_passes_by_the_same_rules() -> None:
    head = bytes([0x60]) + bytes(5)

    assert run(interesting(), head + bytes([6]) + bytes(33) + tcp(2), protocol=0x86DD)
    assert run(interesting(), head + bytes([17]) + bytes(33) + udp(53), protocol=0x86DD)
    assert not run(interesting(), head + bytes([6]) + bytes(33) + tcp(0x10), protocol=0x86DD)


def test_of_other_datagrams_one_of_sixty_four_passes() -> None:
    passed = [bool(run(interesting(), ipv4(17, udp(443)), random=number)) for number in range(640)]

    assert sum(passed) == 10


def test_arp_passes_the_loopback_and_other_protocols_do_not() -> None:
    assert run(interesting(), bytes(28), protocol=0x0806)
    assert not run(interesting(), bytes(28), protocol=0x88CC)
    assert not run(interesting(), ipv4(6, tcp(2)), hardware=772)


def test_the_filter_of_a_rest_lets_nothing_pass() -> None:
    assert run(nothing(), ipv4(6, tcp(2))) == 0


def test_a_jump_to_nowhere_or_backwards_is_refused() -> None:
    with pytest.raises(BpfError, match="no way to 'gone'"):
        Assembler().jump_if(1, "gone").drop().code()
    with pytest.raises(BpfError, match="no way to 'begin'"):
        Assembler().label("begin").load_byte(0).jump_if(1, "begin").drop().code()
    with pytest.raises(BpfError, match="0 instructions"):
        Assembler().code()


@given(
    st.sampled_from([0x0800, 0x86DD, 0x0806, 0x88CC]),
    st.binary(max_size=60),
    st.sampled_from([b"", b"\x45", b"\x46", b"\x60"]),
    st.sampled_from([6, 17, None]),
)
def test_whatever_would_be_counted_passes(
    protocol: int, packet: bytes, begin: bytes, kind: int | None
) -> None:
    """Filter and decoder are written apart; what the filter dropped no detection would miss."""
    data = bytearray(begin + packet)
    if kind and len(data) > 9:
        data[9 if protocol == 0x0800 else 6] = kind
    tally = Tally()
    count(tally, protocol, bytes(data))
    counted = [getattr(tally, name) for name in Tally.__slots__ if name != "packets"]

    assert not any(counted) or run(interesting(), bytes(data), protocol=protocol)
