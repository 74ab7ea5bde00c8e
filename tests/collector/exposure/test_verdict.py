"""The verdict rules of docs/exposure.md, one by one, and what no routing table may ever bring about."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.exposure import GRAVITY, Facts, judge, scope_of, worst
from collector.registry import read_registry
from tests.collector.exposure.told import (
    ANYWHERE,
    FREE,
    GOOD,
    HOME,
    REGISTRY,
    codes,
    judged,
    link,
    route,
    told,
    verdicts,
)


def test_the_registered_exit_is_sanctioned() -> None:
    (one,) = judged(told([HOME], [GOOD]))

    assert (one.verdict, one.sanctioned_by, one.next_hop) == ("sanctioned", "city-unified-exit", "10.20.0.1")
    assert [reason.code for reason in one.reasons] == ["registered_exit", "default_route"]
    assert "示例市电子政务外网统一互联网出口" in one.reasons[0].zh


@pytest.mark.parametrize("kind", ["container", "tun", "wifi", "usb_tether", "wwan", "ppp", "wireguard"])
def test_a_second_default_route_is_an_available_way_out_whatever_its_link(kind: str) -> None:
    second = link("leg", "192.168.42.7", kind=kind)
    found = verdicts(told([HOME, second], [GOOD, route("leg", "192.168.42.129", metric=700)]))

    assert found == {"way/leg/192.168.42.129/4": "available", "way/eth0/10.20.0.1/4": "sanctioned"}


def test_a_tunnel_that_takes_the_default_without_a_next_hop_can_never_be_registered() -> None:
    facts = told([HOME, link("tun0", "10.8.0.2", kind="tun")], [GOOD, route("tun0", None)])

    assert verdicts(facts)["way/tun0/-/4"] == "available"
    assert codes(facts)[0] == "no_next_hop"


def test_halves_of_a_default_route_are_a_default_route() -> None:
    halves = [
        route("tun0", "10.8.0.1", "0.0.0.0/1"),
        route("tun0", "10.8.0.1", "128.0.0.0/1"),
    ]
    facts = told([HOME, link("tun0", "10.8.0.2", kind="tun")], [GOOD, *halves])

    assert verdicts(facts)["way/tun0/10.8.0.1/4"] == "available"
    assert "split_default" in codes(facts)


def test_a_route_to_a_few_addresses_outside_is_a_way_out() -> None:
    facts = told([HOME], [route("eth0", "10.20.0.77", "8.8.8.0/24")])

    assert codes(facts) == ["next_hop_not_registered", "public_route"]


def test_ipv6_is_judged_apart() -> None:
    facts = told([HOME], [GOOD, route("eth0", "fe80::dead", "::/0"), route("eth0", "fd20::1", "::/0")])

    assert verdicts(facts) == {
        "way/eth0/10.20.0.1/4": "sanctioned",
        "way/eth0/fd20::1/6": "sanctioned",
        "way/eth0/fe80::dead/6": "available",
    }


@pytest.mark.parametrize(
    "harmless",
    [
        route("docker0", None, "172.17.0.0/16"),
        route("lo", None, "0.0.0.0/0"),
        route("eth0", None, "169.254.0.0/16"),
        route("eth0", "10.20.0.66", "10.99.0.0/16"),
        route("eth0", "10.20.0.66", "100.64.0.0/10"),
        route("eth0", None, "0.0.0.0/0", type="blackhole"),
        route("eth0", None, "224.0.0.0/4"),
        route("down0", "10.1.1.1", "0.0.0.0/0"),
        route("dark0", "10.1.1.1", "0.0.0.0/0"),
        route("eth0", "10.20.0.66", "0.0.0.0/0", table=255, type="local"),
    ],
)
def test_containers_loopback_link_local_and_dead_links_never_alarm(harmless: dict[str, Any]) -> None:
    links = [
        HOME,
        link("lo", "127.0.0.1", kind="loopback"),
        link("docker0", "172.17.0.1", kind="bridge"),
        link("veth9", kind="container", master="docker0"),
        link("down0", "10.1.1.2", up=False),
        link("dark0", "10.1.1.3") | {"state": "lowerlayerdown"},
    ]
    assert verdicts(told(links, [GOOD, harmless])) == {"way/eth0/10.20.0.1/4": "sanctioned"}


def test_a_links_own_public_subnet_is_no_way_out() -> None:
    facts = told([link("eth0", "198.51.100.7")], [route("eth0", None, "198.51.100.0/24")])

    assert verdicts(facts, "district-portal") == {}


@pytest.mark.parametrize(
    ("own", "destination"),
    [("2001:db8:7::1000", "2000::/3"), ("2001:db8:7::1000", "2000::/4"), ("8.8.8.1", "0.0.0.0/2")],
)
def test_a_range_in_place_of_a_default_is_a_way_out_though_the_tunnels_own_address_lies_in_it(
    own: str, destination: str
) -> None:
    facts = told([HOME, link("tun0", own, kind="tun")], [GOOD, route("tun0", None, destination)])

    assert verdicts(facts)[f"way/tun0/-/{6 if ':' in own else 4}"] == "available"


def test_the_intranet_has_no_exit_at_all_not_even_a_registered_one() -> None:
    facts = told([link("eth0", "10.10.0.9")], [GOOD])

    assert codes(facts, "district-intranet-terminals")[0] == "zone_allows_none"
    assert list(verdicts(facts, "district-intranet-terminals").values()) == ["available"]


def test_an_exit_that_serves_another_asset_or_zone_says_so() -> None:
    facts = told([link("eth0", "10.20.0.9")], [route("eth0", "198.51.100.1")])

    assert codes(facts)[0] == "exit_not_for_node"


def test_a_registered_exit_over_a_kind_of_link_it_does_not_allow_is_not_sanctioned() -> None:
    facts = told([link("wlan0", "10.20.0.9", kind="wifi")], [route("wlan0", "10.20.0.1")])

    assert codes(facts)[0] == "link_kind_not_allowed"
    assert "Wi-Fi" in judged(facts)[0].reasons[0].en


def test_exits_are_free_where_the_policy_says_so() -> None:
    registry = read_registry(FREE, "r.yaml")
    scope = scope_of(registry, "u", registry.asset("web"))
    service = {"protocol": "tcp", "address": ANYWHERE, "port": 22}
    facts = told([link("eth0", "9.9.9.9")], [route("eth0", "9.9.9.1")], services=[service])

    assert [(one.verdict, one.sanctioned_by) for one in judge(facts, scope)] == [("sanctioned", None)]


def test_connections_from_the_links_address_are_use() -> None:
    second = link("usb0", "192.168.42.7", kind="usb_tether")
    routes = [GOOD, route("usb0", "192.168.42.129", metric=700)]
    facts = told([HOME, second], routes, talks=[("192.168.42.7", "9.9.9.9")])

    assert verdicts(facts)["way/usb0/192.168.42.129/4"] == "used"
    assert codes(facts)[:2] == ["in_use", "next_hop_not_registered"]


def test_evidence_of_the_exits_report_counts_as_use() -> None:
    use = {"local_address": "192.168.42.7", "remote_addresses": ["9.9.9.9"], "connections": 1}
    second = link("usb0", "192.168.42.7", kind="usb_tether")
    facts = told([HOME, second], [route("usb0", "192.168.42.129")], evidence=[use])

    assert list(verdicts(facts).values()) == ["used"]


def test_connections_by_the_sanctioned_exit_or_to_the_inside_are_no_use_of_another() -> None:
    second = link("usb0", "192.168.42.7", kind="usb_tether")
    routes = [GOOD, route("usb0", "192.168.42.129", metric=700)]
    talks = [("10.20.0.9", "9.9.9.9"), ("192.168.42.7", "10.77.0.1"), ("192.168.42.7", "127.0.0.5")]

    assert verdicts(told([HOME, second], routes, talks=talks)) == {
        "way/usb0/192.168.42.129/4": "available",
        "way/eth0/10.20.0.1/4": "sanctioned",
    }


def test_of_two_ways_over_one_link_the_better_route_was_used() -> None:
    worse = route("eth0", "10.20.0.66", metric=200)
    better = route("eth0", "10.20.0.66", "9.9.9.0/24")
    talk = [("10.20.0.9", "9.9.9.9")]

    assert verdicts(told([HOME], [GOOD, worse], talks=talk))["way/eth0/10.20.0.66/4"] == "available"
    assert verdicts(told([HOME], [GOOD, better], talks=talk))["way/eth0/10.20.0.66/4"] == "used"


def test_a_table_that_no_rule_looks_at_is_unknown_until_one_does() -> None:
    leg = link("wwan0", "10.64.0.2", kind="wwan")
    routes = [GOOD, route("wwan0", "10.64.0.1", table=100)]
    main = {"family": 4, "table": 254}

    def of(*rules: dict[str, Any]) -> str:
        return verdicts(told([HOME, leg], routes, rules=list(rules)))["way/wwan0/10.64.0.1/4"]

    assert of(main) == "unknown"
    assert of(main, {"family": 4, "table": 100}) == "available"
    assert of(main, {"family": 4, "table": 0}) == "available"
    assert of() == "available"


def test_where_the_register_does_not_know_the_asset_nothing_is_alarmed() -> None:
    public = link("eth0", "9.9.9.9")
    service = {"protocol": "tcp", "address": "::", "port": 22}
    proxies = [{"name": "https_proxy", "value": "http://10.1.1.1:3128"}]
    facts = told([public], [route("eth0", "9.9.9.1")], services=[service], proxies=proxies)

    assert set(verdicts(facts, None).values()) == {"unknown"}
    assert len(verdicts(facts, None)) == 3


def test_a_route_over_a_link_that_was_not_told_is_unknown() -> None:
    assert codes(told([HOME], [route("gone0", "10.9.9.9")]))[0] == "link_not_known"


def test_nothing_is_judged_before_the_exits_are_told() -> None:
    assert judged(Facts()) == ()
    assert worst(()) is None


def test_public_resolvers_stand_among_the_reasons_of_a_way_that_is_not_sanctioned() -> None:
    resolvers = [{"address": "8.8.8.8"}, {"address": "10.20.0.53"}, {"address": "nonsense"}]
    facts = told([HOME], [route("eth0", "10.20.0.66")], resolvers=resolvers)

    assert codes(facts).count("public_resolver") == 1
    assert codes(told([HOME], [GOOD], resolvers=resolvers)) == ["registered_exit", "default_route"]


def test_every_verdict_says_why_in_both_languages() -> None:
    service = {"protocol": "tcp", "address": ANYWHERE, "port": 22}
    links = [HOME, link("eth1", "9.9.9.9"), link("tun0", "10.8.0.2", kind="tun"), link("eth2", "10.10.0.1")]
    routes = [GOOD, route("tun0", None, table=7), route("x", "10.0.0.1")]
    facts = told(links, routes, services=[service], forwarding={"ipv4": True})

    for one in judged(facts):
        assert one.reasons
        assert all(reason.zh and reason.en and "{" not in reason.zh + reason.en for reason in one.reasons)


# --- what no routing table may ever bring about ----------------------------------------------------------

LINKS = [HOME, link("usb0", "192.168.42.7", kind="usb_tether"), link("veth1", "10.200.0.2", kind="container")]
gateways = st.sampled_from(["10.20.0.1", "10.20.0.66", "192.168.42.129", "fe80::1", "198.51.100.1", None])
destinations = st.sampled_from(["0.0.0.0/0", "0.0.0.0/1", "128.0.0.0/1", "8.8.8.0/24", "10.9.0.0/16"])
routes = st.builds(
    route,
    st.sampled_from(["eth0", "usb0", "veth1", "gone0"]),
    gateways,
    destinations,
    metric=st.integers(0, 3),
    table=st.sampled_from([254, 100]),
)
tables = st.lists(routes, max_size=6)
talks = st.lists(
    st.tuples(st.sampled_from(["10.20.0.9", "192.168.42.7"]), st.sampled_from(["9.9.9.9", "8.8.8.8"])),
    max_size=2,
)
assets = st.sampled_from([None, "district-oa", "district-portal", "district-intranet-terminals"])


@given(tables, talks, assets)
def test_only_a_registered_next_hop_is_ever_sanctioned(
    table: list[dict[str, Any]], seen: list[tuple[str, str]], asset: str | None
) -> None:
    for one in judged(told(LINKS, table, talks=seen), asset):
        if one.verdict == "sanctioned":
            way = REGISTRY.exits[one.sanctioned_by or ""]
            assert one.next_hop in {str(hop.network_address) for hop in way.next_hops}
            assert REGISTRY.assets[asset or ""].zone in way.zones


@given(tables, routes, talks, assets)
def test_another_unregistered_route_never_makes_the_node_look_better(
    table: list[dict[str, Any]], more: dict[str, Any], seen: list[tuple[str, str]], asset: str | None
) -> None:
    before = worst(judged(told(LINKS, table, talks=seen), asset))
    after = judged(told(LINKS, [*table, more], talks=seen), asset)
    key = f"way/{more['interface']}/{more['gateway'] or '-'}/4"
    if any(one.key == key and one.verdict == "sanctioned" for one in after):
        return  # use may have moved to the sanctioned exit
    if before is not None:
        assert GRAVITY[worst(after) or "sanctioned"] >= GRAVITY[before]


@given(tables, routes, talks, assets)
def test_another_route_never_sanctions_a_way_that_was_not(
    table: list[dict[str, Any]], more: dict[str, Any], seen: list[tuple[str, str]], asset: str | None
) -> None:
    before = verdicts(told(LINKS, table, talks=seen), asset)
    after = verdicts(told(LINKS, [*table, more], talks=seen), asset)

    for key, verdict in before.items():
        assert (after[key] == "sanctioned") == (verdict == "sanctioned")


@given(tables, talks, assets)
def test_the_order_in_which_things_are_told_does_not_matter(
    table: list[dict[str, Any]], seen: list[tuple[str, str]], asset: str | None
) -> None:
    forth = verdicts(told(LINKS, table, talks=seen), asset)
    back = verdicts(told(LINKS[::-1], table[::-1], talks=seen[::-1]), asset)

    assert forth == back


@given(tables, assets)
def test_nothing_is_used_without_evidence(table: list[dict[str, Any]], asset: str | None) -> None:
    assert "used" not in verdicts(told(LINKS, table), asset).values()


SEEN = {"interface": "eth0", "beacon": "203.0.113.80:8081", "seen_address": "203.0.113.200"}


def test_a_beacon_that_answered_over_another_way_proves_it() -> None:
    reached = {**SEEN, "interface": "usb0"}
    routes = [GOOD, route("usb0", "192.168.42.129")]
    facts = told([HOME, link("usb0", "192.168.42.7")], routes, reached=[reached])
    (one,) = [one for one in judged(facts) if one.link == "usb0"]

    assert (one.verdict, one.confidence) == ("available", 1.0)
    assert "203.0.113.200" in next(reason.en for reason in one.reasons if reason.code == "reached_beacon")


def test_an_egress_address_that_the_registered_exit_does_not_have_is_another_exit() -> None:
    assert codes(told([HOME], [GOOD], reached=[SEEN]))[0] == "egress_not_registered"


def test_an_egress_address_of_the_registered_exit_confirms_it() -> None:
    known = str(REGISTRY.exits["city-unified-exit"].egress[0].network_address)
    (one,) = judged(told([HOME], [GOOD], reached=[{**SEEN, "seen_address": known}]))

    assert (one.verdict, one.confidence) == ("sanctioned", 1.0)


@pytest.mark.parametrize(
    ("more", "talks", "confidence"),
    [
        ({}, (), 0.6),
        ({"gateways": [{"interface": "eth0", "address": "10.20.0.1", "mac": "02:00:00:00:00:01"}]}, (), 0.8),
        ({"gateways": [{"interface": "eth0", "address": "10.20.0.1", "mac": ""}]}, (), 0.6),
        ({}, (("10.20.0.9", "8.8.8.8"),), 0.95),
    ],
    ids=["configured", "answers", "silent", "seen"],
)
def test_how_sure_a_verdict_is_follows_from_the_best_evidence(
    more: dict[str, Any], talks: tuple[tuple[str, str], ...], confidence: float
) -> None:
    (one,) = judged(told([HOME], [GOOD], talks=talks, **more))

    assert one.confidence == confidence
