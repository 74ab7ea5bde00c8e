import struct
from collections.abc import Callable
from typing import TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.bpf import OUTGOING
from agent.capture.frames import count
from agent.capture.sieve import interesting, nothing
from agent.detection.tally import Tally
from agent.extensions import EXTENSIONS
from tests.agent.detection.test_tls import KEY_SHARE, extension, hello, message, named, records

Kernel: TypeAlias = Callable[..., int]  # the fixture of conftest.py


def ipv4(protocol: int, payload: bytes, *, options: int = 0, fragment: int = 0) -> bytes:
    head = bytes([0x45 + options, 0, 0, 0, 0, 0, fragment >> 8, fragment & 255, 64, protocol, 0, 0])
    return head + bytes([10, 0, 0, 1, 10, 0, 0, 2]) + bytes(4 * options) + payload


def tcp(flags: int) -> bytes:
    return bytes([0, 80, 1, 187]) + bytes(9) + bytes([flags]) + bytes(6)


def udp(port: int) -> bytes:
    return struct.pack("!4H", 40000, port, 8, 0)


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
        (ipv4(17, struct.pack("!4H", 53, 40000, 8, 0)), True),
        (ipv4(6, tcp(0x01)), True),
        (ipv4(6, tcp(0x00)), True),
        (ipv4(6, tcp(0x29)), True),
        (ipv4(6, tcp(0x11)), False),
        (ipv4(1, bytes([3, 3]) + bytes(6)), True),
        (ipv4(1, bytes([8, 0]) + bytes(6)), False),
        (b"", False),
    ],
)
def test_ipv4_that_says_who_knocks_passes_and_its_data_does_not(
    packet: bytes,
    passes: bool,  # noqa: FBT001 - a case
    kernel: Kernel,
) -> None:
    assert bool(kernel(interesting(), packet)) == passes


def test_ipv6_passes_by_the_same_rules(kernel: Kernel) -> None:
    head = bytes([0x60]) + bytes(5)

    assert kernel(interesting(), head + bytes([6]) + bytes(33) + tcp(2), protocol=0x86DD)
    assert kernel(interesting(), head + bytes([17]) + bytes(33) + udp(53), protocol=0x86DD)
    assert not kernel(interesting(), head + bytes([6]) + bytes(33) + tcp(0x10), protocol=0x86DD)
    for kind, passes in ((1, True), (136, True), (135, True), (134, True), (128, False), (137, False)):
        message = head + bytes([58]) + bytes(33) + bytes([kind]) + bytes(31)
        assert bool(kernel(interesting(), message, protocol=0x86DD)) == passes


def test_of_other_datagrams_one_of_sixty_four_passes(kernel: Kernel) -> None:
    passed = [bool(kernel(interesting(), ipv4(17, udp(443)), random=number)) for number in range(640)]

    assert sum(passed) == 10


def ipv6(kind: int, data: bytes, limit: int = 64) -> bytes:
    return bytes([0x60, 0, 0, 0, 0, 0, kind, limit]) + bytes(15) + b"\1" + bytes(15) + b"\2" + data


def behind(kinds: list[int], last: int, data: bytes, *, length: int = 0) -> bytes:
    """An IPv6 packet with headers before what it carries, `length` times 8 bytes longer than they must be."""
    made = data
    following = last
    for kind in reversed(kinds):
        size = 0 if kind == 44 else length
        made = bytes([following, 0xFF if kind == 44 else size, 0, 0]) + bytes(4 + 8 * size) + made
        following = kind
    return ipv6(following, made)


def data_to(port: int, payload: bytes, *, flags: int = 0x18, options: int = 0) -> bytes:
    """A TCP packet with data, of which so many words are options."""
    head = struct.pack("!HH8xBBHHH", 40000, port, (5 + options) << 4, flags, 0, 0, 0)
    return head + bytes(4 * options) + payload


@pytest.mark.parametrize("options", [0, 3, 10])
def test_a_greeting_of_tls_that_leaves_this_host_passes_and_is_counted_by_its_name(
    options: int, kernel: Kernel
) -> None:
    for packet, protocol in (
        (ipv4(6, data_to(443, hello(), options=options)), 0x0800),
        (ipv4(6, data_to(443, hello(), options=options), options=2), 0x0800),
        (ipv6(6, data_to(443, hello(), options=options)), 0x86DD),
        (behind([0, 60, 44], 6, data_to(443, hello(), options=options), length=2), 0x86DD),
    ):
        tally = Tally()
        count(tally, protocol, packet)

        assert kernel(interesting(), packet, protocol=protocol, direction=OUTGOING) >= len(packet)
        assert [name for _, _, name in tally.hellos] == ["mail.qq.com"]
        assert tally.asked == {}


