"""Hours are lengths, months keep the wall clock, working days come from the calendar."""

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.regimes.calendar import Offset, Workdays, add_months

ZONES = ["Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"]
times = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds
zones = st.sampled_from(ZONES).map(ZoneInfo)


def after(limit: str, start: str, zone: str | None = None, workdays: Workdays | None = None) -> str | None:
    end = Offset.parse_yaml(limit).after(
        datetime.fromisoformat(start), ZoneInfo(zone) if zone is not None else None, workdays
    )
    return end.isoformat() if end is not None else None


@pytest.mark.parametrize("text", ["30m", "4h", "30d", "1mo", "5wd", "84h"])
def test_a_limit_reads_back_as_it_was_written(text: str) -> None:
    assert str(Offset.parse_yaml(text)) == text


@pytest.mark.parametrize(
    "text", ["", "4", "mo", "0mo", "-1mo", "1000wd", "1.5h", "one month", "1mo2d", "٣mo"]
)
def test_what_is_no_limit_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="a limit such as"):
        Offset.parse_yaml(text)


@given(times, st.integers(0, 40 * 24), zones, zones)
def test_a_limit_in_hours_ends_at_the_same_instant_in_every_zone(
    start: datetime, hours: int, one: ZoneInfo, other: ZoneInfo
) -> None:
    limit = Offset(length=timedelta(hours=hours))
    ends = {limit.after(start.astimezone(one), zone) for zone in (None, one, other)}

    assert ends == {start + timedelta(hours=hours)}


def test_24_hours_over_a_change_of_clocks_are_24_hours() -> None:
    assert after("24h", "2026-10-25T00:30:00+02:00", "Europe/Berlin") == "2026-10-25T23:30:00+01:00"
    assert after("24h", "2026-03-29T00:30:00+01:00", "Europe/Berlin") == "2026-03-30T01:30:00+02:00"


@pytest.mark.parametrize(
    ("start", "zone", "end"),
    [
        ("2026-01-31T18:00:00+08:00", "Asia/Shanghai", "2026-02-28T18:00:00+08:00"),
        ("2028-01-31T18:00:00+08:00", "Asia/Shanghai", "2028-02-29T18:00:00+08:00"),
        ("2026-12-31T23:59:59+08:00", "Asia/Shanghai", "2027-01-31T23:59:59+08:00"),
        ("2026-03-31T00:00:00+08:00", None, "2026-04-30T00:00:00+08:00"),
        # The day is the unit's own: 31 January 23:30 UTC is 1 February in Berlin.
        ("2026-01-31T23:30:00+00:00", "Europe/Berlin", "2026-03-01T00:30:00+01:00"),
        ("2026-01-31T23:30:00+00:00", None, "2026-02-28T23:30:00+00:00"),
        # Wall-clock time is kept over a change of clocks.
        ("2026-03-10T12:00:00+01:00", "Europe/Berlin", "2026-04-10T12:00:00+02:00"),
        # 02:30 on 29 March 2026 does not exist in Berlin; 02:30 on 25 October exists twice, the first counts.
        ("2026-02-28T02:30:00+01:00", "Europe/Berlin", "2026-03-28T02:30:00+01:00"),
        ("2026-03-01T02:30:00+01:00", "Europe/Berlin", "2026-04-01T02:30:00+02:00"),
        ("2027-02-28T02:30:00+01:00", "Europe/Berlin", "2027-03-28T03:30:00+02:00"),
        ("2026-09-25T02:30:00+02:00", "Europe/Berlin", "2026-10-25T02:30:00+02:00"),
    ],
)
def test_one_month_keeps_day_and_wall_clock_time(start: str, zone: str | None, end: str) -> None:
    assert after("1mo", start, zone) == end


@given(times, st.integers(1, 120), zones)
def test_a_month_later_is_never_past_the_month_it_ends_in(
    start: datetime, months: int, zone: ZoneInfo
) -> None:
    local = start.astimezone(zone)
    end = add_months(local, months)

    assert (end.year * 12 + end.month) - (local.year * 12 + local.month) == months
    assert end.day == local.day or (end.day < local.day and (end + timedelta(days=1)).day == 1)
    assert end.time() == local.time()


WEEK = Workdays(
    {2026: frozenset(date(2026, 1, 1) + timedelta(days=n) for n in range(365) if n % 7 not in {2, 3})}
)


def test_working_days_skip_what_the_calendar_leaves_out() -> None:
    # 1 January 2026 is a Thursday; the calendar has every day but Saturdays and Sundays.
    assert after("5wd", "2026-01-01T17:40:00+08:00", "Asia/Shanghai", WEEK) == "2026-01-08T17:40:00+08:00"
    assert after("1wd", "2026-01-02T17:40:00+08:00", None, WEEK) == "2026-01-05T17:40:00+08:00"


def test_a_year_that_the_calendar_does_not_have_gives_no_end() -> None:
    assert after("5wd", "2026-12-30T09:00:00+08:00", None, WEEK) is None
    assert after("5wd", "2026-01-01T09:00:00+08:00") is None


def test_limits_are_compared_by_how_long_they_are() -> None:
    texts = ["30m", "1h", "4h", "72h", "5wd", "14d", "30d", "1mo"]

    assert texts == sorted(texts, key=lambda text: Offset.parse_yaml(text).strictness)


def test_without_a_zone_the_offset_of_the_anchor_counts() -> None:
    start = datetime(2026, 1, 31, 1, tzinfo=timezone(timedelta(hours=-5)))

    assert Offset(months=1).after(start, None) == datetime(
        2026, 2, 28, 1, tzinfo=timezone(timedelta(hours=-5))
    )
