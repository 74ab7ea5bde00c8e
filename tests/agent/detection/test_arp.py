from datetime import UTC, datetime, timedelta
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.detection.arp import ArpSettings, Claims
from agent.detection.tally import Tally

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
ADDRESS = bytes([10, 1, 1, 1])
HOST = bytes([10, 1, 1, 5])
A, B, THIEF = (bytes.fromhex(f"0200000000{end}") for end in ("aa", "bb", "cc"))


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


def told(
    order: str,
    every: float = 1.0,
    settings: ArpSettings | None = None,
    cards: frozenset[bytes] = frozenset(),
) -> list[str]:
    """Let the MACs claim the address in an order; return how each finding was made."""
    claims = Claims(settings or ArpSettings())
    claims.cards = cards
    macs = {"A": A, "B": B, "C": THIEF}
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


BONDED = ArpSettings(known={"10.1.1.1": "02:00:00:00:00:aa 02:00:00:00:00:bb"})


def bonded(
    settings: ArpSettings, *, minutes: int = 5, thief_at: int | None = None
) -> list[tuple[int, str, str]]:
    """A host in mode balance-alb as a client of it hears it; return when, how, and by whom a theft was told.

    It asks from its first card, and two seconds later tells the client twice, unasked, to use the second one.
    """
    claims = Claims(settings)
    found = []
    for second in range(60 * minutes):
        heard = Tally()
        if second % 20 == 0:
            heard = claimed({(ADDRESS, A): 1})
        elif second % 20 == 2:
            heard = reply(B)
            heard.claims[ADDRESS, B] = heard.replies[ADDRESS, B, HOST] = 2
        if second == thief_at:
            heard.claims[ADDRESS, THIEF] = 1  # once, to everybody, as an announcement
        told = claims.step(heard, START + timedelta(seconds=second))
        found += [(second, str(one.item["how"]), str(one.item["mac"])) for one in told]
    return found


def test_a_bonded_host_that_nobody_named_looks_like_a_thief_to_its_clients() -> None:
    """The limit of what packets tell; docs/detection.md says the remedy."""
    assert {how for _, how, _ in bonded(ArpSettings())} == {"turns", "unasked"}


def test_a_bonded_host_whose_cards_are_known_is_left_alone() -> None:
    assert bonded(BONDED, minutes=60) == []


def test_one_announcement_by_a_third_mac_among_known_cards_is_told_at_once() -> None:
    assert bonded(BONDED, thief_at=77) == [(77, "known", "02:00:00:00:00:cc")]


def test_cards_that_are_known_may_not_claim_another_address() -> None:
    claims = Claims(ArpSettings(known={"10.1.1.9": "02:00:00:00:00:aa", **BONDED.known}))
    (finding,) = claims.step(claimed({(bytes([10, 1, 1, 9]), B): 1}), START)

    assert (finding.item["how"], finding.item["other_mac"]) == ("known", "02:00:00:00:00:aa")


def test_this_hosts_own_cards_are_one_owner_and_a_thief_among_them_is_told() -> None:
    own = frozenset({A, B})

    assert told("AB" * 50, cards=own) == []
    assert told("ABAB") == ["turns"]
    assert told("ABACBCB", cards=own) == ["turns", "turns"]
    assert told("ACAC", cards=own) == ["turns"]
    assert told("CACA", cards=own) == ["turns"]  # we take an address that is not ours


def test_replies_that_nobody_asked_for_by_another_card_of_this_host_are_its_own() -> None:
    claims = Claims(ArpSettings())
    claims.cards = frozenset({A, B})
    for second in range(20):
        mac = A if second % 2 else B
        assert claims.step(reply(mac), START + timedelta(seconds=second)) == []
    third = [claims.step(reply(THIEF), START + timedelta(seconds=20 + second)) for second in range(3)]

    assert [[one.item["how"] for one in each] for each in third] == [[], [], ["unasked"]]


def test_a_known_address_is_meant_however_it_is_written_and_what_is_none_is_refused() -> None:
    claims = Claims(ArpSettings(known={"2001:DB8:0::1": "02:00:00:00:00:aa"}))
    address = bytes.fromhex("20010db8" + 22 * "0" + "01")

    assert len(claims.step(claimed({(address, B): 1}), START)) == 1
    for known in ({"gateway": "02:00:00:00:00:aa"}, {"10.1.1.1": ""}, {"10.1.1.1": "02:00:00:00:00:aa,"}):
        with pytest.raises(msgspec.ValidationError, match=r"known|is no address"):
            msgspec.convert({"known": known}, ArpSettings)


@given(st.text("AB", max_size=40))
def test_nothing_is_told_before_the_third_change(order: str) -> None:
    changes = sum(one != two for one, two in pairwise(order))

    assert len(told(order)) == max(0, changes - 2)
