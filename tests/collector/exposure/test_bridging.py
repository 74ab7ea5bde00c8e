"""Zones that are to be apart, joined."""

from collector.exposure import worst
from tests.collector.exposure.told import HOME, judged, link, route, told, verdicts


def test_links_in_two_zones_are_bridging_unless_the_asset_is_meant_to_join_them() -> None:
    two = [HOME, link("eth1", "10.10.0.9")]

    assert verdicts(told(two, []))["bridging/eth0+eth1"] == "bridging"
    assert "政务内网" in judged(told(two, []))[0].reasons[0].zh
    gateway = [link("eth0", "198.51.100.7"), link("eth1", "10.20.0.9")]
    assert verdicts(told(gateway, []), "district-portal") == {}


def test_a_leg_of_a_container_or_a_bridge_of_guests_joins_no_zones() -> None:
    guests = [
        HOME,
        link("br9", "10.10.0.1", kind="bridge"),
        link("vnet1", kind="tun", master="br9"),
        link("veth1", "10.10.0.2", kind="container"),
    ]
    assert verdicts(told(guests, [])) == {}
    assert verdicts(told([*guests, link("eth1", master="br9")], [])) == {"bridging/br9+eth0": "bridging"}


def test_forwarding_from_a_zone_into_a_way_out_is_bridging() -> None:
    leg = link("wlan0", "192.168.1.5", kind="wifi")
    routes = [route("wlan0", "192.168.1.1")]

    def of(**forwarding: object) -> str | None:
        return worst(judged(told([HOME, leg], routes, forwarding=forwarding)))

    assert of(ipv4=False) == "available"
    assert of(ipv6=True) == "available"
    assert of(ipv4=True) == "bridging"
    assert of(ipv4=True, interfaces=["eth0", "wlan0"]) == "bridging"
    assert of(ipv4=True, interfaces=["docker0", "wlan0"]) == "available"


def test_of_ipv4_each_links_own_switch_decides_and_of_ipv6_that_of_all_or_a_forced_link() -> None:
    leg = link("wlan0", "192.168.1.5", "fd99::5", kind="wifi")

    def of(hop: str, **forwarding: object) -> str | None:
        destination = "::/0" if ":" in hop else "0.0.0.0/0"
        facts = told([HOME, leg], [route("wlan0", hop, destination)], forwarding=forwarding)
        return worst(judged(facts))

    assert of("192.168.1.1", ipv4=False, ipv4_links=["eth0", "wlan0"]) == "bridging"
    assert of("192.168.1.1", ipv4=True, ipv4_links=["wlan0"]) == "available"
    assert of("192.168.1.1", ipv6=True, ipv4_links=[]) == "available"
    assert of("fe80::9", ipv6=True, ipv4_links=[]) == "bridging"
    assert of("fe80::9", ipv4=True, ipv4_links=["eth0", "wlan0"]) == "available"
    assert of("fe80::9", ipv4_links=[], ipv6_links=["eth0", "wlan0"]) == "bridging"


def test_links_in_two_zones_between_which_the_host_forwards_are_one_matter_with_both_reasons() -> None:
    facts = told(
        [HOME, link("wlan0", "9.9.9.7", kind="wifi")],
        [route("wlan0", "9.9.9.1")],
        forwarding={"ipv4": True, "ipv4_links": ["eth0", "wlan0"]},
    )
    (one,) = [one for one in judged(facts) if one.verdict == "bridging"]

    assert [why.code for why in one.reasons] == ["two_zones", "forwards"]
    assert {row["zone"] for row in one.evidence} == {"extranet", "internet"}
