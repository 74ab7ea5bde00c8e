import pytest

from tests.collector.exposure.told import GOOD, HOME, codes, judged, link, told, verdicts

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


def test_a_node_the_register_does_not_know_is_not_judged_by_its_guests() -> None:
    assert "gateway" not in verdicts(told([HOME], [GOOD], forwarded=[GUEST]), asset=None)
