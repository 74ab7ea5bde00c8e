import doctest
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent import backoff
from agent.backoff import FIRST, LONGEST, LONGEST_ASKED, Backoff, seconds_asked

NOW = datetime(2026, 3, 2, 1, 10, tzinfo=UTC)


@given(
    steps=st.lists(st.one_of(st.none(), st.floats(-10, 1e9), st.just("succeeded")), max_size=200),
    draws=st.floats(0, 1, exclude_max=True),
)
def test_a_wait_lies_between_what_was_asked_and_a_jittered_ceiling(
    steps: list[float | str | None], draws: float
) -> None:
    backoff = Backoff(lambda: draws)
    row = 0
    for step in steps:
        if isinstance(step, str):
            backoff.succeeded()
            row = 0
            continue
        wait = backoff.failed(step)
        floor = min(max(step or 0, 0), LONGEST_ASKED)
        assert floor <= wait <= floor + min(LONGEST, FIRST * 2**row)
        row = min(row + 1, 40)


def test_a_thousand_failures_in_a_row_are_no_last_try() -> None:
    backoff = Backoff(lambda: 0.999)

    waits = [backoff.failed() for _ in range(1000)]

    assert waits[-1] == pytest.approx(60, rel=0.01)
    assert backoff.failures == 1000


@given(st.integers(0, 10**6))
def test_retry_after_is_read_as_seconds_or_as_a_date(seconds: int) -> None:
    date = format_datetime(NOW + timedelta(seconds=seconds), usegmt=True)

    assert seconds_asked(str(seconds), NOW) == seconds
    assert seconds_asked(date, NOW) == seconds


@pytest.mark.parametrize("header", [None, "", "soon", "-5", "٣", "1e9", "Mon, 99 Foo 2026"])
def test_a_retry_after_that_says_nothing_asks_for_nothing(header: str | None) -> None:
    assert seconds_asked(header, NOW) is None


def test_a_date_that_has_passed_asks_for_no_wait() -> None:
    assert seconds_asked("Sun, 01 Mar 2026 01:10:00 GMT", NOW) == 0


def test_a_date_without_a_zone_asks_for_nothing() -> None:
    assert seconds_asked("Sun, 01 Mar 2026 01:10:00 -0000", NOW) is None


def test_the_example_is_true() -> None:
    assert doctest.testmod(backoff).attempted
    assert doctest.testmod(backoff).failed == 0
