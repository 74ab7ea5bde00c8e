"""The calendar table: which days are worked, so that every process counts a limit of law by the same days.

A row of `calendar_year` says how sure a year is and by whom; the year's days stand in `calendar_day`. A year
is written whole or not at all.
"""

from collections.abc import Iterable
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from ..workdays import CalendarYear
from ..workdays.year import days_of
from . import journal
from .schema import calendar_day, calendar_year, clocks


async def read_years(connection: AsyncConnection) -> dict[tuple[str, int], CalendarYear]:
    """Return every year of the table by region and year."""
    working: dict[tuple[str, int], set[date]] = {}
    names: dict[tuple[str, int], dict[date, str]] = {}
    rows = await connection.execute(
        sa.select(calendar_day).order_by(calendar_day.c.region, calendar_day.c.day)
    )
    for region, day, works, name in rows:
        if works:
            working.setdefault((region, day.year), set()).add(day)
        if name:
            names.setdefault((region, day.year), {})[day] = name
    heads = (await connection.execute(sa.select(calendar_year))).mappings()
    return {
        (head["region"], head["year"]): CalendarYear(
            region=head["region"],
            year=head["year"],
            confirmed=head["confirmed"],
            source=head["source"],
            working=frozenset(working.get((head["region"], head["year"]), ())),
            names=names.get((head["region"], head["year"]), {}),
        )
        for head in heads
    }


def undecreed(now: datetime) -> tuple[sa.ColumnElement[bool], datetime]:
    """Which years of the table are wanted by now and only reckoned, and since when the next one is wanted.

    The year that is, and from November on, when it is decreed, the next.
    """
    november = datetime(now.year, 11, 1, tzinfo=now.tzinfo)
    of = calendar_year.c
    return sa.and_(of.confirmed.is_(False), of.year.between(now.year, now.year + (now >= november))), november


async def missing_years(connection: AsyncConnection, now: datetime) -> list[tuple[str, int]]:
    """Return the regions and years that are wanted by now and that nobody has decreed, by year."""
    of = calendar_year.c
    query = sa.select(of.region, of.year).where(undecreed(now)[0]).order_by(of.year, of.region)
    return [(region, year) for region, year in await connection.execute(query)]


async def fill(
    connection: AsyncConnection,
    years: Iterable[CalendarYear],
    now: datetime,
    *,
    actor: str = "system",
    lessen: bool = False,
) -> list[CalendarYear]:
    """Write the years that the table does not have or has otherwise; each is told in the journal.

    Args:
        connection: A write transaction.
        years: What the libraries and the operator's files say.
        now: The time.
        actor: Who asked for it.
        lessen: Also put a year that is only reckoned in the place of a confirmed one. A process with an
            older library must not take from the others what they know.

    Returns:
        The years written.
    """
    held = await read_years(connection)
    written = []
    for year in years:
        there = held.get((year.region, year.year))
        if there == year or (there is not None and there.confirmed and not year.confirmed and not lessen):
            continue
        await _write(connection, year, now)
        detail = {
            "source": year.source,
            "confirmed": year.confirmed,
            "working_days": len(year.working),
            "changed": len(year.working ^ there.working) if there is not None else None,
        }
        subject = f"calendar:{year.region}/{year.year}"
        await journal.write(
            connection,
            journal.Entry(actor=actor, action="calendar.filled", subject=subject, detail=detail),
            now,
        )
        written.append(year)
    return written


async def incidents_waiting(connection: AsyncConnection) -> list[str]:
    """Return the incidents that have a clock which could not be computed, for whatever reason."""
    query = (
        sa.select(clocks.c.incident)
        .where(
            sa.text("clocks.state IN ('open', 'overdue', 'no_number', 'cannot_compute')"),  # the index's own
            clocks.c.state == "cannot_compute",
        )
        .distinct()
    )
    return list((await connection.execute(query)).scalars())


async def _write(connection: AsyncConnection, year: CalendarYear, now: datetime) -> None:
    of_year = (
        calendar_day.c.region == year.region,
        calendar_day.c.day.between(date(year.year, 1, 1), date(year.year, 12, 31)),
    )
    await connection.execute(sa.delete(calendar_day).where(*of_year))
    head = (calendar_year.c.region == year.region, calendar_year.c.year == year.year)
    await connection.execute(sa.delete(calendar_year).where(*head))
    days = [
        {"region": year.region, "day": day, "working": day in year.working, "name": year.names.get(day, "")}
        for day in days_of(year.year)
    ]
    await connection.execute(sa.insert(calendar_day), days)
    row = {"region": year.region, "year": year.year, "confirmed": year.confirmed, "source": year.source}
    await connection.execute(sa.insert(calendar_year), {**row, "filled_at": now})
