"""Whether people can be reached at all: since when no notice to a person has got through.

    sent ── sent ── failed ── waiting ── now
             │      └ since this one: the first that should have got through after the last that did
             └ whoever was told then was told, whatever else waits from before

A notice that was given up, or that no channel will ever take, is no longer unsent; it still reached nobody.
So failed and unknown count as waiting does, until one gets through.
"""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from .schema import notices

LOOKED_AT = 500
"""Newest notices that are asked about: no index of what was sent is kept for it."""


async def unreached_since(conn: AsyncConnection) -> datetime | None:
    """Return when the oldest notice was made that should have reached a person since one last did.

    Where none of the newest got through, it is the oldest of those; a drill's notices do not count.
    """
    of = notices.c
    query = (
        sa.select(of.state, of.created_at, of.sent_at)
        .where(of.person.is_not(None), of.drill.is_(False))
        .order_by(of.id.desc())
        .limit(LOOKED_AT)
    )
    rows = (await conn.execute(query)).all()
    reached = max((row.sent_at for row in rows if row.state == "sent" and row.sent_at), default=None)
    return min(
        (
            row.created_at
            for row in rows
            if row.state != "sent" and (reached is None or row.created_at > reached)
        ),
        default=None,
    )
