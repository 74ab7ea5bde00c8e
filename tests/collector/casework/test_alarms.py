from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from collector.casework.alarms import last_due, moments, moments_of, overdue_after
from collector.casework.dossier import Dossier
from collector.store.clocks import Alarm, Clock

NINE = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
SPRING = datetime(2026, 3, 28, 23, 30, tzinfo=UTC)  # half an hour after midnight in Berlin
LENGTHS = st.integers(0, 10**6).map(lambda seconds: timedelta(seconds=seconds))


def test_a_fresh_clock_speaks_at_half_four_fifths_and_due() -> None:
    assert moments(NINE, NINE + HOUR, "due", NINE) == [
        ("half", NINE + timedelta(minutes=30)),
        ("four_fifths", NINE + timedelta(minutes=48)),
        ("due", NINE + HOUR),
    ]


def test_the_two_before_it_is_due_are_where_the_settings_put_them() -> None:
    assert moments(NINE, NINE + HOUR, "due", NINE, (25, 90)) == [
        ("half", NINE + timedelta(minutes=15)),
        ("four_fifths", NINE + timedelta(minutes=54)),
        ("due", NINE + HOUR),
    ]


@given(LENGTHS, LENGTHS)
def test_of_what_is_past_only_the_last_word_is_said(length: timedelta, passed: timedelta) -> None:
    now = NINE + passed
    found = moments(NINE, NINE + length, "due", now)

    assert sum(at <= now for _, at in found) <= 1
    assert found[-1] == ("due", NINE + length)
    assert [at for _, at in found] == sorted(at for _, at in found)


def test_half_of_a_night_in_which_clocks_change_is_half_of_its_hours() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    start, end = (at.astimezone(berlin) for at in (SPRING, SPRING + 4 * HOUR))

    assert moments(start, end, "due", SPRING)[0] == ("half", SPRING + 2 * HOUR)
    assert overdue_after(start, HOUR, SPRING + 3 * HOUR) == ("overdue_4", SPRING + 4 * HOUR)


def test_a_limit_of_no_length_is_due_at_once() -> None:
    assert moments(NINE, NINE, "due", NINE) == [("due", NINE)]


@given(LENGTHS, st.integers(1, 120))
def test_the_next_repetition_lies_within_one_interval_after_now(late: timedelta, minutes: int) -> None:
    every, now = timedelta(minutes=minutes), NINE + late
    kind, at = overdue_after(NINE, every, now)

    assert now < at <= now + every
    assert at == NINE + int(kind.removeprefix("overdue_")) * every


@pytest.fixture
def clock(opened: Callable[..., Dossier]) -> Clock:
    (clock,) = opened().clocks.values()
    return clock


def test_a_target_speaks_like_a_due_time_but_under_its_own_name(clock: Clock) -> None:
    assert [kind for kind, _ in moments_of(clock, NINE)] == ["half", "four_fifths", "target"]


@pytest.mark.parametrize("state", ["met", "met_late", "not_yet", "cannot_compute", "withdrawn"])
def test_a_clock_that_does_not_run_is_silent(clock: Clock, state: str) -> None:
    assert moments_of(replace(clock, state=state), NINE) == []


def test_a_clock_without_due_time_or_target_is_silent(clock: Clock) -> None:
    assert moments_of(replace(clock, target_at=None), NINE) == []


def test_of_several_due_alarms_the_latest_is_sent() -> None:
    alarms = [
        Alarm(id=kind, incident="i", clock="c", generation=1, kind=kind, at=at)
        for kind, at in moments(NINE, NINE + HOUR, "due", NINE)
    ]

    assert last_due(alarms).kind == "due"
