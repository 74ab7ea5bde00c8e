"""An operator's own file of one year: what the authority decreed, or what differs here from what is known.

    region: CN
    year: 2027
    source: 国办发明电〔2026〕7号      # who decreed it; it is shown wherever the year is
    base: weekdays                    # Monday to Friday, or `library`: what is known; but for what follows
    off: [{from: 2027-01-01, until: 2027-01-03, name: 元旦}]
    worked: [{day: 2027-01-24, name: 春节调休}]

With `base: weekdays` the file tells the whole year, which is confirmed by it; with `base: library` it is as
sure as the library's year is.
"""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import Annotated, Literal

from msgspec import Meta, Struct

from .. import yaml_marks
from ..regimes import Region
from ..yaml_marks import Mistake, Mistakes, Node
from .library import library_year
from .year import SATURDAY, CalendarYear, weekdays_of

_Name = Annotated[str, Meta(max_length=80)]


class Off(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"start": "from"}):
    """Days off, both ends included; without `until` one day."""

    start: date
    until: date | None = None
    name: _Name = ""

    def days(self) -> Iterator[date]:
        """Each of them."""
        day, last = self.start, self.until or self.start
        while day <= last:
            yield day
            day += timedelta(days=1)


class Worked(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A day of a weekend that is worked (调休)."""

    day: date
    name: _Name = ""


class CalendarFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a file says; `base` tells what it is laid over."""

    region: Region
    year: Annotated[int, Meta(ge=2000, le=2200)]
    source: Annotated[str, Meta(min_length=1, max_length=200)]
    base: Literal["weekdays", "library"] = "weekdays"
    off: tuple[Off, ...] = ()
    worked: tuple[Worked, ...] = ()


def read_calendar(text: str, file: str) -> CalendarFile:
    """Read one file.

    Raises:
        Mistakes: every mistake of it: form, days of other years, days that are already so.
    """
    found, tree = yaml_marks.load_marked(text, file, CalendarFile)
    if mistakes := list(_check(found, tree)):
        raise Mistakes(mistakes)
    return found


def read_calendars(files: Iterable[tuple[str, str]]) -> tuple[CalendarFile, ...]:
    """Read pairs of file name and text.

    Raises:
        Mistakes: every mistake of every file; a region's year that stands in two files is one.
    """
    found: dict[tuple[str, int], tuple[CalendarFile, str]] = {}
    mistakes: list[Mistake] = []
    for file, text in files:
        try:
            calendar = read_calendar(text, file)
        except Mistakes as error:
            mistakes.extend(error.mistakes)
            continue
        key = (str(calendar.region), calendar.year)
        if key in found:
            said = f"{calendar.region} {calendar.year} again"
            mistakes.append(Mistake(file, 1, 1, "year", said, f"one a year; the other is {found[key][1]}"))
        found[key] = (calendar, file)
    if mistakes:
        raise Mistakes(mistakes)
    return tuple(calendar for calendar, _ in found.values())


def overlay(file: CalendarFile) -> CalendarYear:
    """The year that a file makes."""
    off = {day: one.name for one in file.off for day in one.days()}
    worked = {one.day: one.name for one in file.worked}
    if file.base == "library":
        below = library_year(str(file.region), file.year)
        working, names, confirmed = below.working, below.names, below.confirmed
        source = f"{file.source} + {below.source}"
    else:
        working, names, confirmed, source = weekdays_of(file.year), {}, True, file.source
    return CalendarYear(
        region=str(file.region),
        year=file.year,
        confirmed=confirmed,
        source=source,
        working=(working - off.keys()) | worked.keys(),
        names={**names, **off, **worked},
    )


def _check(found: CalendarFile, tree: Node) -> Iterator[Mistake]:
    off: dict[date, str] = {}
    for index, one in enumerate(found.off):
        last = one.until or one.start
        if last < one.start:
            yield tree.mistake(f"off[{index}].until", str(last), "a day not before `from`")
        elif not one.start.year == last.year == found.year:
            yield tree.mistake(f"off[{index}].from", f"{one.start} to {last}", f"days of {found.year}")
        else:
            off |= dict.fromkeys(one.days(), f"off[{index}]")
    for index, day in enumerate(found.worked):
        path = f"worked[{index}].day"
        if day.day.year != found.year:
            yield tree.mistake(path, str(day.day), f"a day of {found.year}")
        elif day.day in off:
            yield tree.mistake(path, f"{day.day}, which is off too ({off[day.day]})", "a day that is worked")
        elif found.base == "weekdays" and day.day.weekday() < SATURDAY:
            yield tree.mistake(path, f"{day.day}, a weekday", "a Saturday or Sunday that is worked")
