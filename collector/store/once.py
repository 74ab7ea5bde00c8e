"""A row that is there once a key, whoever comes first: ON CONFLICT DO NOTHING on both databases."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection


async def insert_once(conn: AsyncConnection, table: sa.Table, row: Mapping[str, Any]) -> bool:
    """Insert a row unless one with the same unique key is there or being written by another process.

    Returns:
        Whether this call inserted it.
    """
    insert = postgresql.insert if conn.dialect.name == "postgresql" else sqlite.insert
    done = await conn.execute(insert(table).values(row).on_conflict_do_nothing())
    return done.rowcount == 1
