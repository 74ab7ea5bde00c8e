from ipaddress import ip_address
from pathlib import Path

from collector.exposure import Exits, Sockets, scope_of
from collector.exposure.facts import Connection, Link, LinkAddress, Route, Use
from collector.exposure.ways import attribute, talks_of, ways_out
from collector.registry import read_registry

SHIPPED = Path(__file__).parents[3] / "configs/registry.yaml"
REGISTRY = read_registry(SHIPPED.read_text("utf-8"), "registry.yaml")
SCOPE = scope_of(REGISTRY, "district", REGISTRY.asset("district-oa"))
EXITS = Exits(
    links=(
        Link("eth0", "wired", addresses=(LinkAddress("10.20.0.9"),)),
        Link("usb0", "usb_tether", addresses=(LinkAddress("192.168.42.7"),)),
    ),
    routes=(
        Route(4, "0.0.0.0/0", "10.20.0.1", "eth0", metric=100),
        Route(4, "0.0.0.0/1", "10.20.0.1", "eth0"),
        Route(4, "0.0.0.0/0", "10.20.0.1", "usb0"),
        Route(4, "0.0.0.0/0", "192.168.42.129", "usb0"),
    ),
    evidence=(Use("192.168.42.7", ("9.9.9.9", "10.1.1.1")),),
)


def test_all_routes_by_one_link_and_next_hop_are_one_way() -> None:
    ways = ways_out(EXITS, SCOPE)

    assert [way.key for way in ways] == [
        "way/eth0/10.20.0.1/4",
        "way/usb0/10.20.0.1/4",
        "way/usb0/192.168.42.129/4",
    ]
    assert [route.destination for route in ways[0].routes] == ["0.0.0.0/0", "0.0.0.0/1"]


def test_a_talk_told_twice_is_one_and_the_inside_is_none() -> None:
    sockets = Sockets(connections=(Connection("192.168.42.7", "9.9.9.9", count=3, process="curl"),))
    (talk,) = talks_of(EXITS, sockets, SCOPE)

    assert (talk.count, talk.process) == (3, "curl")


def test_ways_that_fit_equally_well_all_count() -> None:
    taken = attribute(talks_of(EXITS, Sockets(), SCOPE), ways_out(EXITS, SCOPE), EXITS)

    assert sorted(taken) == ["way/usb0/10.20.0.1/4", "way/usb0/192.168.42.129/4"]


def test_a_longer_prefix_fits_better_and_then_the_smaller_metric() -> None:
    first, *_ = ways_out(EXITS, SCOPE)

    assert first.best_for(ip_address("9.9.9.9")) == (1, 0)
    assert first.best_for(ip_address("200.1.1.1")) == (0, -100)
    assert first.best_for(ip_address("fd20::1")) is None
