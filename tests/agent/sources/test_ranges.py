import doctest
import socket
from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.sources import ranges
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
    assert doctest.testmod(ranges).failed == 0
