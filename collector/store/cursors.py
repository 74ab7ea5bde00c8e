"""Where a flow stands in what it reads; moved in the transaction of what it wrote."""

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from .once import insert_once
from .schema import cursors

PIPELINE = "pipeline"
"""The cursor of whoever reads the event log into the state."""


async def read_cursor(conn: AsyncConnection, name: str) -> int:
    """Return the position up to which everything is done; 0 at first."""
    found = (await conn.execute(sa.select(cursors.c.position).where(cursors.c.name == name))).scalar()
    return int(found or 0)


async def move_cursor(conn: AsyncConnection, name: str, seen: int, position: int) -> bool:
    """Move a cursor from where the flow found it.

    Returns:
        False where it stands elsewhere by now: another process did the work; write nothing.
    """
    moved = cursors.update().where(cursors.c.name == name, cursors.c.position == seen)
    if (await conn.execute(moved.values(position=position))).rowcount == 1:
        return True
    return not seen and await insert_once(conn, cursors, {"name": name, "position": position})
