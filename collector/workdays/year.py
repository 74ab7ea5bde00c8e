"""A year of one calendar, and the years that are in force."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta

from msgspec import Struct

from ..regimes import Calendars, Workdays

SATURDAY = 5


class CalendarYear(Struct, frozen=True, kw_only=True):
    """The working days of a region in one year.

    Fields:
        region: Whose: a country or subdivision by ISO 3166.
        confirmed: The days were decreed and read, not reckoned; only then do they count for a limit of law.
        source: Where they were read.
        names: What days off and working weekends are called, where that is known.
    """

    region: str
    year: int
    confirmed: bool
    source: str
    working: frozenset[date]
    names: Mapping[date, str] = {}

    def unusual(self) -> Iterator[tuple[date, bool]]:
        """The days that differ from Monday to Friday: off on a weekday, or worked on a weekend."""
        for day in days_of(self.year):
            works = day in self.working
            if works != (day.weekday() < SATURDAY):
                yield day, works


def days_of(year: int) -> Iterator[date]:
    """Every day of a year."""
    day = date(year, 1, 1)
    while day.year == year:
        yield day
        day += timedelta(days=1)


def weekdays_of(year: int) -> frozenset[date]:
    """Monday to Friday."""
    return frozenset(day for day in days_of(year) if day.weekday() < SATURDAY)


def calendars_of(years: Iterable[CalendarYear]) -> Calendars:
    """What limits of law count by: confirmed years alone."""
    days: dict[str, dict[int, frozenset[date]]] = {}
    for one in years:
        if one.confirmed:
            days.setdefault(one.region, {})[one.year] = one.working
    return Calendars({region: Workdays(known) for region, known in days.items()})