@pytest.mark.parametrize(
    "data",
    [
        data_to(8443, hello()),
        data_to(80, b"GET / HTTP/1.1\r\n\r\n"),
        data_to(443, b""),
        data_to(443, b"\x17\3\3\0\x20" + bytes(32)),
        data_to(443, b"\x16\3\3\0\x20\2" + bytes(31)),  # a handshake message that is no greeting
        data_to(443, hello()[:5]),
        data_to(443, hello())[:12],
        struct.pack("!HH8xBB", 443, 40000, 0x50, 0x18) + bytes(6) + hello(),  # from a server
    ],
)
def test_no_other_data_passes_nor_is_counted(data: bytes, kernel: Kernel) -> None:
    for packet, protocol in ((ipv4(6, data), 0x0800), (ipv6(6, data), 0x86DD)):
        tally = Tally()
        count(tally, protocol, packet)

        assert not kernel(interesting(), packet, protocol=protocol, direction=OUTGOING)
        assert (tally.hellos, tally.unread) == ({}, {})


def test_a_visitors_greeting_and_one_that_nobody_wants_to_know_do_not_pass(kernel: Kernel) -> None:
    packet = ipv4(6, data_to(443, hello()))

    assert not kernel(interesting(), packet)
    assert not kernel(interesting(hellos=False), packet, direction=OUTGOING)
    assert kernel(interesting(hellos=False), ipv4(6, tcp(2)), direction=OUTGOING)


def test_a_greeting_with_the_keys_of_the_next_age_passes_whole_and_a_longer_one_cut(kernel: Kernel) -> None:
    """What the card is to cut into segments stands before the filter in one."""
    share = extension(KEY_SHARE, bytes(1260))
    long = records(message(share, extension(21, bytes(600)), named(b"mail.qq.com")))
    endless = records(message(*[extension(21, bytes(2000))] * 5, named(b"mail.qq.com")))

    for payload, names, unread in ((long, ["mail.qq.com"], 0), (endless, [], 1)):
        packet = ipv4(6, data_to(443, payload))
        kept = kernel(interesting(), packet, direction=OUTGOING)
        tally = Tally()
        count(tally, 0x0800, packet[:kept])
        assert [name for _, _, name in tally.hellos] == names
        assert sum(tally.unread.values()) == unread
        assert kept <= 40 + 4096


def test_arp_passes_the_loopback_and_other_protocols_do_not(kernel: Kernel) -> None:
    assert kernel(interesting(), bytes(28), protocol=0x0806)
    assert not kernel(interesting(), bytes(28), protocol=0x88CC)
    assert not kernel(interesting(), ipv4(6, tcp(2)), hardware=772)


def test_the_filter_of_a_rest_lets_nothing_pass(kernel: Kernel) -> None:
    assert kernel(nothing(), ipv4(6, tcp(2))) == 0


HEADERS = st.lists(st.sampled_from([0, 43, 44, 60]), min_size=1, max_size=EXTENSIONS)


@given(kinds=HEADERS, length=st.integers(0, 3))
def test_who_puts_headers_before_its_ports_is_seen_and_its_data_is_not(
    kinds: list[int], length: int, kernel: Kernel
) -> None:
    knock, data = (behind(kinds, 6, tcp(flags), length=length) for flags in (0x02, 0x10))
    asks = behind(kinds, 17, udp(53), length=length)
    tally = Tally()
    count(tally, 0x86DD, knock)
    count(tally, 0x86DD, data)

    assert kernel(interesting(), knock, protocol=0x86DD) >= len(knock)
    assert kernel(interesting(), asks, protocol=0x86DD) >= len(asks)
    assert not kernel(interesting(), data, protocol=0x86DD)
    assert len(tally.asked) == 1


def test_one_header_too_many_a_later_fragment_and_one_of_another_kind_are_dropped(kernel: Kernel) -> None:
    too_many = behind([60] * (EXTENSIONS + 1), 6, tcp(2))
    later = ipv6(44, bytes([6, 0, 0, 8, 0, 0, 0, 0]) + tcp(2))
    unknown = behind([135], 6, tcp(2))
    cut = behind([60], 6, tcp(2))[:42]

    for packet in (too_many, later, unknown, cut):
        tally = Tally()
        count(tally, 0x86DD, packet)
        assert not kernel(interesting(), packet, protocol=0x86DD)
        assert not tally.asked


@given(
    protocol=st.sampled_from([0x0800, 0x86DD, 0x0806, 0x88CC]),
    packet=st.binary(max_size=110),
    begin=st.sampled_from([b"", b"\x45", b"\x46", b"\x60"]),
    kind=st.sampled_from([0, 1, 6, 17, 43, 44, 58, 60, None]),
    greets=st.booleans(),
)
def test_whatever_would_be_counted_passes(
    protocol: int,
    packet: bytes,
    begin: bytes,
    kind: int | None,
    *,
    greets: bool,
    kernel: Kernel,
) -> None:
    """Filter and decoder are written apart; what the filter dropped no detection would miss."""
    data = bytearray(begin + packet)
    if kind and len(data) > 9:
        data[9 if protocol == 0x0800 else 6] = kind
    if greets and len(data) >= 40:
        at = (data[0] & 15) * 4 if protocol == 0x0800 else 40
        data[at:] = data_to(443, hello())[: len(data)]
    tally = Tally()
    count(tally, protocol, bytes(data))
    counted = [getattr(tally, name) for name in Tally.__slots__ if name != "packets"]

    assert not any(counted) or kernel(interesting(), bytes(data), protocol=protocol, direction=OUTGOING)
