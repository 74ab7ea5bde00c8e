"""The exit register as collectors below tell it, and together with what this one counts.

Rows come again whenever a count changes; the newest of a node, unit and day stands. A unit that this register
does not know stands for the unit whose collector told of it, and its counts are added to that one's.
"""

from collections.abc import Callable, Iterable
from datetime import datetime

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from .schema import exit_days, exit_days_below, nodes

COUNTS = ("declared", "observed", "unsanctioned", "nodes", "outside", "behind")
_IN_A_HEARTBEAT = 200


class Day(Struct, frozen=True, kw_only=True):
    """A day of a unit as a collector below counted it.

    Fields:
        unit, day: As over there.
        counted_at: By its clock.
    """

    unit: str
    day: str
    declared: int
    observed: int
    unsanctioned: int
    nodes: int
    outside: int
    behind: int
    counted_at: datetime


async def is_collector(conn: AsyncConnection, node: str) -> bool:
    """Whether a node is a collector below, as it was enrolled."""
    return (await conn.execute(sa.select(nodes.c.kind).where(nodes.c.id == node))).scalar() == "collector"


async def keep_told(
    conn: AsyncConnection, node: str, days: Iterable[Day], stands_for: Callable[[str], str], now: datetime
) -> None:
    """Keep what a collector below told; an older count does not take the place of a newer one."""
    insert = (postgresql if conn.dialect.name == "postgresql" else sqlite).insert(exit_days_below)
    fields = (*COUNTS, "counted_at", "stands_for", "told_at")
    put = insert.on_conflict_do_update(
        index_elements=["node", "unit", "day"],
        set_={name: insert.excluded[name] for name in fields},
        where=insert.excluded.counted_at >= exit_days_below.c.counted_at,
    )
    rows = [
        {name: getattr(one, name) for name in Day.__struct_fields__}
        | {"node": node, "stands_for": stands_for(one.unit), "told_at": now}
        for one in days
    ]
    if rows:
        await conn.execute(put, rows)


def _both() -> sa.Subquery:
    """Return days of units with the columns of `exit_days`; `counted_at` is when this collector knew."""
    counts = [exit_days.c[name] for name in COUNTS]
    own = sa.select(exit_days.c.unit, exit_days.c.day, *counts, exit_days.c.counted_at)
    below = exit_days_below.c
    told = sa.select(
        below.stands_for.label("unit"),
        below.day,
        *(below[name] for name in COUNTS),
        below.told_at.label("counted_at"),
    )
    every = sa.union_all(own, told).subquery("every_day")
    sums = {name: sa.cast(sa.func.sum(every.c[name]), sa.BigInteger) for name in COUNTS}
    going_out = sums["behind"] + sums["outside"]
    share = sa.case((going_out > 0, sa.cast(sums["behind"], sa.Float) / going_out), else_=None)
    return (
        sa.select(
            every.c.unit,
            every.c.day,
            *(total.label(name) for name, total in sums.items()),
            share.label("share"),
            sa.func.max(every.c.counted_at, type_=exit_days.c.counted_at.type).label("counted_at"),
        )
        .group_by(every.c.unit, every.c.day)
        .subquery("exit_days_of_all")
    )


OF_ALL = _both()


async def _any_since(conn: AsyncConnection, mark: datetime) -> bool:
    own = sa.select(sa.literal(1)).where(exit_days.c.counted_at > mark)
    told = sa.select(sa.literal(1)).where(exit_days_below.c.told_at > mark)
    return (await conn.execute(sa.union_all(own, told).limit(1))).first() is not None


async def counted_since(
    conn: AsyncConnection, mark: datetime | None, most: int = _IN_A_HEARTBEAT
) -> list[Day]:
    """Return the days whose counts are newer than a mark, the oldest count first.

    About `most` of them: those of one moment stay together, so that the last one's moment is the next mark.
    Mostly nothing is newer, and this is asked twice a minute: so the years are summed up only where there is.
    """
    if mark is not None and not await _any_since(conn, mark):
        return []
    query = sa.select(*(OF_ALL.c[name] for name in Day.__struct_fields__))
    if mark is not None:
        query = query.where(OF_ALL.c.counted_at > mark)
    query = query.order_by(OF_ALL.c.counted_at, OF_ALL.c.unit, OF_ALL.c.day)
    rows = [Day(**row) for row in (await conn.execute(query.limit(most + 1))).mappings()]
    if len(rows) <= most:
        return rows
    whole = [row for row in rows if row.counted_at < rows[-1].counted_at]
    if whole:
        return whole
    moment = query.where(OF_ALL.c.counted_at == rows[-1].counted_at)
    return [Day(**row) for row in (await conn.execute(moment)).mappings()]
