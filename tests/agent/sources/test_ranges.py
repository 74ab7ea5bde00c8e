import doctest
import socket
from contextlib import ExitStack
from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.netlink import inet_diag
from agent.netlink.message import pack_attribute
from agent.sources import ranges as module
from agent.sources.ranges import INTERNAL, NEVER_OUTSIDE, Ranges


@given(st.ip_addresses())
def test_outside_is_what_lies_in_none_of_the_networks(address: object) -> None:
    raw = ip_address(str(address)).packed
    networks = [ip_network(text) for text in (*INTERNAL, *NEVER_OUTSIDE)]
    inside = any(ip_address(str(address)) in one for one in networks)
    ranges = Ranges()

    assert ranges.outside(raw) is not inside
    assert ranges.outside(raw) is not inside  # the remembered answer


@pytest.mark.parametrize("address", ["127.0.0.1", "169.254.169.254", "224.0.0.251", "255.255.255.255"])
def test_loopback_link_local_and_multicast_are_inside_whatever_the_settings_say(address: str) -> None:
    assert not Ranges(["192.0.2.0/24"]).outside(socket.inet_pton(socket.AF_INET, address))


def test_settings_may_call_a_public_looking_range_their_own() -> None:
    raw = socket.inet_pton(socket.AF_INET, "59.255.1.1")

    assert Ranges().outside(raw)
    assert not Ranges(["59.255.0.0/16"]).outside(raw)


def test_the_examples_of_the_file_are_true() -> None:
    assert doctest.testmod(module).failed == 0


def test_the_kernel_leaves_out_what_is_inside_and_nothing_else() -> None:
    addresses = ["127.0.0.1", "127.9.9.9", "127.9.200.1", "127.8.255.255"]
    ranges = Ranges(["127.0.0.0/16", "127.9.128.0/17", "fc00::/7", "127.8.255.255/32"], never_outside=())
    with ExitStack() as stack:
        server = stack.enter_context(socket.create_server(("0.0.0.0", 0)))  # noqa: S104 - each loopback address
        port = server.getsockname()[1]
        for address in addresses:
            stack.enter_context(socket.create_connection((address, port)))
        v6 = stack.enter_context(socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True))
        for address in addresses:
            stack.enter_context(socket.create_connection((address, v6.getsockname()[1])))
        ours = {port, v6.getsockname()[1]}
        kernels = [
            (one.remote_address, one.remote_port)
            for one in ranges.talks(inet_diag.states(inet_diag.ESTABLISHED))
            if one.remote_port in ours
        ]
        plain = [
            (one.remote_address, one.remote_port)
            for one in inet_diag.sockets(inet_diag.states(inet_diag.ESTABLISHED), ranges.outside)
            if one.remote_port in ours
        ]

    assert sorted(kernels) == sorted(plain) == sorted(("127.9.9.9", port) for port in ours)


def test_a_kernel_that_does_not_filter_is_read_whole() -> None:
    ranges = Ranges(["127.0.0.0/16"], never_outside=())
    ranges._bytecode = pack_attribute(1, b"\xff\xff\xff\xff")  # no program at all: the kernel refuses
    with (
        socket.create_server(("127.9.9.9", 0)) as server,
        socket.create_connection(server.getsockname()),
    ):
        found = {one.remote_port for one in ranges.talks(inet_diag.states(inet_diag.ESTABLISHED))}

        assert server.getsockname()[1] in found


def test_where_the_active_check_asks_is_known_by_address_and_port() -> None:
    ranges = Ranges(beacons=[("203.0.113.80", 8081)])

    assert ranges.asks("203.0.113.80", 8081)
    assert not ranges.asks("203.0.113.80", 443)
    assert not Ranges().asks("203.0.113.80", 8081)
