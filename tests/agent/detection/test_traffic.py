from datetime import UTC, datetime, timedelta

from agent.detection.tally import Tally
from agent.detection.traffic import Traffic, TrafficSettings
from collector import shipped
from collector.classes import read_classes

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
HOST = bytes([10, 1, 1, 5])


def asked(count: int, begin: int = 0) -> Tally:
    tally = Tally()
    for number in range(begin, begin + count):
        tally.asked[bytes([198, 18, number >> 8 & 255, number & 255]), HOST, b"\0\x50"] = 1
    return tally


def test_a_flood_of_forged_addresses_costs_scans_a_bounded_part_of_it() -> None:
    traffic = Traffic(TrafficSettings())
    keys = set()
    for second in range(5):
        told = traffic.step(asked(20_000), 1.0, START + timedelta(seconds=second))
        keys |= {one.body["key"] for one in told}

    assert keys == {"flood:syn:10.1.1.5:80"}
    assert len(traffic._scans._waiting) <= 5 * 5_000


def test_an_address_that_goes_between_this_hosts_own_cards_is_no_incident() -> None:
    cards = [bytes([2, 0, 0, 0, 0, number]) for number in (1, 2)]
    own, other = Traffic(TrafficSettings()), Traffic(TrafficSettings())
    own.know(frozenset(cards))
    told: dict[Traffic, list[str]] = {own: [], other: []}
    for second in range(6):
        for traffic in (own, other):
            tally = Tally()
            tally.claims[HOST, cards[second % 2]] = 1
            found = traffic.step(tally, 1.0, START + timedelta(seconds=second))
            told[traffic] += [one.body["key"] for one in found]

    assert (told[own], set(told[other])) == ([], {"arp:10.1.1.5"})


def test_nothing_leads_to_nothing() -> None:
    assert Traffic(TrafficSettings()).step(Tally(), 1.0, START) == []


def test_every_class_stands_in_the_shipped_table() -> None:
    from agent.detection import arp, floods, loss, scans, tunnels  # noqa: PLC0415 - their constants only

    table = shipped.configs_dir() / "classes.yaml"
    known = read_classes(table.read_text("utf-8"), str(table)).by_code

    assert {module.CLASS for module in (arp, floods, loss, scans, tunnels)} <= set(known)
