from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from agent.detection.arp import ArpSettings, Claims
from agent.detection.tally import Tally

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
ADDRESS = bytes([10, 1, 1, 1])
HOST = bytes([10, 1, 1, 5])
A, B = bytes.fromhex("0200000000aa"), bytes.fromhex("0200000000bb")


def claimed(claims: dict[tuple[bytes, bytes], int]) -> Tally:
    tally = Tally()
    tally.claims.update(claims)
    return tally


def reply(mac: bytes, *, asked: bool = False) -> Tally:
    """The address said to be the MAC's to a host, which asked for it or did not."""
    tally = claimed({(ADDRESS, mac): 1})
    tally.replies[ADDRESS, mac, HOST] = 1
    if asked:
        tally.sought.add((HOST, ADDRESS))
    return tally


def told(order: str, every: float = 1.0, settings: ArpSettings | None = None) -> list[str]:
    """Let the MACs claim the address in an order; return how each finding was made."""
    claims = Claims(settings or ArpSettings())
    macs = {"A": A, "B": B}
    return [
        str(finding.item["how"])
        for number, name in enumerate(order)
        for finding in claims.step(
            claimed({(ADDRESS, macs[name]): 1}), START + timedelta(seconds=number * every)
        )
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


def test_replies_that_nobody_asked_for_by_one_who_took_the_address_are_told() -> None:
    claims = Claims(ArpSettings())
    found = [claims.step(reply(mac), START + timedelta(seconds=at)) for at, mac in enumerate([A, B, B, B, B])]

    assert [[one.item["how"] for one in each] for each in found] == [[], [], [], ["unasked"], ["unasked"]]


def test_a_new_owner_that_answers_questions_and_an_only_owner_that_does_not_wait_for_them_are_none() -> None:
    answering, only = Claims(ArpSettings()), Claims(ArpSettings())
    answering.step(reply(A), START)
    for second in range(1, 30):
        at = START + timedelta(seconds=second)
        assert answering.step(reply(B, asked=True), at) == []
        assert only.step(reply(A), at) == []


def test_a_finding_names_both_macs_and_the_address() -> None:
    claims = Claims(ArpSettings(known={"10.1.1.1": "02:00:00:00:00:aa"}))
    (finding,) = claims.step(claimed({(ADDRESS, B): 7}), START)

    assert (finding.key, finding.incident_class, finding.severity) == ("arp:10.1.1.1", "NATRAFHIJ", "high")
    assert (finding.item["mac"], finding.item["other_mac"]) == ("02:00:00:00:00:bb", "02:00:00:00:00:aa")
    assert finding.times == 7


def test_shared_addresses_probes_and_any_number_of_hosts_are_borne() -> None:
    claims = Claims(ArpSettings())
    shared = bytes.fromhex("00005e000107")
    for number in range(20_500):
        at = START + timedelta(milliseconds=number)
        many = claimed({(number.to_bytes(4, "big"), A): 1, (bytes(4), B): 1, (ADDRESS, shared): 1})
        assert claims.step(many, at) == []

    assert len(claims._holders) == 20_000


@given(st.text("AB", max_size=40))
def test_nothing_is_told_before_the_third_change(order: str) -> None:
    changes = sum(one != two for one, two in pairwise(order))

    assert len(told(order)) == max(0, changes - 2)
