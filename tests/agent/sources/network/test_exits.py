import asyncio
import json
import socket
import subprocess
import time
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from pyroute2.netlink import nlmsg
from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg
from pyroute2.netlink.rtnl.rtmsg import rtmsg

from agent.budget import Budget
from agent.clock import host_clock
from agent.netlink import rtnetlink
from agent.netlink.changes import Changes
from agent.netlink.message import NetlinkError, split
from agent.sources.network.exits import Exits, ExitsSettings
from agent.sources.port import Observation

Watching = Callable[..., AbstractAsyncContextManager[Any]]
OwnNetwork = Callable[[Callable[[], Coroutine[Any, Any, None]]], None]


def now() -> Any:  # noqa: ANN401 - a datetime
    return host_clock().now()


def ip(*words: str) -> list[dict[str, Any]]:
    told = subprocess.run(["ip", "-j", *words], check=True, capture_output=True).stdout
    found: list[dict[str, Any]] = json.loads(told or b"[]")
    return found


def defaults(report: Observation) -> list[tuple[str, str | None]]:
    return [
        (route["interface"], route["gateway"])
        for route in report.body["routes"]
        if route["default"] == "full"
    ]


def links(report: Observation) -> dict[str, str]:
    return {link["name"]: link["kind"] for link in report.body["links"]}


def decoded(message: nlmsg, attrs: list[tuple[str, Any]], **fields: int) -> bytes:
    for name, value in fields.items():
        message[name] = value
    message["attrs"] = attrs
    message.encode()
    return next(iter(split(bytes(message.data)))).payload


async def test_the_picture_agrees_with_ip() -> None:
    (report,) = (await Exits().once(now())).observations

    found = {
        (link["name"], link["mac"], tuple(sorted(one["address"] for one in link["addresses"])))
        for link in report.body["links"]
    }
    expected = {
        (one["ifname"], one["address"], tuple(sorted(row["local"] for row in one["addr_info"])))
        for one in ip("addr")
    }
    assert found == expected
    routes = [(4, *one) for one in _rows(ip("-4", "route", "show", "table", "all"))]
    routes += [(6, *one) for one in _rows(ip("-6", "route", "show", "table", "all"))]
    mine = [
        (row["family"], row["destination"], row["gateway"], row["interface"]) for row in report.body["routes"]
    ]
    assert sorted(mine, key=str) == sorted(routes, key=str)


def _rows(routes: list[dict[str, Any]]) -> list[tuple[str, str | None, str | None]]:
    def cidr(text: str) -> str:
        whole = {"default": "0.0.0.0/0"}.get(text, text)
        return whole if "/" in whole else f"{whole}/{128 if ':' in whole else 32}"

    v6 = any(":" in str(one["dst"]) for one in routes)
    return [
        ("::/0" if v6 and one["dst"] == "default" else cidr(one["dst"]), one.get("gateway"), one.get("dev"))
        for one in routes
    ]


async def test_links_that_this_kernel_lacks_are_known_from_netlink_and_sysfs(tmp_path: Path) -> None:
    """A phone on USB, a 4G stick, Wi-Fi, WireGuard and PPP, from another's encoder."""
    wanted = {
        "usb0": (1, "", "rndis_host", "usb_tether"),
        "wwan0": (1, "", "qmi_wwan", "wwan"),
        "wlp2s0": (1, "", "iwlwifi", "wifi"),
        "wg0": (65534, "wireguard", "", "wireguard"),
        "ppp0": (512, "ppp", "", "ppp"),
    }
    rows = []
    for number, (name, (hardware, made_as, driver, _)) in enumerate(wanted.items(), start=2):
        attrs: list[tuple[str, Any]] = [("IFLA_IFNAME", name), ("IFLA_OPERSTATE", "UP")]
        if made_as:
            attrs.append(("IFLA_LINKINFO", {"attrs": [("IFLA_INFO_KIND", made_as)]}))
        message = decoded(ifinfmsg(), attrs, index=number, ifi_type=hardware, flags=1)
        rows.append(rtnetlink.decode_link(message))
        place = tmp_path / "sys/class/net" / name
        place.mkdir(parents=True)
        if driver:
            (tmp_path / "drivers" / driver).mkdir(parents=True)
            (place / "device").mkdir()
            (place / "device/driver").symlink_to(tmp_path / "drivers" / driver)
        if driver == "iwlwifi":
            (place / "phy80211").mkdir()
    half = decoded(
        rtmsg(), [("RTA_DST", "128.0.0.0"), ("RTA_OIF", 5)], family=2, dst_len=1, table=254, type=1
    )
    route = rtnetlink.decode_route(half)
    assert route is not None
    tables = rtnetlink.Tables(tuple(rows), (), (route,), ())
    (report,) = (await Exits(root=tmp_path, environment={}, look=lambda: tables).once(now())).observations

    assert links(report) == {name: kind for name, (_, _, _, kind) in wanted.items()}
    (row,) = report.body["routes"]
    assert (row["default"], row["interface"], row["destination"]) == ("half", "wg0", "128.0.0.0/1")


