"""High-water marks of time: the latest moment a flow has seen, which never goes back."""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from .schema import cursors

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


async def read_mark(connection: AsyncConnection, name: str) -> datetime | None:
    """Return the latest moment stored under a name."""
    query = sa.select(cursors.c.position).where(cursors.c.name == name)
    position = (await connection.execute(query)).scalar()
    return None if position is None else _EPOCH + position * _MICROSECOND


async def raise_mark(connection: AsyncConnection, name: str, at: datetime) -> None:
    """Store a moment, unless a later one is there."""
    position = (at - _EPOCH) // _MICROSECOND
    insert = (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(cursors)
    higher = insert.on_conflict_do_update(
        index_elements=["name"],
        set_={"position": insert.excluded.position},
        where=cursors.c.position < insert.excluded.position,
    )
    await connection.execute(higher, {"name": name, "position": position})
