from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest

from collector.exposure import scope_of
from collector.registry import read_registry

SHIPPED = Path(__file__).parents[3] / "configs/registry.yaml"
REGISTRY = read_registry(SHIPPED.read_text("utf-8"), "registry.yaml")
SCOPE = scope_of(REGISTRY, "district", REGISTRY.asset("district-oa"))


def test_a_node_of_an_unknown_asset_has_no_zone_and_no_exits() -> None:
    scope = scope_of(REGISTRY, "district", None)

    assert (scope.zone, scope.exits, scope.policy.exits) == (None, (), "none")


@pytest.mark.parametrize(
    "inside",
    ["10.1.1.1", "100.64.9.9", "127.0.0.1", "169.254.1.1", "224.0.0.251", "fe80::1", "fd20::9", "::1"],
)
def test_addresses_that_are_never_the_internet(inside: str) -> None:
    assert not SCOPE.outside(ip_address(inside))


def test_our_own_public_range_is_the_internet_zone() -> None:
    assert SCOPE.outside(ip_address("198.51.100.7"))
    assert SCOPE.zone_of(ip_address("198.51.100.7")) == "internet"
    assert SCOPE.zone_of(ip_address("9.9.9.9")) == "internet"
    assert SCOPE.zone_of(ip_address("10.20.1.1")) == "extranet"
    assert SCOPE.zone_of(ip_address("192.168.1.1")) is None


def test_a_range_leads_outside_unless_all_of_it_is_inside() -> None:
    assert SCOPE.leads_outside(ip_network("0.0.0.0/0"))
    assert SCOPE.leads_outside(ip_network("10.0.0.0/7"))
    assert SCOPE.leads_outside(ip_network("::/0"))
    assert SCOPE.leads_outside(ip_network("198.51.100.0/24"))
    assert not SCOPE.leads_outside(ip_network("10.0.0.0/8"))
    assert not SCOPE.leads_outside(ip_network("fe80::/64"))
