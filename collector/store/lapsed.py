"""Which obligations fell due while nobody looked: told after a restore, before the duty clock catches up."""

from datetime import datetime

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from .schema import clocks, incidents


class Lapsed(Struct, frozen=True, kw_only=True):
    """An obligation that is open though its time is over."""

    incident: str
    title: str
    title_en: str
    obligation: str
    due_at: datetime


async def lapsed(connection: AsyncConnection, now: datetime) -> list[Lapsed]:
    """Return every clock that is open and past due, earliest first."""
    query = (
        sa.select(
            clocks.c.incident, incidents.c.title, incidents.c.title_en, clocks.c.obligation, clocks.c.due_at
        )
        .join_from(clocks, incidents, incidents.c.id == clocks.c.incident)
        .where(clocks.c.state == "open", clocks.c.due_at <= now)
        .order_by(clocks.c.due_at, clocks.c.id)
    )
    return [Lapsed(**row) for row in (await connection.execute(query)).mappings()]
