from pathlib import Path

from agent.netlink.rtnetlink import Address, Link, Neighbour, NextHop, Route, Tables
from agent.sources.network.routing import hops, routing

STICK = Link(3, "wwan0", 1, True, "up", "02:00:00:00:00:03", 1500, "", 0)
RADIO = Link(4, "wlp2s0", 1, True, "up", "02:00:00:00:00:04", 1500, "", 0)


def default(gateway: str, index: int, kind: str = "unicast") -> Route:
    return Route(4, "0.0.0.0/0", 254, kind, 4, 0, 0, "", (NextHop(gateway, index),))


def test_a_gateway_is_told_with_its_hardware_address_and_nobody_else_is() -> None:
    neighbours = (
        Neighbour(3, "192.168.8.1", "0c:5b:8f:27:9a:64", "reachable"),
        Neighbour(3, "192.168.8.77", "02:00:00:00:00:77", "stale"),
    )
    tables = Tables((STICK,), (), (default("192.168.8.1", 3),), (), neighbours)

    assert routing(tables)["gateways"] == [
        {"interface": "wwan0", "address": "192.168.8.1", "mac": "0c:5b:8f:27:9a:64"}
    ]


def test_a_gateway_that_has_not_answered_yet_has_no_hardware_address() -> None:
    tables = Tables((STICK,), (), (default("192.168.8.1", 3), default("192.168.8.9", 3, "prohibit")), ())

    assert hops(tables) == {(3, "192.168.8.1"): ""}


def test_a_radio_is_told_with_the_network_it_is_in() -> None:
    links = routing(Tables((STICK, RADIO), (), (), ()), ssids={4: "市民卡 WiFi"})["links"]

    assert [link["ssid"] for link in links] == [None, "市民卡 WiFi"]


def test_a_stick_is_told_with_the_ids_of_its_device(tmp_path: Path) -> None:
    stick = tmp_path / "sys/devices/usb1/1-2"
    (stick / "1-2:1.4").mkdir(parents=True)
    (stick / "idVendor").write_text("12d1\n")
    (stick / "idProduct").write_text("1506\n")
    place = tmp_path / "sys/class/net/wwan0"
    place.mkdir(parents=True)
    (place / "device").symlink_to(stick / "1-2:1.4")

    (link,) = routing(Tables((STICK,), (), (), ()), tmp_path)["links"]
    assert link["usb"] == "12d1:1506"


def test_a_hostile_link_name_leads_nowhere(tmp_path: Path) -> None:
    names = ("..", "a/b", "\x1b[2J", "𝄞" * 3, "")
    links = tuple(Link(n, name, 1, True, "up", "", 1500, "", 0) for n, name in enumerate(names, 1))

    told = routing(Tables(links, (), (), ()), tmp_path)["links"]
    assert [link["name"] for link in told] == list(names)
    assert {link["kind"] for link in told} == {"unknown"}


def test_of_a_whole_internet_table_the_one_route_over_a_stick_is_not_what_is_left_out() -> None:
    upstream = (NextHop("192.0.2.1", 2),)
    table = [
        Route(
            4, f"{20 + i // 65536}.{i // 256 % 256}.{i % 256}.0/24", 254, "unicast", 186, 0, 0, "", upstream
        )
        for i in range(100_000)
    ]
    hidden = Route(4, "203.0.113.0/25", 254, "unicast", 4, 0, 0, "", (NextHop("192.168.8.1", 3),))
    body = routing(Tables((STICK,), (), (*table, hidden), ()))

    assert (len(body["routes"]), body["routes_total"]) == (4096, 100_001)
    assert [row["destination"] for row in body["routes"] if row["gateway"] == "192.168.8.1"] == [
        "203.0.113.0/25"
    ]


def test_each_link_is_told_with_its_own_addresses() -> None:
    mine, other = Address(3, 4, "192.168.8.7", 24, ""), Address(4, 6, "2001:db8::7", 64, "")

    told = routing(Tables((STICK, RADIO), (other, mine), (), ()))["links"]

    assert [[row["address"] for row in link["addresses"]] for link in told] == [
        ["192.168.8.7"],
        ["2001:db8::7"],
    ]


def test_what_vpn_clients_set_in_place_of_a_default_is_told_as_half_of_one() -> None:
    wide = ("0.0.0.0/1", "8000::/1", "2000::/3", "3000::/4", "2001:db8::/32")
    routes = tuple(Route(6, one, 254, "unicast", 4, 0, 0, "", (NextHop("", 3),)) for one in wide)

    told = routing(Tables((STICK,), (), routes, ()))["routes"]
    assert [row["default"] for row in told] == ["half", "half", "half", "half", None]
