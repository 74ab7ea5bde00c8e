"""Notices: what is to be said to a person or a machine, once a key.

A process that dies while sending leaves a lease that runs out (`store.claims`); then the next one sends again
with the same key, so that a receiver that reads the key sees one effect.
"""

from datetime import datetime, timedelta
from typing import Any, Literal

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from wire.ids import uuid7

from . import journal
from .claims import Outgoing, claim, end_claim, next_claim_at, oldest_left
from .notice_batch import NewNotice, queued
from .once import insert_once
from .runs import wake_step
from .schema import notices

State = Literal["waiting", "sending", "sent", "failed", "unknown"]


class Notice(Struct, frozen=True, kw_only=True):
    """One notice as it stands.

    Fields:
        key: What makes it one effect; the receiver gets it.
        incident, person: Ids; no person where a machine is told.
        channel: A channel's name in the settings.
        payload: `{"subject", "body", …}`, or an `http_request` step's.
        attempts: Sendings so far, this claim's included.
        fence: Number of the claim.
        result: What the last sending came to.
    """

    id: str
    key: str
    incident: str | None
    person: str | None
    channel: str
    payload: dict[str, Any]
    state: State
    attempts: int
    created_at: datetime
    next_at: datetime
    fence: int
    sent_at: datetime | None
    result: dict[str, Any] | None
    drill: bool


_COLUMNS = tuple(notices.c[field] for field in Notice.__struct_fields__)
_OUTGOING = Outgoing(table=notices, left=sa.text("notices.state IN ('waiting', 'sending')"))


async def add_notice(
    conn: AsyncConnection,
    *,
    key: str,
    incident: str | None,
    person: str | None,
    channel: str,
    payload: dict[str, Any],
    now: datetime,
    drill: bool = False,
    actor: str = "system",
) -> bool:
    """Queue a notice unless its key is already there.

    Returns:
        False where the key was known: nothing is added, nothing changed.
    """
    identifier = uuid7(now)
    row = {
        "id": identifier,
        "key": key,
        "incident": incident,
        "person": person,
        "channel": channel,
        "payload": payload,
        "state": "waiting",
        "created_at": now,
        "next_at": now,
        "drill": drill,
    }
    if not await insert_once(conn, notices, row):
        return False
    notice = NewNotice(
        key=key, incident=incident, person=person, channel=channel, payload=payload, drill=drill
    )
    await journal.write(conn, queued([(identifier, notice)], actor), now)
    return True


async def claim_notices(
    conn: AsyncConnection, *, owner: str, now: datetime, lease: timedelta, limit: int
) -> list[Notice]:
    """Take notices that are due, and those whose claim ran out, for `lease`; oldest first.

    Args:
        conn: A write transaction.
        owner: Incarnation of the claiming process.
        now: A notice is due when its `next_at` is not later.
        lease: How long nobody else may take them.
        limit: At most so many.
    """
    claimed = await claim(conn, _OUTGOING, owner=owner, now=now, lease=lease, limit=limit)
    found = await conn.execute(sa.select(*_COLUMNS).where(notices.c.id.in_(claimed)).order_by(notices.c.id))
    return [Notice(**row) for row in found.mappings()]


async def record_notice(
    conn: AsyncConnection,
    notice: Notice,
    *,
    state: State,
    next_at: datetime,
    result: dict[str, Any],
    now: datetime,
) -> bool:
    """Write down what a claimed sending came to.

    Args:
        conn: A write transaction.
        notice: As claimed.
        state: `waiting` where it is tried again at `next_at`; else final.
        next_at: When it is tried again.
        result: What the channel said; what people read of it stands under `why`.
        now: The time of the result.

    Returns:
        False where another claim has taken over: nothing was written.
    """
    sent_at = now if state == "sent" else None
    values = {"state": state, "next_at": next_at, "result": result, "sent_at": sent_at}
    if not await end_claim(conn, notices, notice.id, notice.fence, values):
        return False
    if notice.person is None and state != "waiting":
        await wake_step(conn, notice.key, now)  # a plan's step may wait for what the call came to
    if state != "waiting" or notice.attempts == 1:
        entry = journal.Entry(
            actor="system",
            action="notice.sent" if state == "sent" else "notice.failed",
            subject=f"notice:{notice.id}",
            incident=notice.incident,
            detail={
                "key": notice.key,
                "person": notice.person,
                "channel": notice.channel,
                "attempts": notice.attempts,
                "final": state != "waiting",
                **result,
            },
        )
        await journal.write(conn, entry, now)
    return True


async def notice_by_key(conn: AsyncConnection, key: str) -> Notice | None:
    """Return the notice with this effect key."""
    row = (await conn.execute(sa.select(*_COLUMNS).where(notices.c.key == key))).mappings().one_or_none()
    return Notice(**row) if row else None


async def get_notice(conn: AsyncConnection, key: str) -> Notice | None:
    """Return the notice with this id."""
    row = (await conn.execute(sa.select(*_COLUMNS).where(notices.c.id == key))).mappings().one_or_none()
    return Notice(**row) if row else None


async def next_notice_at(conn: AsyncConnection) -> datetime | None:
    """Return when the next notice is due or the next lease runs out."""
    return await next_claim_at(conn, _OUTGOING)


async def oldest_unsent(conn: AsyncConnection) -> datetime | None:
    """Return when the oldest notice that is not at its end was made."""
    return await oldest_left(conn, _OUTGOING)


async def notices_of(conn: AsyncConnection, incident: str) -> list[Notice]:
    """Return an incident's notices, oldest first."""
    rows = await conn.execute(
        sa.select(*_COLUMNS).where(notices.c.incident == incident).order_by(notices.c.id)
    )
    return [Notice(**row) for row in rows.mappings()]
