"""Lengths of time as laws give them: calendar hours, calendar months, working days.

Hours and days are lengths (24 hours a day, whatever the clocks are set to). A month keeps day and wall-clock
time and ends no later than the month does:

>>> from datetime import datetime
>>> from zoneinfo import ZoneInfo
>>> start = datetime.fromisoformat("2026-01-31T18:00:00+01:00")
>>> Offset.parse_yaml("1mo").after(start, ZoneInfo("Europe/Berlin")).isoformat()
'2026-02-28T18:00:00+01:00'
"""

import re
from calendar import monthrange
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, tzinfo

from msgspec import Struct

from ..yaml_marks import format_duration, parse_duration
from .regions import Region

_MONTH = timedelta(days=31)
_HOUR = timedelta(hours=1)


class Workdays(Struct, frozen=True):
    """The working days of whole years, from the calendar table; a year that is not there is not known."""

    days: Mapping[int, frozenset[date]] = {}

    def lacks(self, day: date, count: int) -> int | None:
        """The year that is not known and would have to be, to count so many working days from a day."""
        for _ in range(count):
            following = self.next(day)
            if following is None:
                return next(year for year in range(day.year, 9999) if year not in self.days)
            day = following
        return None

    def next(self, day: date) -> date | None:
        """The first working day after ``day``; ``None`` where the calendar does not reach."""
        while (working := self.days.get((day := day + timedelta(days=1)).year)) is not None:
            if day in working:
                return day
        return None


class Calendars(Struct, frozen=True):
    """Working days by the region whose they are: a country's, and where it differs a subdivision's."""

    by_region: Mapping[str, Workdays] = {}

    def of(self, region: Region) -> Workdays:
        """Those of a region; for a year that a subdivision has no calendar of its country's count."""
        country, own = (self.by_region.get(name, Workdays()) for name in (region.country, str(region)))
        return Workdays({**country.days, **own.days})


class Offset(Struct, frozen=True):
    """A limit: a length, a number of calendar months, or a number of working days; one of them."""

    length: timedelta = timedelta(0)
    months: int = 0
    workdays: int = 0

    yaml_expectation = "a limit such as 30m, 4h, 30d, 1mo (a calendar month) or 5wd (working days)"

    @classmethod
    def parse_yaml(cls, text: str) -> "Offset":
        """Read ``30m``, ``4h``, ``30d``, ``1mo`` or ``5wd``.

        Raises:
            ValueError: it is none of these.
        """
        for suffix in ("mo", "wd"):
            number = text.removesuffix(suffix)
            if number != text and re.fullmatch(r"[1-9][0-9]{0,2}", number):
                count = int(number)
                return cls(months=count) if suffix == "mo" else cls(workdays=count)
        try:
            return cls(length=parse_duration(text))
        except ValueError:
            return cls._refuse()

    @classmethod
    def _refuse(cls) -> "Offset":
        raise ValueError(cls.yaml_expectation)

    def __str__(self) -> str:
        if self.months:
            return f"{self.months}mo"
        if self.workdays:
            return f"{self.workdays}wd"
        hours, rest = divmod(self.length, _HOUR)
        return f"{hours}h" if 0 < hours < 100 and not rest else format_duration(self.length)

    @property
    def strictness(self) -> timedelta:
        """About how long it is, to tell the stricter of two limits."""
        return self.length + self.months * _MONTH + timedelta(days=self.workdays)

    def after(
        self, start: datetime, zone: tzinfo | None, workdays: Workdays | None = None
    ) -> datetime | None:
        """When the limit ends.

        Args:
            start: the anchor's time, aware.
            zone: the unit's time zone; without one months and working days count at the anchor's offset.
            workdays: the calendar, for limits in working days.

        Returns:
            The end, in the zone the count was made in; ``None`` if the calendar does not reach it.
        """
        local = start.astimezone(zone) if zone is not None else start
        if self.months:
            return _same_instant(add_months(local, self.months))
        if self.workdays:
            return self._after_workdays(local, workdays or Workdays())
        return (start.astimezone(UTC) + self.length).astimezone(local.tzinfo)

    def _after_workdays(self, local: datetime, workdays: Workdays) -> datetime | None:
        day: date | None = local.date()
        for _ in range(self.workdays):
            day = workdays.next(day) if day is not None else None
        return _same_instant(local.replace(year=day.year, month=day.month, day=day.day)) if day else None


def add_months(start: datetime, months: int) -> datetime:
    """Keep day and wall-clock time, clamped to the month's end."""
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    return start.replace(
        year=year, month=month + 1, day=min(start.day, monthrange(year, month + 1)[1]), fold=0
    )


def _same_instant(wall: datetime) -> datetime:
    """A wall-clock time that daylight saving skips is moved to the time that exists."""
    return wall.astimezone(UTC).astimezone(wall.tzinfo)
