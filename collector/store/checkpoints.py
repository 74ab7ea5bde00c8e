"""Rows of the journal's signed checkpoints, and the ends of its chains."""

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from ..sealing import Head
from .schema import checkpoints, journal

_FIELDS = ("at", "owner", "n", "heads", "previous", "key", "signature")


async def add_checkpoint(connection: AsyncConnection, values: dict[str, Any]) -> None:
    """Store a signed checkpoint."""
    await connection.execute(sa.insert(checkpoints), values)


async def read_checkpoints(connection: AsyncConnection) -> list[dict[str, Any]]:
    """Return every checkpoint's fields, in the order they were made."""
    query = sa.select(*(checkpoints.c[name] for name in _FIELDS)).order_by(checkpoints.c.id)
    return [dict(zip(_FIELDS, row, strict=True)) for row in await connection.execute(query)]


async def newest_key(connection: AsyncConnection) -> str:
    """Return the public key, in hex, of the newest checkpoint; empty where there is none."""
    query = sa.select(checkpoints.c.key).order_by(checkpoints.c.id.desc()).limit(1)
    return str((await connection.execute(query)).scalar() or "")


async def chain_ends(connection: AsyncConnection, chains: Collection[str] | None = None) -> list[Head]:
    """Return where chains end; None: all chains of the journal."""
    last = sa.select(journal.c.chain, sa.func.max(journal.c.n).label("n")).group_by(journal.c.chain)
    if chains is not None:
        last = last.where(journal.c.chain.in_(list(chains)))
    ends = last.subquery()
    query = (
        sa.select(journal.c.chain, journal.c.n, journal.c.hash)
        .join_from(ends, journal, sa.and_(journal.c.chain == ends.c.chain, journal.c.n == ends.c.n))
        .order_by(journal.c.chain)
    )
    return [Head(*row) for row in await connection.execute(query)]
