"""A host's clock that is set: by how much, and what is moved with it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from agent.clock import Clock
from agent.sources.rounds.steps import TOLERANCE, Mark, mark, shifted, step, stood

NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)
YEARS = timedelta(days=26 * 365)
TIMES = st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis wants them bare


class Known(Struct):
    """What some source remembers."""

    since: datetime
    ended: dict[str, datetime | None]
    tries: list[tuple[str, datetime]]
    count: int = 3


def host(wall: datetime, since_boot: float, boot: str = "b") -> Clock:
    return Clock(now=lambda: wall, monotonic=lambda: since_boot, boot_id=boot)


def known(at: datetime) -> Known:
    return Known(since=at, ended={"portal": at, "mail": None}, tries=[("10.0.0.7", at)])


@pytest.mark.parametrize("wrong", [YEARS, timedelta(hours=8), -timedelta(hours=8)])
def test_a_clock_that_is_set_right_is_seen_by_the_seconds_since_boot(wrong: timedelta) -> None:
    before, none = stood(None, host(NOON - wrong, 60.0))
    after, by = stood(before, host(NOON + timedelta(minutes=5), 360.0))

    assert (none, by) == (timedelta(), wrong)
    assert stood(after, host(NOON + timedelta(minutes=9), 600.0)) == (after, timedelta())


@pytest.mark.parametrize("drift", [timedelta(), TOLERANCE, -TOLERANCE])
def test_a_clock_that_is_only_slewed_was_not_set(drift: timedelta) -> None:
    before, _ = stood(None, host(NOON, 60.0))
    assert stood(before, host(NOON + timedelta(hours=1) + drift, 3660.0)) == (before, timedelta())


def test_many_small_steps_add_up_to_one() -> None:
    """The mark stays while it holds, so that a clock that creeps is found once it is off by more."""
    drift = timedelta(seconds=25)
    kept, _ = stood(None, host(NOON, 0.0))
    found = []
    for minute in range(1, 6):
        wall = NOON + timedelta(minutes=minute) + minute * drift
        kept, by = stood(kept, host(wall, 60.0 * minute))
        found.append(by.total_seconds())
    assert found == [0.0, 0.0, 75.0, 0.0, 0.0]


def test_nothing_is_known_of_another_boot_and_of_a_clock_without_one() -> None:
    before, _ = stood(None, host(NOON, 60.0, "first"))
    assert stood(before, host(NOON - YEARS, 5.0, "second"))[1] == timedelta()
    assert mark(lambda: NOON) is None
    assert step(before, None) == step(None, before) == timedelta()
    assert step(Mark("a", 0.0), Mark("a", 90.0)) == timedelta(seconds=90)


@given(at=TIMES, by=st.timedeltas(-YEARS, YEARS))
def test_every_time_is_moved_and_nothing_else(at: datetime, by: timedelta) -> None:
    assert shifted(known(at), by) == known(at + by)
    assert shifted(shifted(known(at), by), -by) == known(at)


@pytest.mark.parametrize("value", [None, 1, "2026-03-02T04:00:00Z", b"x", (), [], {}, frozenset({"a"})])
def test_what_is_no_time_stays(value: Any) -> None:  # noqa: ANN401 - whatever a source keeps
    assert shifted(value, YEARS) == value


def test_a_time_that_would_leave_the_calendar_stays() -> None:
    last = datetime.max.replace(tzinfo=UTC)
    assert shifted(last, timedelta(days=1)) == last