async def test_a_kernel_that_refuses_is_named_and_hides_nothing() -> None:
    def refuse() -> rtnetlink.Tables:
        raise NetlinkError("kernel refused a dump of type 18: Operation not permitted")

    reading = await Exits(look=refuse).once(now())

    assert reading.observations == ()
    (one,) = reading.unreadable
    assert "Operation not permitted" in one.why


async def test_a_full_internet_table_is_cut_and_its_defaults_are_kept() -> None:
    hop = (rtnetlink.NextHop("192.0.2.1", 2),)
    many = [
        rtnetlink.Route(4, f"10.{i >> 8 & 255}.{i & 255}.0/24", 254, "unicast", 186, 0, 0, "", hop)
        for i in range(5000)
    ]
    default = rtnetlink.Route(4, "0.0.0.0/0", 254, "unicast", 4, 0, 0, "", hop)
    tables = rtnetlink.Tables((), (), (*many, default), ())
    (report,) = (await Exits(look=lambda: tables).once(now())).observations

    assert report.body["routes_total"] == 5001
    assert len(report.body["routes"]) == 4096
    assert "full" in {row["default"] for row in report.body["routes"]}


@pytest.mark.root
def test_a_second_default_over_veth_and_over_tun_is_told_by_event(
    own_network: OwnNetwork, watching: Watching
) -> None:
    """The poll is set to an hour: whatever is heard within it came by event."""
    settings = ExitsSettings(poll=3600.0, budget=Budget(cpu_seconds=60.0, report_bytes=1 << 30))

    async def scene() -> None:
        async with watching(Exits(settings)) as heard:
            await heard.until(lambda one: one.kind == "exits")
            for words in (
                "link add uplink type veth peer name far",
                "addr add 198.51.100.2/24 dev uplink",
                "link set uplink up",
                "link set far up",
                "route add default via 198.51.100.1 dev uplink",
                "tuntap add dev vpn0 mode tun",
                "addr add 10.8.0.2/24 dev vpn0",
                "link set vpn0 up",
                "route add default via 10.8.0.1 dev vpn0 metric 50",
            ):
                ip(*words.split())
            both = [("uplink", "198.51.100.1"), ("vpn0", "10.8.0.1")]
            report = await heard.until(lambda one: one.kind == "exits" and sorted(defaults(one)) == both)
            assert links(report)["uplink"] == "container"
            assert links(report)["vpn0"] == "tun"

            ip("route", "del", "default", "via", "10.8.0.1")
            await heard.until(
                lambda one: one in heard.heard[heard.heard.index(report) :] and defaults(one) == both[:1]
            )

    own_network(scene)


