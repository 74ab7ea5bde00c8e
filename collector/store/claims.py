"""Rows that are sent out: taken by one process at a time under a lease with a fence.

::

    waiting --claim--> sending --end_claim--> waiting (tried again at `next_at`) | sent | receipted | …
       ^                  |
       +--- lease over ---+   whoever sends then holds a newer fence, and the old claim's result is not taken

The fence counts claims. A receiver sees one effect all the same, since every sending bears the row's key.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection


class Outgoing(Struct, frozen=True, kw_only=True):
    """The rows of a table that are on their way out.

    Fields:
        table: With `id`, `state`, `next_at`, `owner`, `lease_until`, `fence`, `attempts`, `created_at`.
        left: What the partial index of those that are not at their end says; a literal, for SQLite takes such
            an index only where the query itself holds its condition.
        also: Which of them.
    """

    table: sa.Table
    left: sa.TextClause
    also: sa.ColumnElement[bool] = sa.true()


async def claim(
    conn: AsyncConnection, outgoing: Outgoing, *, owner: str, now: datetime, lease: timedelta, limit: int
) -> list[str]:
    """Take what is due and what is in a claim that ran out; return the ids, longest due first.

    Args:
        conn: A write transaction.
        outgoing: Of these.
        owner: Incarnation of the claiming process.
        now: A row is due when its `next_at` is not later.
        lease: How long nobody else may take them.
        limit: At most so many.
    """
    table = outgoing.table
    due = sa.or_(
        sa.and_(table.c.state == "waiting", table.c.next_at <= now),
        sa.and_(table.c.state == "sending", table.c.lease_until <= now),
    )
    rows = await conn.execute(
        sa.select(table.c.id, table.c.fence)
        .where(outgoing.left, outgoing.also, due)
        .order_by(table.c.next_at, table.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    taken = {"state": "sending", "owner": owner, "lease_until": now + lease}
    return [row.id for row in rows.all() if await _take(conn, table, row.id, row.fence, taken)]


async def _take(
    conn: AsyncConnection, table: sa.Table, key: str, fence: int, taken: Mapping[str, Any]
) -> bool:
    held = (table.c.id == key, table.c.fence == fence)
    counted = {"fence": fence + 1, "attempts": table.c.attempts + 1}
    return (await conn.execute(table.update().where(*held).values(**taken, **counted))).rowcount == 1


async def end_claim(
    conn: AsyncConnection, table: sa.Table, key: str, fence: int, values: Mapping[str, Any]
) -> bool:
    """Write down what a claim came to; False where another has taken over: nothing was written."""
    held = (table.c.id == key, table.c.fence == fence, table.c.state == "sending")
    done = table.update().where(*held).values(owner=None, lease_until=None, **values)
    return (await conn.execute(done)).rowcount == 1


async def next_claim_at(conn: AsyncConnection, outgoing: Outgoing) -> datetime | None:
    """Return when the next row is due or the next lease runs out."""
    table, among = outgoing.table, (outgoing.left, outgoing.also)
    waiting = sa.select(sa.func.min(table.c.next_at)).where(*among, table.c.state == "waiting")
    leased = sa.select(sa.func.min(table.c.lease_until)).where(*among, table.c.state == "sending")
    times = [(await conn.execute(query)).scalar() for query in (waiting, leased)]
    return min((time for time in times if time is not None), default=None)


async def oldest_left(conn: AsyncConnection, outgoing: Outgoing) -> datetime | None:
    """Return when the oldest row that is not at its end was made."""
    query = sa.select(sa.func.min(outgoing.table.c.created_at)).where(outgoing.left, outgoing.also)
    found: datetime | None = (await conn.execute(query)).scalar()
    return found
