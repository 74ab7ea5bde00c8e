from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from agent.detection.arp import ArpSettings, Claims

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
ADDRESS = bytes([10, 1, 1, 1])
A, B = bytes.fromhex("0200000000aa"), bytes.fromhex("0200000000bb")


def told(order: str, every: float = 1.0, settings: ArpSettings | None = None) -> list[str]:
    """Let the MACs claim the address in an order; return how each finding was made."""
    claims = Claims(settings or ArpSettings())
    macs = {"A": A, "B": B}
    return [
        str(finding.item["how"])
        for number, name in enumerate(order)
        for finding in claims.step({(ADDRESS, macs[name]): 1}, START + timedelta(seconds=number * every))
    ]


def test_two_in_turns_are_told_from_the_third_change_on() -> None:
    assert told("ABA") == []
    assert told("ABAB") == ["turns"]
    assert told("ABABA") == ["turns", "turns"]


def test_a_failover_and_a_way_back_are_none() -> None:
    assert told("A" * 50 + "B" * 50) == []
    assert told("A" * 20 + "B" * 20 + "A" * 20) == []


def test_changes_that_are_hours_apart_are_none() -> None:
    assert told("ABABABABAB", every=3600) == []


def test_whoever_else_claims_a_known_address_is_told_at_once() -> None:
    known = ArpSettings(known={"10.1.1.1": "02:00:00:00:00:aa"})

    assert told("AAB", settings=known) == ["known"]
    assert told("AAAA", settings=known) == []


def test_a_finding_names_both_macs_and_the_address() -> None:
    claims = Claims(ArpSettings(known={"10.1.1.1": "02:00:00:00:00:aa"}))
    (finding,) = claims.step({(ADDRESS, B): 7}, START)

    assert (finding.key, finding.incident_class, finding.severity) == ("arp:10.1.1.1", "NATRAFHIJ", "high")
    assert (finding.item["mac"], finding.item["other_mac"]) == ("02:00:00:00:00:bb", "02:00:00:00:00:aa")
    assert finding.times == 7


def test_shared_addresses_probes_and_any_number_of_hosts_are_borne() -> None:
    claims = Claims(ArpSettings())
    shared = bytes.fromhex("00005e000107")
    for number in range(20_500):
        at = START + timedelta(milliseconds=number)
        assert (
            claims.step({(number.to_bytes(4, "big"), A): 1, (bytes(4), B): 1, (ADDRESS, shared): 1}, at) == []
        )

    assert len(claims._holders) == 20_000


@given(st.text("AB", max_size=40))
def test_nothing_is_told_before_the_third_change(order: str) -> None:
    changes = sum(one != two for one, two in pairwise(order))

    assert len(told(order)) == max(0, changes - 2)
