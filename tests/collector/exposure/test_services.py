"""Services toward the internet."""

import pytest

from tests.collector.exposure.told import ANYWHERE, EXPOSED, link, told, verdicts


@pytest.mark.parametrize(
    ("address", "found"),
    [(ANYWHERE, EXPOSED), ("::", EXPOSED), ("198.51.100.7", EXPOSED), ("10.20.0.9", {}), ("127.0.0.1", {})],
)
def test_a_service_on_an_address_outside_is_exposed(address: str, found: dict[str, str]) -> None:
    links = [link("eth0", "198.51.100.7"), link("eth1", "10.20.0.9")]
    service = {"protocol": "tcp", "address": address, "port": 22, "process": "sshd"}

    assert verdicts(told(links, [], services=[service]), "district-portal") == found


def test_what_the_zones_policy_allows_may_listen() -> None:
    services = [
        {"protocol": "tcp", "address": ANYWHERE, "port": 443},
        {"protocol": "udp", "address": ANYWHERE, "port": 68},
    ]
    facts = told([link("eth0", "198.51.100.7")], [], services=services)

    assert verdicts(facts, "district-portal") == {}
    assert verdicts(facts, "district-oa") == {"service/tcp/443": "exposed_service"}
