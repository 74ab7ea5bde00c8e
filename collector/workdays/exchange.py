"""Calendars that others publish, as an operator's file; and such a file as text.

Read is what the project holiday-cn publishes of each year's decree, the form most tools in China read:
`{"year": 2027, "papers": ["https://…"], "days": [{"name": "元旦", "date": "2027-01-01", "isOffDay": true}]}`.
"""

import json
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise
from typing import Annotated

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace

from wire.codec import UNREADABLE

from ..regimes import Region
from ..yaml_marks import Mistake, Mistakes
from .file import CalendarFile, Off, Worked
from .year import SATURDAY

_ONE = timedelta(days=1)


class _Day(Struct, frozen=True, kw_only=True, rename={"off": "isOffDay"}):
    name: Annotated[str, Meta(max_length=80)]
    date: date
    off: bool


class _Published(Struct, frozen=True, kw_only=True):
    year: Annotated[int, Meta(ge=2000, le=2200)]
    days: Annotated[tuple[_Day, ...], Meta(min_length=1, max_length=366)]
    papers: tuple[str, ...] = ()


def read_published(content: bytes, file: str) -> CalendarFile:
    """Read a year as holiday-cn publishes it; days of the neighbouring years are left to their own files.

    Raises:
        Mistakes: it is no such document, or tells of no day of its year.
    """
    expected = "a year as holiday-cn publishes it"
    try:
        found = msgspec.json.decode(content, type=_Published)
    except UNREADABLE as error:
        raise Mistakes([Mistake(file, 1, 1, "$", f"other JSON ({error})", expected)]) from None
    days = sorted((day for day in found.days if day.date.year == found.year), key=lambda day: day.date)
    if not days:
        raise Mistakes([Mistake(file, 1, 1, "days", "no day of its own year", expected)])
    return CalendarFile(
        region=Region("CN"),
        year=found.year,
        source=" ".join(found.papers)[:200] or file[-200:],
        off=tuple(_stretches([day for day in days if day.off])),
        worked=tuple(
            Worked(day=day.date, name=day.name)
            for day in days
            if not day.off and day.date.weekday() >= SATURDAY
        ),
    )


def write_calendar(calendar: CalendarFile) -> str:
    """Return a file's text."""

    def quoted(text: str) -> str:
        return json.dumps(text, ensure_ascii=False)

    def named(name: str) -> str:
        return f", name: {quoted(name)}" if name else ""

    off = [
        f"  - {{from: {one.start}, until: {one.until or one.start}{named(one.name)}}}" for one in calendar.off
    ]
    worked = [f"  - {{day: {one.day}{named(one.name)}}}" for one in calendar.worked]
    head = [f"region: {calendar.region}", f"year: {calendar.year}", f"source: {quoted(calendar.source)}"]
    lines = [*head, f"base: {calendar.base}", "off:" if off else "off: []", *off]
    return "\n".join([*lines, "worked:" if worked else "worked: []", *worked]) + "\n"


def _stretches(days: list[_Day]) -> Iterator[Off]:
    """Days off that follow each other under one name, as one entry."""
    begun: Off | None = None
    for day, following in pairwise([*days, None]):
        assert day is not None  # noqa: S101 - only the last of the second ones is
        begun = (
            replace(begun, until=day.date) if begun else Off(start=day.date, until=day.date, name=day.name)
        )
        if following is None or following.date != day.date + _ONE or following.name != day.name:
            yield begun
            begun = None
