"""The exit register's history: a row a unit and day, brought up to date whenever a verdict changes.

A day is the unit's own. A day on which nothing changed has a row all the same once a node of the unit
reports; one without any report has none, and whoever draws the line carries the last value on.
"""

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


class ExitDays:
    """Keeps the days of all units.

    Counting costs time with the number of ways, so that a unit of thousands is counted anew only every some
    seconds, and one of a few at every change.
    """

    def __init__(self) -> None:
        self._counted: dict[str, tuple[str, float, datetime]] = {}
        self._stale: set[str] = set()

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
        found = standing(rows, declared, await _agents(conn, unit))
        await _put(conn, unit, day, found, now)
        self._counted[unit] = day, len(rows) / _ROWS_A_SECOND, now
        self._stale.discard(unit)
        return True


async def _ways(conn: AsyncConnection, unit: str) -> list[Way]:
    exits = schema.exits
    query = sa.select(*(exits.c[name] for name in Way.__struct_fields__))
    query = query.where(exits.c.unit == unit, exits.c.gone_at.is_(None))
    return [shaped(row, Way) for row in (await conn.execute(query)).mappings()]


async def _agents(conn: AsyncConnection, unit: str) -> int:
    nodes = schema.nodes.c
    query = sa.select(sa.func.count()).where(
        nodes.unit == unit, nodes.kind == "agent", nodes.state == "active"
    )
    return (await conn.execute(query)).scalar_one()


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
