"""The filter judges packets as their headers say; what it can't read it lets go."""

import doctest
import struct
from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.bpf import ETH_IPV4, ETH_IPV6, passed
from agent.powers import sift
from agent.powers.sift import program

KEEP = 96
ADDRESSES = st.ip_addresses(v=4) | st.ip_addresses(v=6)


def packet(
    source: str, target: str, protocol: int = 6, ports: tuple[int, int] = (1, 2), fragment: int = 0
) -> bytes:
    ends = ip_address(source).packed + ip_address(target).packed
    tail = struct.pack("!HH", *ports) + bytes(20)
    if ip_address(source).version == 4:
        return struct.pack("!BBHHHBBH", 0x45, 0, 60, 0, fragment, 64, protocol, 0) + ends + tail
    return struct.pack("!IHBB", 6 << 28, 24, protocol, 64) + ends + tail


def kept(rules: bytes, data: bytes) -> bool:
    return passed(rules, data, protocol=ETH_IPV4 if data[0] >> 4 == 4 else ETH_IPV6) == KEEP


def test_the_example_is_true() -> None:
    assert doctest.testmod(sift).attempted
    assert doctest.testmod(sift).failed == 0


@given(network=ADDRESSES, length=st.integers(0, 128), source=ADDRESSES, target=ADDRESSES)
def test_either_end_inside_the_network_is_kept_and_nothing_else(
    network: object, length: int, source: object, target: object
) -> None:
    one = ip_address(str(network))
    wide = ip_network(f"{one}/{min(length, one.max_prefixlen)}", strict=False)
    near, far = ip_address(str(source)), ip_address(str(target))
    if near.version != far.version:
        far = near

    found = kept(program(wide, None, KEEP), packet(str(near), str(far)))

    assert found == any(end.version == wide.version and end in wide for end in (near, far))


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (packet("192.0.2.1", "10.0.0.1", 6, (40000, 53)), True),
        (packet("192.0.2.1", "10.0.0.1", 17, (53, 40000)), True),
        (packet("192.0.2.1", "10.0.0.1", 1, (53, 53)), False),
        (packet("192.0.2.1", "10.0.0.1", 6, (80, 81)), False),
        (packet("192.0.2.1", "10.0.0.1", 17, (53, 53), fragment=1), False),
        (packet("2001:db8::1", "2001:db8::2", 17, (1, 53)), True),
        (packet("2001:db8::1", "2001:db8::2", 58, (1, 53)), False),
        (packet("192.0.2.1", "10.0.0.1")[:20], False),
    ],
)
def test_a_port_is_that_of_tcp_or_udp_in_a_first_fragment(data: bytes, *, expected: bool) -> None:
    assert kept(program(None, 53, KEEP), data) == expected


def hidden(kinds: list[int], ports: tuple[int, int], protocol: int = 17, offset: int = 0) -> bytes:
    """An IPv6 packet whose ports stand behind headers of these kinds."""
    made = struct.pack("!HH", *ports) + bytes(20)
    following = protocol
    for kind in reversed(kinds):
        made = bytes([following, 0, 0, offset]) + bytes(4) + made
        following = kind
    ends = ip_address("2001:db8::1").packed + ip_address("2001:db8::2").packed
    return struct.pack("!IHBB", 6 << 28, len(made), following, 64) + ends + made


@given(
    kinds=st.lists(st.sampled_from([0, 43, 44, 60]), max_size=6),
    protocol=st.sampled_from([6, 17]),
    ports=st.sampled_from([(9, 53), (53, 9), (9, 54)]),
)
def test_a_port_behind_headers_of_ipv6_is_that_port(
    kinds: list[int], protocol: int, ports: tuple[int, int]
) -> None:
    data = hidden(kinds, ports, protocol)

    assert kept(program(None, 53, KEEP), data) == (53 in ports)
    assert kept(program(ip_network("2001:db8::/32"), 53, KEEP), data) == (53 in ports)
    assert not kept(program(ip_network("2001:db9::/32"), 53, KEEP), data)


@pytest.mark.parametrize(
    "data",
    [
        hidden([60] * 7, (9, 53)),
        hidden([44], (9, 53), offset=8),
        hidden([60], (9, 53), protocol=58),
        hidden([60], (9, 53))[:44],
    ],
)
def test_where_no_port_can_be_found_none_is_kept(data: bytes) -> None:
    assert not kept(program(None, 53, KEEP), data)


def test_address_and_port_have_to_fit_together() -> None:
    rules = program(ip_network("192.0.2.0/24"), 53, KEEP)

    assert kept(rules, packet("192.0.2.1", "10.0.0.1", 17, (9, 53)))
    assert kept(rules, packet("10.0.0.1", "192.0.2.1", 17, (9, 53)))
    assert not kept(rules, packet("10.0.0.1", "10.0.0.2", 17, (9, 53)))
    assert not kept(rules, packet("192.0.2.1", "10.0.0.1", 17, (9, 54)))


def test_without_a_wish_every_packet_is_kept_of_any_protocol() -> None:
    assert passed(program(None, None, KEEP), b"\0" * 60, protocol=0x0806) == KEEP
    assert passed(program(ip_network("192.0.2.0/24"), None, KEEP), b"\0" * 60, protocol=0x0806) == 0
