"""The exit register's history: a row a unit and day, brought up to date whenever a verdict changes.

What changes without a verdict (the register names another exit, a node is enrolled, revoked or replaced by a
rebuilt host) is found by a review of all units: with the first report, of whatever node, after a minute.
Nodes that were revoked or replaced do not count: nobody tells of them any more.

A day is the unit's own. A day on which nothing changed has a row all the same once a node of the unit
reports; one without any report has none, and whoever draws the line carries the last value on.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import datetime

import sqlalchemy as sa
from msgspec import structs
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from ..exposure import Standing, Way, standing
from . import schema, views
from .desk import Units, shaped
from .exits_below import OF_ALL

_DAYS_SHOWN = 400
_ROWS_A_SECOND = 100
_REVIEW_SECONDS = 60.0


class ExitDays:
    """Keeps the days of all units.

    Counting costs time with the number of ways, so that a unit of thousands is counted anew only every some
    seconds, and one of a few at every change.
    """

    def __init__(self) -> None:
        self._counted: dict[str, tuple[str, float, datetime]] = {}
        self._stale: set[str] = set()
        self._reviewed: tuple[datetime, float] | None = None

    def due(self, now: datetime) -> bool:
        """Whether the last review was a minute ago, or longer where there are thousands of ways."""
        return self._reviewed is None or abs((now - self._reviewed[0]).total_seconds()) >= self._reviewed[1]

    async def review(
        self,
        conn: AsyncConnection,
        declared: Mapping[str, int],
        day_of: Callable[[str], str],
        now: datetime,
    ) -> int:
        """Count all units anew; return how many rows no longer held.

        Args:
            conn: A write transaction.
            declared: Exits that the register names for each unit; a unit that has none may be missing.
            day_of: Gives today in a unit's time zone, as ISO 8601 has it.
            now: The time.
        """
        ways: dict[str, list[Way]] = defaultdict(list)
        for way in await _ways(conn):
            ways[way.unit].append(way)
        agents = await _agents(conn)
        wrong = 0
        for row in await _newest(conn):
            unit = row["unit"]
            found = standing(ways[unit], declared.get(unit, 0), agents.get(unit, 0))
            if any(row[name] != count for name, count in structs.asdict(found).items()):
                await _put(conn, unit, max(row["day"], day_of(unit)), found, now)
                wrong += 1
        self._reviewed = now, max(_REVIEW_SECONDS, sum(map(len, ways.values())) / _ROWS_A_SECOND)
        return wrong

    async def keep(
        self, conn: AsyncConnection, unit: str, declared: int, day: str, now: datetime, *, changed: bool
    ) -> bool:
        """Bring a unit's day up to date where it is due; say whether it was counted.

        Args:
            conn: The transaction in which the verdict changed.
            unit: Its key.
            declared: Exits that the register names for it.
            day: Today in the unit's time zone, as ISO 8601 has it.
            now: The time.
            changed: Whether a verdict changed.
        """
        known = self._counted.get(unit)
        if changed:
            self._stale.add(unit)
        same_day = known is not None and known[0] == day
        if known is not None and same_day:
            rests = abs((now - known[2]).total_seconds()) < known[1]
            if unit not in self._stale or rests:
                return False
        rows = await _ways(conn, unit)
        agents = await _agents(conn, unit)
        found = standing(rows, declared, agents.get(unit, 0))
        await _put(conn, unit, day, found, now)
        self._counted[unit] = day, len(rows) / _ROWS_A_SECOND, now
        self._stale.discard(unit)
        return True


async def _ways(conn: AsyncConnection, unit: str | None = None) -> list[Way]:
    exits, nodes = schema.exits, schema.nodes
    query = sa.select(*(exits.c[name] for name in Way.__struct_fields__))
    silenced = sa.select(nodes.c.id).where(nodes.c.state != "active")
    query = query.where(exits.c.gone_at.is_(None), exits.c.node.not_in(silenced))
    if unit is not None:
        query = query.where(exits.c.unit == unit)
    return [shaped(row, Way) for row in (await conn.execute(query)).mappings()]


async def _agents(conn: AsyncConnection, unit: str | None = None) -> dict[str, int]:
    nodes = schema.nodes.c
    query = sa.select(nodes.unit, sa.func.count().label("agents")).where(
        nodes.kind == "agent", nodes.state == "active"
    )
    if unit is not None:
        query = query.where(nodes.unit == unit)
    rows = await conn.execute(query.group_by(nodes.unit))
    return {row.unit: row.agents for row in rows}


async def _newest(conn: AsyncConnection) -> list[sa.RowMapping]:
    """Return the last day that this collector itself counted, of every unit."""
    days = schema.exit_days
    last = sa.select(days.c.unit, sa.func.max(days.c.day).label("day")).group_by(days.c.unit).subquery()
    same = sa.and_(last.c.unit == days.c.unit, last.c.day == days.c.day)
    return list((await conn.execute(sa.select(days).join(last, same))).mappings())


async def _put(conn: AsyncConnection, unit: str, day: str, found: Standing, now: datetime) -> None:
    values = {**structs.asdict(found), "share": found.share, "counted_at": now}
    insert = (postgresql if conn.dialect.name == "postgresql" else sqlite).insert(schema.exit_days)
    newer = {name: insert.excluded[name] for name in values}
    put = insert.on_conflict_do_update(index_elements=["unit", "day"], set_=newer)
    await conn.execute(put, {"unit": unit, "day": day, **values})


async def read_days(conn: AsyncConnection, *, units: Units) -> list[views.ExitDayRow]:
    """Return the days of these units, at most 400 of each, the oldest first."""
    days = OF_ALL
    place = sa.func.row_number().over(partition_by=days.c.unit, order_by=days.c.day.desc()).label("place")
    query = sa.select(days, place)
    if units is not None:
        query = query.where(days.c.unit.in_(units))
    inner = query.subquery()
    wanted = [inner.c[name] for name in views.ExitDayRow.__struct_encode_fields__]
    query = sa.select(*wanted).where(inner.c.place <= _DAYS_SHOWN).order_by(inner.c.unit, inner.c.day)
    return [shaped(row, views.ExitDayRow) for row in (await conn.execute(query)).mappings()]


async def latest(conn: AsyncConnection) -> list[views.ExitDayRow]:
    """Return the last day of every unit."""
    days = OF_ALL
    newest = sa.select(days.c.unit, sa.func.max(days.c.day).label("day")).group_by(days.c.unit).subquery()
    query = sa.select(days).join(newest, sa.and_(newest.c.unit == days.c.unit, newest.c.day == days.c.day))
    return [shaped(row, views.ExitDayRow) for row in (await conn.execute(query)).mappings()]
