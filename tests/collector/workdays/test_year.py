"""Only what is confirmed becomes a calendar that limits count by."""

from datetime import date

from msgspec.structs import replace

from collector.workdays import CalendarYear, calendars_of
from collector.workdays.year import days_of, weekdays_of

PLAIN = CalendarYear(region="CN", year=2027, confirmed=True, source="x", working=weekdays_of(2027))


def test_a_year_has_all_its_days() -> None:
    assert len(list(days_of(2028))) == 366
    assert len(list(days_of(2027))) == 365
    assert all(day.weekday() < 5 for day in weekdays_of(2027))


def test_what_differs_from_monday_to_friday_is_told_in_order() -> None:
    sunday, monday = date(2027, 1, 3), date(2027, 1, 4)
    year = replace(PLAIN, working=(PLAIN.working | {sunday}) - {monday})

    assert list(year.unusual()) == [(sunday, True), (monday, False)]


def test_a_year_that_is_not_confirmed_is_no_calendar() -> None:
    guess = replace(PLAIN, year=2028, confirmed=False, working=weekdays_of(2028))

    calendars = calendars_of([PLAIN, guess])

    assert list(calendars.by_region["CN"].days) == [2027]
