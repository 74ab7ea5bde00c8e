import doctest
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from agent.sources.pages import windows
from agent.sources.pages.windows import DAYS, DeployWindow, closes

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
CLOCK = st.times().map(lambda at: f"{at.hour:02}:{at.minute:02}")


def at(day: int, hour: float) -> datetime:
    return MONDAY + timedelta(days=day, hours=hour)


def test_the_example_runs() -> None:
    assert doctest.testmod(windows).failed == 0


def test_a_window_is_open_from_its_begin_to_before_its_end_on_its_days() -> None:
    window = DeployWindow(days=("mon", "wed"), begin="20:00", end="21:30")

    assert window.closes(at(0, 20)) == at(0, 21.5)
    assert window.closes(at(0, 21.5)) is None
    assert window.closes(at(1, 20)) is None
    assert window.closes(at(2, 21)) == at(2, 21.5)


def test_a_window_over_midnight_belongs_to_the_day_it_begins() -> None:
    window = DeployWindow(days=("sun",), begin="23:00", end="02:00")

    assert window.closes(at(7, 1)) == at(7, 2)
    assert window.closes(at(6, 1)) is None


def test_of_several_the_last_to_close_counts() -> None:
    early, late = (DeployWindow(begin="01:00", end=end) for end in ("02:00", "03:00"))

    assert closes((early, late), at(0, 1.5)) == at(0, 3)
    assert closes((), at(0, 1.5)) is None


@given(st.sets(st.sampled_from(DAYS)), CLOCK, CLOCK, st.integers(0, 14 * 1440))
def test_a_window_closes_within_a_day_and_after_now(
    days: set[str], begin: str, end: str, minute: int
) -> None:
    now = MONDAY + timedelta(minutes=minute)
    closing = DeployWindow(days=tuple(days), begin=begin, end=end).closes(now)  # type: ignore[arg-type] # of DAYS

    assert closing is None or now < closing <= now + timedelta(days=1)
