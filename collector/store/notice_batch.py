"""Many notices queued at once: when a thousand clocks are due in one second, people still hear within it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from wire.ids import uuid7s

from . import journal
from .rows import among, insert_rows
from .schema import notices

_COLUMNS = (
    *("id", "key", "incident", "person", "channel", "payload", "state"),
    *("attempts", "created_at", "next_at", "fence", "drill"),
)


class NewNotice(Struct, frozen=True, kw_only=True):
    """A notice to be queued once a key; `payload` is what the channel sends."""

    key: str
    incident: str | None
    person: str | None
    channel: str
    payload: dict[str, Any]
    drill: bool = False


async def add_notices(connection: AsyncConnection, new: Sequence[NewNotice], now: datetime) -> list[str]:
    """Queue those whose key is not there yet, and return the keys that were new.

    What many people are told at once is one entry in the journal, and names them all.
    """
    if not new:
        return []
    query = sa.select(notices.c.key).where(among(connection, notices.c.key, [notice.key for notice in new]))
    known = set((await connection.execute(query)).scalars())
    wanted = {notice.key: notice for notice in new if notice.key not in known}
    # Ids of one moment are in random order; sorted, who is named first is told first.
    rows = list(zip(uuid7s(now, len(wanted)), wanted.values(), strict=True))
    await insert_rows(connection, notices, _COLUMNS, [_row(key, one, now) for key, one in rows])
    told: dict[tuple[str | None, int], list[tuple[str, NewNotice]]] = {}
    for row in rows:
        told.setdefault((row[1].incident, id(row[1].payload)), []).append(row)
    await journal.write_all(connection, [queued(alike) for alike in told.values()], now)
    return list(wanted)


def _row(key: str, notice: NewNotice, now: datetime) -> tuple[Any, ...]:
    whom = (notice.key, notice.incident, notice.person, notice.channel)
    return (key, *whom, notice.payload, "waiting", 0, now, now, 0, notice.drill)


def queued(rows: Sequence[tuple[str, NewNotice]], actor: str = "system") -> journal.Entry:
    """Return the entry of notices, with their ids, that say the same of one incident."""
    first, notice = rows[0]
    return journal.Entry(
        actor=actor,
        action="notice.queued",
        subject=f"notice:{first}",
        incident=notice.incident,
        detail={
            "subject": notice.payload.get("subject"),
            "notices": [
                {"id": key, "key": one.key, "person": one.person, "channel": one.channel} for key, one in rows
            ],
        },
    )
