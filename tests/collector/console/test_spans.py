import doctest
from datetime import UTC, datetime, timedelta

import pytest

from collector.console import spans

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def test_the_examples_hold() -> None:
    assert doctest.testmod(spans).failed == 0


@pytest.mark.parametrize(
    ("length", "zh", "en"),
    [
        (timedelta(0), "00:00", "00:00"),
        (timedelta(seconds=59.9), "00:59", "00:59"),
        (timedelta(minutes=59, seconds=59), "59:59", "59:59"),
        (timedelta(hours=1), "1 小时 00 分", "1 h 00 min"),
        (timedelta(hours=23, minutes=59), "23 小时 59 分", "23 h 59 min"),
        (timedelta(days=30), "30 天 0 小时", "30 d 0 h"),
        (-timedelta(minutes=2), "02:00", "02:00"),
    ],
)
def test_a_span_is_said_in_both_languages(length: timedelta, zh: str, en: str) -> None:
    assert (spans.span(length, "zh"), spans.span(length, "en")) == (zh, en)


@pytest.mark.parametrize(
    ("left", "heat"),
    [
        (timedelta(hours=20), "calm"),
        (timedelta(hours=10), "soon"),
        (timedelta(hours=4), "hot"),
        (timedelta(0), "hot"),
        (-timedelta(seconds=1), "late"),
    ],
)
def test_a_clock_of_a_day_grows_hot_as_its_time_goes(left: timedelta, heat: str) -> None:
    assert spans.heat(NOON, NOON + timedelta(hours=24), NOON + timedelta(hours=24) - left) == heat


def test_exactly_due_is_not_late() -> None:
    assert spans.heat(None, NOON, NOON) == "hot"


def test_what_has_no_known_beginning_has_no_known_share() -> None:
    assert spans.elapsed(None, NOON, NOON) == 0.0
    assert spans.elapsed(NOON, NOON + timedelta(hours=1), NOON + timedelta(hours=9)) == 1.0


def test_a_zone_that_is_none_is_utc() -> None:
    assert spans.zone_named("Mars/Base").key == "UTC"
    assert spans.stamp(NOON, spans.zone_named(None)) == "2026-03-02 12:00:00 UTC+0"