@pytest.mark.root
def test_rules_other_tables_and_forwarding_are_told_by_event(
    own_network: OwnNetwork, watching: Watching
) -> None:
    async def scene() -> None:
        async with watching(Exits(ExitsSettings(poll=3600.0))) as heard:
            await heard.until(lambda one: one.kind == "exits")
            ip("rule", "add", "from", "10.9.0.0/16", "lookup", "777", "priority", "90")
            await heard.until(lambda one: 777 in {rule["table"] for rule in one.body["rules"]})
            ip("route", "add", "0.0.0.0/1", "dev", "lo", "table", "777")
            report = await heard.until(lambda one: 777 in {row["table"] for row in one.body["routes"]})
            (half,) = [row for row in report.body["routes"] if row["table"] == 777]
            assert (half["default"], half["destination"]) == ("half", "0.0.0.0/1")
            await asyncio.to_thread(Path("/proc/sys/net/ipv4/ip_forward").write_text, "1")
            await heard.until(lambda one: one.body["forwarding"]["ipv4"] is True)

    own_network(scene)


@pytest.mark.root
def test_routes_by_next_hop_objects_are_told_and_seen_to_go_though_the_kernel_names_numbers_alone(
    own_network: OwnNetwork, watching: Watching
) -> None:
    async def scene() -> None:
        await asyncio.to_thread(Path("/proc/sys/net/ipv4/nexthop_compat_mode").write_text, "0")
        ip("link", "add", "up0", "type", "veth", "peer", "name", "far0")
        ip("addr", "add", "198.51.100.2/24", "dev", "up0")
        for link in ("up0", "far0"):
            ip("link", "set", link, "up")
        async with watching(Exits(ExitsSettings(poll=3600.0))) as heard:
            await heard.until(lambda one: one.kind == "exits")
            ip("nexthop", "add", "id", "1", "via", "198.51.100.1", "dev", "up0")
            ip("route", "add", "default", "nhid", "1")
            await heard.until(lambda one: one.kind == "exits" and defaults(one) == [("up0", "198.51.100.1")])

            # Of neither the kernel says that a route changed.
            ip("nexthop", "replace", "id", "1", "via", "198.51.100.9", "dev", "up0")
            await heard.until(lambda one: one.kind == "exits" and defaults(one) == [("up0", "198.51.100.9")])
            ip("nexthop", "del", "id", "1")
            await heard.until(lambda one: one is heard.heard[-1] and defaults(one) == [])

    own_network(scene)


