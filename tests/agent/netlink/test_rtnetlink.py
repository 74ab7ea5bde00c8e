"""The decoders, held against pyroute2's encoder and against the kernel through `ip`."""

import asyncio
import json
import subprocess
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyroute2.netlink import nlmsg
from pyroute2.netlink.rtnl.fibmsg import fibmsg
from pyroute2.netlink.rtnl.ifaddrmsg import ifaddrmsg
from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg
from pyroute2.netlink.rtnl.ndmsg import ndmsg
from pyroute2.netlink.rtnl.rtmsg import rtmsg

from agent.netlink import rtnetlink
from agent.netlink.message import NetlinkError, pack_attribute, split
from agent.netlink.rtnetlink import Address, Link, NextHop, Object, Route, Rule, with_hops

Decoder = Callable[[bytes], object]
DECODERS: tuple[Decoder, ...] = (
    rtnetlink.decode_link,
    rtnetlink.decode_address,
    rtnetlink.decode_route,
    rtnetlink.decode_rule,
    rtnetlink.decode_neighbour,
    rtnetlink.decode_object,
)


def payload(message: nlmsg, attrs: list[tuple[str, Any]], **fields: int) -> bytes:
    for name, value in fields.items():
        message[name] = value
    message["attrs"] = attrs
    message.encode()
    (only,) = split(bytes(message.data))
    return only.payload


def ip(*words: str) -> list[dict[str, Any]]:
    told = subprocess.run(["ip", "-j", *words], check=True, capture_output=True).stdout
    found: list[dict[str, Any]] = json.loads(told or b"[]")
    return found


def test_a_link_is_read_with_the_kind_it_was_made_as() -> None:
    data = payload(
        ifinfmsg(),
        [
            ("IFLA_IFNAME", "wg0"),
            ("IFLA_ADDRESS", "02:00:00:00:00:07"),
            ("IFLA_MTU", 1420),
            ("IFLA_OPERSTATE", "UP"),
            ("IFLA_MASTER", 3),
            ("IFLA_LINKINFO", {"attrs": [("IFLA_INFO_KIND", "wireguard")]}),
        ],
        index=7,
        ifi_type=65534,
        flags=1,
    )

    expected = Link(7, "wg0", 65534, True, "up", "02:00:00:00:00:07", 1420, "wireguard", 3)
    assert expected == rtnetlink.decode_link(data)


def test_a_point_to_point_address_tells_its_own_end_and_the_other() -> None:
    attrs = [("IFA_ADDRESS", "10.64.64.64"), ("IFA_LOCAL", "10.1.2.3")]
    data = payload(ifaddrmsg(), attrs, family=2, prefixlen=32, index=5)

    assert Address(5, 4, "10.1.2.3", 32, "10.64.64.64") == rtnetlink.decode_address(data)


def test_half_of_a_default_route_is_read_with_its_gateway_and_metric() -> None:
    attrs = [
        ("RTA_DST", "128.0.0.0"),
        ("RTA_OIF", 7),
        ("RTA_GATEWAY", "10.8.0.1"),
        ("RTA_PRIORITY", 50),
        ("RTA_PREFSRC", "10.8.0.2"),
        ("RTA_TABLE", 254),
    ]
    data = payload(rtmsg(), attrs, family=2, dst_len=1, table=254, type=1, proto=4)

    hops = (NextHop("10.8.0.1", 7),)
    expected = Route(4, "128.0.0.0/1", 254, "unicast", 4, 0, 50, "10.8.0.2", hops)
    assert expected == rtnetlink.decode_route(data)


def test_a_route_with_several_next_hops_keeps_each_the_one_of_another_family_too() -> None:
    hops = [
        {"hops": 0, "oif": 3, "flags": 0, "attrs": [("RTA_GATEWAY", "10.0.0.1")]},
        {"hops": 0, "oif": 4, "flags": 0, "attrs": [("RTA_VIA", {"family": 10, "addr": "fe80::1"})]},
    ]
    attrs = [("RTA_MULTIPATH", hops), ("RTA_TABLE", 1000)]
    route = rtnetlink.decode_route(payload(rtmsg(), attrs, family=2, dst_len=0, table=252, type=1))

    assert route is not None
    assert (route.destination, route.table) == ("0.0.0.0/0", 1000)
    assert route.hops == (NextHop("10.0.0.1", 3), NextHop("fe80::1", 4))


def test_a_rule_is_read_with_what_it_matches() -> None:
    attrs = [
        ("FRA_SRC", "10.0.0.0"),
        ("FRA_PRIORITY", 100),
        ("FRA_TABLE", 1000),
        ("FRA_FWMARK", 5),
        ("FRA_IIFNAME", "eth0"),
    ]
    data = payload(fibmsg(), attrs, family=2, src_len=24, action=1)

    assert Rule(4, 100, "10.0.0.0/24", "", "eth0", "", 5, 1000, "lookup") == rtnetlink.decode_rule(data)


def neighbour(address: str, mac: str, state: int = 2) -> bytes:
    attrs = [("NDA_DST", address), ("NDA_LLADDR", mac)]
    return payload(ndmsg(), attrs, family=2, ifindex=3, state=state)


def test_a_neighbour_is_read_with_its_hardware_address() -> None:
    found = rtnetlink.decode_neighbour(neighbour("198.18.0.1", "02:00:00:00:00:01"))

    assert found == rtnetlink.Neighbour(3, "198.18.0.1", "02:00:00:00:00:01", "reachable")


