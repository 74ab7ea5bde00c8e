from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.detection.repeats import Finding
from agent.detection.scans import Door, Knocked, Scans, ScanSettings

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
ATTACKER, VICTIM = "203.0.113.9", "10.1.1.5"


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def refused(scans: Scans, count: int, every: float, begin: float = 0) -> list[Finding]:
    return [
        found
        for number in range(count)
        for found in scans.refused(ATTACKER, Door(VICTIM, 1000 + number), after(begin + number * every))
    ]


def test_twenty_five_refused_ports_in_a_minute_are_a_scan() -> None:
    found = refused(Scans(ScanSettings()), 25, 0.1)

    assert [(one.key, one.incident_class, one.severity, one.times) for one in found] == [
        ("scan:203.0.113.9", "NASCAN", "medium", 25)
    ]
    assert (found[0].target_address, found[0].item["pace"], found[0].item["ports"]) == (VICTIM, "fast", 25)


def test_twenty_four_are_none() -> None:
    assert refused(Scans(ScanSettings()), 24, 0.1) == []


def test_a_door_every_five_minutes_is_a_scan_too_once_it_has_met_sixty() -> None:
    found = refused(Scans(ScanSettings()), 70, 300)

    assert next((one.severity, one.item["pace"], one.times) for one in found) == ("low", "slow", 60)
    assert sum(one.times for one in found) == 70


def test_one_every_ten_minutes_stays_below_what_can_be_told_from_chance() -> None:
    assert refused(Scans(ScanSettings()), 100, 600) == []


def test_the_same_dead_printer_asked_for_ever_is_no_scan() -> None:
    scans = Scans(ScanSettings())
    for second in range(5000):
        assert scans.refused(ATTACKER, Door("10.9.9.9", 9100), after(second)) == []


def test_a_browser_that_gets_answers_is_none_however_many_doors_it_opens() -> None:
    scans = Scans(ScanSettings())
    for number in range(500):
        door = Door(f"198.51.100.{number % 250}", 443 + number)
        scans.asked("10.1.1.7", door, after(number / 100))
        scans.answered("10.1.1.7", door)
        assert scans.step(after(number / 100)) == []

    assert scans.step(after(100)) == []


def test_silence_counts_after_the_patience_and_not_before() -> None:
    scans = Scans(ScanSettings())
    for number in range(30):
        scans.asked(ATTACKER, Door(f"10.1.1.{number}", 22), after(0))

    assert scans.step(after(2)) == []
    found = scans.step(after(3))
    assert (found[-1].target_address, found[-1].item["addresses"]) == (None, 30)
    assert sum(one.times for one in found) == 30


def test_who_may_scan_is_left_alone_and_its_neighbours_are_not() -> None:
    allowing = ScanSettings(ignore=("203.0.113.0/29", "2001:db8::/64"))

    assert refused(Scans(allowing), 100, 0.1)
    assert refused(Scans(ScanSettings(ignore=("203.0.113.9",))), 100, 0.1) == []
    with pytest.raises(ValueError, match="addresses or networks"):
        ScanSettings(ignore=("our scanner",))


def test_forged_sources_hold_no_memory() -> None:
    scans = Scans(ScanSettings())
    for number in range(10_500):
        scans.refused(f"a{number}", Door(VICTIM, 1), after(0))

    assert len(scans._sources) == 10_000


def restarted(scans: Scans, settings: ScanSettings | None = None) -> Scans:
    saved = msgspec.json.decode(msgspec.json.encode(scans.saved()), type=list[Knocked])
    return Scans(settings or ScanSettings(), saved)


def test_a_slow_scan_is_told_once_however_often_the_agent_starts_anew() -> None:
    scans, found = Scans(ScanSettings()), []
    for number in range(70):
        scans = restarted(scans)
        found += scans.refused(ATTACKER, Door(VICTIM, 1000 + number), after(300 * number))

    assert (found[0].item["pace"], found[0].times) == ("slow", 60)
    assert sum(one.times for one in found) == 70


def test_doors_of_before_a_long_stop_do_not_count() -> None:
    scans = Scans(ScanSettings())
    refused(scans, 59, 60)

    assert restarted(scans).refused(ATTACKER, Door(VICTIM, 9), after(59 * 60 + 21600 + 60)) == []


def test_what_is_saved_is_bounded_and_the_heaviest_are_in_it() -> None:
    scans = Scans(ScanSettings())
    refused(scans, 55, 1)
    for number in range(5000):
        scans.refused(f"198.51.100.{number}", Door(VICTIM, number % 3), after(60 + number / 100))
    saved = scans.saved()

    assert (len(saved), saved[0].source, len(saved[0].doors)) == (200, ATTACKER, 55)
    patient = Scans(ScanSettings(doors=3000, slow_doors=3000))
    for source in range(5):
        for number in range(2000):
            patient.refused(f"a{source}", Door(VICTIM, number), after(number))
    assert sum(len(one.doors) for one in patient.saved()) == 8000


def test_a_time_that_is_none_is_refused_where_it_is_read() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(b'[{"source": "a", "doors": [["b", 1, 999999999999999]]}]', type=list[Knocked])


@given(st.lists(st.tuples(st.integers(1, 40), st.floats(0, 30)), max_size=80))
def test_fewer_doors_than_the_limit_are_never_a_scan(steps: list[tuple[int, float]]) -> None:
    settings = ScanSettings(doors=25, slow_doors=60)
    scans = Scans(settings)
    at, doors = 0.0, set()
    for port, pause in steps:
        at += pause
        doors.add(port)
        found = scans.refused(ATTACKER, Door(VICTIM, port), after(at))
        assert not found or len(doors) >= 25
