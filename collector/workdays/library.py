"""What libraries know of a region's working days.

For China chinesecalendar has what the State Council decreed, make-up workdays (调休) among it; for a year it
does not have yet, and for other countries, holidays reckons. A year that is decreed anew each time is not
confirmed by reckoning; nor is one of which a day is only estimated, as where a moon has to be seen.
"""

from functools import cache

from ..regimes import Region
from .year import SATURDAY, CalendarYear, days_of

_ESTIMATED = "estimated"
_DECREED = frozenset({"CN", "TW"})  # where every year's days are decreed anew


@cache
def library_year(region: str, year: int) -> CalendarYear:
    """A year of a region; of a subdivision that has no days of its own the country's."""
    country = Region(region).country
    if country == "CN" and (decreed := _chinese(region, year)) is not None:
        return decreed
    own, _, part = region.partition("-")
    return _reckoned(region, country, year, part if own == country else "")


def _chinese(region: str, year: int) -> CalendarYear | None:
    import chinese_calendar  # noqa: PLC0415 - only what counts working days pays for the library

    try:
        working = frozenset(day for day in days_of(year) if chinese_calendar.is_workday(day))
    except NotImplementedError:
        return None
    names = {
        day: chinese_calendar.Holiday(name).chinese
        for day in days_of(year)
        if (day.weekday() < SATURDAY) != (day in working)
        and (name := chinese_calendar.get_holiday_detail(day)[1]) is not None
    }
    source = "chinesecalendar"
    return CalendarYear(region=region, year=year, confirmed=True, source=source, working=working, names=names)


def _reckoned(region: str, country: str, year: int, part: str = "") -> CalendarYear:
    import holidays  # noqa: PLC0415 - likewise; 0.3 s

    try:
        known = holidays.country_holidays(country, subdiv=part or None, years=year, language="en_US")
    except NotImplementedError:
        if not part:
            raise
        return _reckoned(region, country, year)
    working = frozenset(day for day in days_of(year) if known.is_working_day(day))
    names = {day: name for day, name in known.items() if day.year == year}
    sure = bool(names) and country not in _DECREED and not any(_ESTIMATED in name for name in names.values())
    return CalendarYear(
        region=region, year=year, confirmed=sure, source="holidays", working=working, names=names
    )