OBJECT = (
    b"\2\0\0\0\0\0\0\0"
    + pack_attribute(1, b"\7\0\0\0")
    + pack_attribute(5, b"\3\0\0\0")
    + pack_attribute(6, bytes([198, 18, 0, 1]))
)
GROUP = (
    bytes(8)
    + pack_attribute(1, b"\x0a\0\0\0")
    + pack_attribute(2, b"\7\0\0\0\0\0\0\0" + b"\x08\0\0\0\1\0\0\0")
)


def test_a_route_by_a_next_hop_object_has_the_objects_hops_or_those_of_its_group() -> None:
    one, both = rtnetlink.decode_object(OBJECT), rtnetlink.decode_object(GROUP)
    assert one == Object(7, NextHop("198.18.0.1", 3))
    assert both == Object(10, NextHop("", 0), (7, 8))
    known = {7: one, 8: Object(8, NextHop("198.19.0.1", 4)), 10: both}

    def by(number: int) -> Route:
        data = payload(rtmsg(), [], family=2, table=254, type=1)
        found = rtnetlink.decode_route(data + pack_attribute(30, number.to_bytes(4, "little")))
        assert found
        return with_hops(found, known)

    assert by(7).hops == (NextHop("198.18.0.1", 3),)
    assert by(10).hops == (NextHop("198.18.0.1", 3), NextHop("198.19.0.1", 4))
    assert by(99).hops == by(0).hops == (NextHop("", 0),)  # gone since the routes were read


def test_a_kernel_that_was_built_with_one_table_has_no_rules() -> None:
    """As any kernel answers to a table that it was built without."""
    assert rtnetlink.rules(kind=0x0FFE) == ()


def test_cached_routes_and_unknown_families_are_no_routes() -> None:
    cached = payload(rtmsg(), [("RTA_TABLE", 254)], family=2, table=254, type=1, flags=rtnetlink.CLONED)
    mpls = payload(rtmsg(), [], family=28, table=254, type=1)

    assert rtnetlink.decode_route(cached) is None
    assert rtnetlink.decode_route(mpls) is None


@given(st.sampled_from(DECODERS), st.binary(max_size=200))
def test_garbage_is_a_netlink_error_and_never_anything_else(decode: Decoder, data: bytes) -> None:
    with suppress(NetlinkError):
        decode(data)


@given(st.integers(0, 200), st.sampled_from(DECODERS))
def test_a_message_cut_anywhere_is_read_in_part_or_refused(length: int, decode: Decoder) -> None:
    attrs = [
        ("RTA_DST", "128.0.0.0"),
        ("RTA_MULTIPATH", [{"hops": 0, "oif": 3, "flags": 0, "attrs": [("RTA_GATEWAY", "10.0.0.1")]}]),
    ]
    data = payload(rtmsg(), attrs, family=2, dst_len=1, table=254, type=1)[:length]
    with suppress(NetlinkError):
        decode(data)


def test_a_look_agrees_with_ip() -> None:
    tables = rtnetlink.look()

    links = {(one["ifindex"], one["ifname"], one["operstate"].lower()) for one in ip("link")}
    assert {(one.index, one.name, one.state) for one in tables.links} == links
    addresses = {
        (row["local"], row["prefixlen"]) for one in ip("addr") for row in one["addr_info"] if "local" in row
    }
    assert {(one.address, one.prefix) for one in tables.addresses} == addresses
    routes = [*ip("-4", "route", "show", "table", "all"), *ip("-6", "route", "show", "table", "all")]
    assert len(tables.routes) == len(routes)
    rules = [*ip("-4", "rule"), *ip("-6", "rule")]
    assert sorted(one.priority for one in tables.rules) == sorted(one["priority"] for one in rules)


@pytest.mark.root
def test_of_a_table_that_changes_whenever_it_is_read_what_stays_in_it_is_told(
    own_network: Callable[[Callable[[], Coroutine[Any, Any, None]]], None], tmp_path: Path
) -> None:
    """Else whoever changes addresses all the time could hide a way out."""
    stay = [f"10.7.{number // 250}.{number % 250 + 1}" for number in range(3000)]
    come = [f"10.9.{number // 250}.{number % 250 + 1}" for number in range(3000)]

    def batch(name: str, verbs: tuple[str, ...], addresses: list[str]) -> tuple[str, ...]:
        lines = [f"addr {verb} {one}/32 dev lo\n" for verb in verbs for one in addresses]
        (tmp_path / name).write_text("".join(lines))
        return ("ip", "-batch", str(tmp_path / name))

    def torn() -> rtnetlink.Tables:
        subprocess.run(batch("stay", ("add",), stay), check=True)
        storm = batch("storm", ("add", "del"), come)
        for _ in range(10):
            with subprocess.Popen(storm) as blowing:
                while blowing.poll() is None:
                    found = rtnetlink.look()
                    if found.torn:
                        return found
        raise AssertionError("no look was torn by ten storms")

    async def scene() -> None:
        found = await asyncio.to_thread(torn)
        assert set(stay) <= {one.address for one in found.addresses}
        assert len(found.links) == len({one.index for one in found.links})
        assert not (await asyncio.to_thread(rtnetlink.look)).torn

    own_network(scene)
