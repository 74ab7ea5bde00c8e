from typing import Any

import pytest

from tests.collector.exposure.told import GOOD, HOME, codes, judged, link, route, told, verdicts

GUEST = {"source_address": "192.168.5.7", "remote_addresses": ["203.0.113.9"], "count": 3}
BRIDGE = {
    **link("docker0", kind="bridge"),
    "addresses": [{"address": "172.17.0.1", "prefix": 16}],
}


def test_a_host_that_others_go_outside_through_joins_their_network_to_the_outside() -> None:
    facts = told([HOME], [GOOD], forwarded=[GUEST])

    assert verdicts(facts)["gateway"] == "bridging"
    (one,) = [one for one in judged(facts) if one.key == "gateway"]
    assert one.confidence == 0.95
    assert "192.168.5.7" in one.reasons[0].zh


def test_the_rule_that_lets_them_out_is_named() -> None:
    rules = {"translations": [{"action": "masquerade", "outgoing": "eth0"}]}

    assert "translates" in codes(told([HOME], [GOOD], forwarded=[GUEST], forwarding=rules))


@pytest.mark.parametrize("source", ["172.17.0.2", "172.17.255.254"])
def test_the_hosts_own_containers_are_no_guests(source: str) -> None:
    facts = told([HOME, BRIDGE], [GOOD], forwarded=[{"source_address": source}])

    assert "gateway" not in verdicts(facts)


def of_host(name: str, address: str, prefix: int, **more: object) -> dict[str, Any]:
    return {**link(name, **more), "addresses": [{"address": address, "prefix": prefix}]}


# The links and routes of hosts with containers or guests, and the address of one of these.
HOSTS: dict[str, tuple[list[dict[str, Any]], list[dict[str, Any]], str]] = {
    "docker": ([BRIDGE, link("veth1", kind="container", master="docker0")], [], "172.17.0.2"),
    "podman": (
        [
            of_host("podman0", "10.88.0.1", 16, kind="bridge"),
            link("veth0", kind="container", master="podman0"),
        ],
        [],
        "10.88.0.5",
    ),
    "libvirt": (
        [of_host("virbr0", "192.168.122.1", 24, kind="bridge"), link("vnet0", kind="tun", master="virbr0")],
        [],
        "192.168.122.40",
    ),
    "lxc": (
        [of_host("lxcbr0", "10.0.3.1", 24, kind="bridge"), link("vethA", kind="container", master="lxcbr0")],
        [],
        "10.0.3.9",
    ),
    "flannel": (
        [
            of_host("cni0", "10.244.1.1", 24, kind="bridge"),
            link("vethB", kind="container", master="cni0"),
            of_host("flannel.1", "10.244.1.0", 32, kind="tun"),
            # Addresses of services, also public ones; the link itself is down.
            {**of_host("kube-ipvs0", "198.51.100.200", 32, kind="virtual"), "state": "down"},
            of_host("nodelocaldns", "169.254.20.10", 32, kind="virtual"),
        ],
        [route("flannel.1", "10.244.2.0", "10.244.2.0/24")],
        "10.244.1.7",
    ),
    "calico": (
        [link("cali0123456789a", kind="container"), of_host("tunl0", "192.168.12.0", 32, kind="tun")],
        [
            route("cali0123456789a", None, "192.168.12.5/32"),
            route("tunl0", "10.20.0.10", "192.168.13.0/26"),
        ],
        "192.168.12.5",
    ),
    "cilium": (
        [of_host("cilium_host", "10.0.1.20", 32, kind="container"), link("lxc1", kind="container")],
        [route("cilium_host", "10.0.1.20", "10.0.1.0/24")],
        "10.0.1.99",
    ),
}


@pytest.mark.parametrize("kind", HOSTS)
def test_containers_and_guests_of_every_kind_alarm_nobody(kind: str) -> None:
    links, routes, inner = HOSTS[kind]
    forwarding = {"ipv4": True, "translations": [{"action": "masquerade", "outgoing": ""}]}
    facts = told(
        [HOME, *links], [GOOD, *routes], forwarded=[{"source_address": inner}], forwarding=forwarding
    )

    assert verdicts(facts) == {"way/eth0/10.20.0.1/4": "sanctioned"}


HYPERVISOR = [
    of_host("br0", "10.20.0.9", 24, kind="bridge"),
    link("eth0", master="br0"),
    link("vnet0", kind="tun", master="br0"),
    of_host("eth1", "192.168.5.1", 24),
]
BRIDGED = [
    route("br0", "10.20.0.1"),
    route("br0", None, "10.20.0.0/24"),
    route("eth1", None, "192.168.5.0/24"),
]


@pytest.mark.parametrize(
    ("source", "more", "verdict"),
    [
        ("10.20.0.50", {}, None),
        ("10.77.0.50", {}, None),  # of a network in which the bridge has no address
        ("10.20.0.50", {"translated_to": "10.20.0.9"}, "bridging"),
        ("192.168.5.7", {}, "bridging"),  # comes by another card: the host routes it
    ],
)
def test_a_virtual_machine_in_the_hosts_own_network_goes_through_its_bridge_and_not_through_the_host(
    source: str, more: dict[str, Any], verdict: str | None
) -> None:
    facts = told(HYPERVISOR, BRIDGED, forwarded=[{"source_address": source, **more}])

    assert verdicts(facts).get("gateway") == verdict


def test_where_the_host_has_another_way_out_nobody_knows_that_it_was_bridged() -> None:
    stick = [*HYPERVISOR, of_host("wwan0", "192.168.8.7", 24, kind="wwan")]
    routes = [*BRIDGED, route("wwan0", "192.168.8.1", metric=700)]

    assert (
        verdicts(told(stick, routes, forwarded=[{"source_address": "10.20.0.50"}]))["gateway"] == "bridging"
    )


def test_a_default_route_into_a_container_makes_nobody_its_guest() -> None:
    """Else every stranger would be one of the host's own."""
    facts = told(
        [HOME, link("veth1", "172.18.0.1", kind="container")],
        [GOOD, route("veth1", "172.18.0.2", metric=900), route("veth1", "172.18.0.2", "128.0.0.0/1")],
        forwarded=[GUEST],
    )

    assert verdicts(facts)["gateway"] == "bridging"


def test_a_node_the_register_does_not_know_is_not_judged_by_its_guests() -> None:
    assert "gateway" not in verdicts(told([HOME], [GOOD], forwarded=[GUEST]), asset=None)


def test_a_host_that_is_a_container_itself_is_judged_by_its_card_like_any_other() -> None:
    """LXC: the card is a veth, and the default route goes by it."""
    card, inside = of_host("eth0", "9.9.9.7", 24, kind="container"), of_host("eth1", "10.20.0.9", 24)
    service = {"protocol": "tcp", "address": "9.9.9.7", "port": 22}
    neighbour = {"source_address": "9.9.9.70", "remote_addresses": ["203.0.113.9"]}
    found = verdicts(
        told([card, inside], [route("eth0", "9.9.9.1")], services=[service], forwarded=[neighbour])
    )

    assert found == {
        "way/eth0/9.9.9.1/4": "available",
        "service/tcp/22": "exposed_service",
        "bridging/eth0+eth1": "bridging",
        "gateway": "bridging",
    }
