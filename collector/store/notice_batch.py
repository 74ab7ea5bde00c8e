"""Many notices queued at once: when a thousand clocks are due in one second, people still hear within it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from wire.ids import uuid7

from . import journal
from .schema import notices

_PAGE = 500


class NewNotice(Struct, frozen=True, kw_only=True):
    """A notice to be queued once a key; `payload` is what the channel sends."""

    key: str
    incident: str | None
    person: str | None
    channel: str
    payload: dict[str, Any]
    drill: bool = False


async def add_notices(connection: AsyncConnection, new: Sequence[NewNotice], now: datetime) -> list[str]:
    """Queue those whose key is not there yet, with a journal entry each; return the keys that were new."""
    known: set[str] = set()
    for start in range(0, len(new), _PAGE):
        keys = [notice.key for notice in new[start : start + _PAGE]]
        query = sa.select(notices.c.key).where(notices.c.key.in_(keys))
        known |= set((await connection.execute(query)).scalars())
    wanted = {notice.key: notice for notice in new if notice.key not in known}
    # Ids of one moment are in random order; sorted, who is named first is told first.
    rows = list(zip(sorted(uuid7(now) for _ in wanted), wanted.values(), strict=True))
    if rows:
        await connection.execute(sa.insert(notices), [_row(key, one, now) for key, one in rows])
        await journal.write_all(connection, [_entry(key, one) for key, one in rows], now)
    return list(wanted)


def _row(key: str, notice: NewNotice, now: datetime) -> dict[str, Any]:
    return {
        "id": key,
        "key": notice.key,
        "incident": notice.incident,
        "person": notice.person,
        "channel": notice.channel,
        "payload": notice.payload,
        "state": "waiting",
        "created_at": now,
        "next_at": now,
        "drill": notice.drill,
    }


def _entry(key: str, notice: NewNotice) -> journal.Entry:
    return journal.Entry(
        actor="system",
        action="notice.queued",
        subject=f"notice:{key}",
        incident=notice.incident,
        detail={
            "key": notice.key,
            "person": notice.person,
            "channel": notice.channel,
            "subject": notice.payload.get("subject"),
        },
    )