class Polled(dict[str, str]):
    """An environment that knows how often it was read, which every look does."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.left = asyncio.Event()
        self.count = 0

    def items(self) -> Any:  # noqa: ANN401 - a view of the type that a dict has
        self.count += 1
        if self.count % 5 == 0:
            self._loop.call_soon_threadsafe(self.left.set)
        return super().items()


@pytest.mark.root
def test_a_whole_internet_table_is_dumped_when_it_changed_and_not_at_every_poll(
    own_network: OwnNetwork, watching: Watching
) -> None:
    hop = (rtnetlink.NextHop("192.0.2.1", 1),)
    table = tuple(
        rtnetlink.Route(4, f"20.{i // 256}.{i % 256}.0/24", 254, "unicast", 186, 0, 0, "", hop)
        for i in range(10_000)
    )
    dumps: list[int] = []

    def look() -> rtnetlink.Tables:
        found = rtnetlink.look()
        dumps.append(len(found.routes))
        return replace(found, routes=(*table, *found.routes))

    async def scene() -> None:
        polls = Polled(asyncio.get_running_loop())
        budget = Budget(cpu_seconds=60.0, report_bytes=1 << 30)
        source = Exits(ExitsSettings(poll=0.01, budget=budget), look=look, environment=polls)
        async with watching(source) as heard:
            await heard.until(lambda one: one.kind == "exits")
            await polls.left.wait()
            assert len(dumps) < polls.count
            ip("route", "add", "203.0.113.0/25", "dev", "lo")
            await heard.until(
                lambda one: (
                    one.kind == "exits"
                    and "203.0.113.0/25" in {row["destination"] for row in one.body["routes"]}
                )
            )

    own_network(scene)


@pytest.mark.root
def test_a_change_is_told_well_within_a_fifth_of_a_second(
    own_network: OwnNetwork, watching: Watching
) -> None:
    taken: list[float] = []
    settings = ExitsSettings(poll=3600.0, budget=Budget(cpu_seconds=60.0, report_bytes=1 << 30))

    async def scene() -> None:
        async with watching(Exits(settings)) as heard:
            await heard.until(lambda one: one.kind == "exits")
            for number in range(40):
                route = f"203.0.113.{number}/32"
                ip("route", "add", route, "dev", "lo")
                returned = time.perf_counter()
                await heard.until(
                    lambda one, route=route: route in {row["destination"] for row in one.body["routes"]}
                )
                taken.append(time.perf_counter() - returned)

    own_network(scene)
    assert sorted(taken)[37] < 0.2  # the 95th percentile


@pytest.mark.root
def test_a_link_that_flaps_costs_a_bounded_amount_and_never_blinds(
    own_network: OwnNetwork, watching: Watching
) -> None:
    """A purse that a flood without a pace spends in seconds; then the way out that somebody hopes to hide."""
    settings = ExitsSettings(poll=3600.0, budget=Budget(cpu_seconds=0.1, window=15.0, cool_down=3600.0))
    flaps = "link set flap up\nlink set flap down\n" * 400

    def spaced(one: Observation) -> bool:
        return one.kind == "gap" and "looks are spaced" in one.body["why"]

    async def scene() -> None:
        ip(*["link", "add", "flap", "type", "veth", "peer", "name", "far"])
        ip(*["addr", "add", "198.51.100.2/24", "dev", "far"])
        ip(*["link", "set", "far", "up"])
        source = Exits(settings)
        async with watching(source) as heard:
            await heard.until(lambda one: one.kind == "exits")
            async with asyncio.timeout(30):
                while not any(map(spaced, heard.heard)):
                    words = ("ip", "-batch", "-")
                    flood = await asyncio.create_subprocess_exec(*words, stdin=asyncio.subprocess.PIPE)
                    await flood.communicate(flaps.encode())
            ip(*["route", "add", "default", "via", "198.51.100.1", "dev", "far"])
            await heard.until(lambda one: one.kind == "exits" and bool(defaults(one)))
            assert source.blind == ""

        why = [one.body["why"] for one in heard.heard if one.kind == "gap"]
        assert [one for one in why if "overdrawn" in one] == []
        assert sum(map(spaced, heard.heard)) == 1
        assert source.cpu_seconds <= 0.1

    own_network(scene)


@pytest.mark.root
def test_a_talk_that_begins_is_told_at_the_next_look(own_network: OwnNetwork, watching: Watching) -> None:
    async def scene() -> None:
        ip("addr", "add", "203.0.113.5/32", "dev", "lo")
        async with watching(Exits(ExitsSettings(poll=0.1))) as heard:
            await heard.until(lambda one: one.kind == "exits")
            with (
                socket.create_server(("203.0.113.5", 0)) as far,
                socket.create_connection(far.getsockname(), source_address=("203.0.113.5", 0)),
            ):
                await heard.until(lambda one: one.body["evidence"])
            await heard.until(lambda one: one is heard.heard[-1] and not one.body["evidence"])

    own_network(scene)


@pytest.mark.root
def test_an_overflow_of_the_event_socket_is_a_reason_to_look_again(own_network: OwnNetwork) -> None:
    async def scene() -> None:
        changes = Changes(buffer=2304)
        for number in range(1, 40):
            ip("addr", "add", f"10.7.0.{number}/32", "dev", "lo")
        assert changes.drain() is True
        assert changes.overflows > 0
        changes.close()

    own_network(scene)


@pytest.mark.root
def test_a_talk_to_the_outside_is_evidence_of_the_link_it_leaves_by(own_network: OwnNetwork) -> None:
    async def scene() -> None:
        ip("addr", "add", "203.0.113.5/32", "dev", "lo")
        with (
            socket.create_server(("203.0.113.5", 0)) as far,
            socket.create_connection(far.getsockname(), source_address=("203.0.113.5", 0)),
        ):
            (report,) = (await Exits().once(now())).observations

        (row,) = report.body["evidence"]
        assert (row["interface"], row["local_address"]) == ("lo", "203.0.113.5")
        assert row["remote_addresses"] == ["203.0.113.5"]

    own_network(scene)
