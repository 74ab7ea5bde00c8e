"""Filings: reports sent up for obligations, with their receipts; what comes from below is in `received`.

One row a key. A filing goes to the collector above (`upstream`), claimed like a notice, or is filed by a
person who records the proof. One of a drill that nobody else is in goes the way `drill`: nowhere, and its
receipt is simulated.
"""

from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec
import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from wire.ids import uuid7
from wire.messages import Filing as Message
from wire.messages import Receipt

from . import journal
from .claims import Outgoing, claim, end_claim, next_claim_at, oldest_left
from .once import insert_once
from .schema import clocks, filings

Way = Literal["upstream", "mail", "person", "drill"]
State = Literal["waiting", "sending", "sent", "receipted", "refused"]


class Filing(Struct, frozen=True, kw_only=True):
    """One filing as it stands.

    Fields:
        key: `incident/obligation`; a resend under it looks like the first sending.
        clock: Row of the obligation it is for.
        payload: The `wire.messages.Filing` as JSON values.
        filed_at: When it was first sent, or when a person filed it.
        receipt: A `wire.messages.Receipt`, or a person's proof.
        result: What the last sending came to.
    """

    id: str
    key: str
    incident: str
    clock: str
    obligation: str
    recipient: str
    way: Way
    state: State
    payload: dict[str, Any]
    attempts: int
    created_at: datetime
    next_at: datetime
    fence: int
    filed_at: datetime | None
    receipt: dict[str, Any] | None
    receipt_at: datetime | None
    result: dict[str, Any] | None


class Owed(Struct, frozen=True, kw_only=True):
    """An open clock for which nothing was filed yet."""

    id: str
    incident: str
    obligation: str
    recipient: str


_COLUMNS = tuple(filings.c[field] for field in Filing.__struct_fields__)
# Literal, for SQLite takes a partial index only where the query itself holds its condition.
_LEFT = sa.text("filings.state IN ('waiting', 'sending')")
_OWED = sa.text("clocks.state IN ('open', 'overdue', 'no_number', 'cannot_compute')")
_BY_ITSELF = ("occurred", "detected", "aware", "graded", "believed", "received", "reported")


async def owed_unfiled(conn: AsyncConnection, recipients: frozenset[str], limit: int = 100) -> list[Owed]:
    """Return open clocks toward these recipients that have no filing and need no person, oldest first.

    A supplement, a summary, a report that was asked for or follows the handling are a person's work. Those of
    a drill are among them: who files them decides where they go.
    """
    filed = sa.select(filings.c.clock).where(filings.c.clock == clocks.c.id).exists()
    rows = await conn.execute(
        sa.select(clocks.c.id, clocks.c.incident, clocks.c.obligation, clocks.c.recipient)
        .where(
            clocks.c.recipient.in_(recipients),
            _OWED,
            clocks.c.anchor.in_(_BY_ITSELF),
            ~filed,
        )
        .order_by(clocks.c.opened_at, clocks.c.id)
        .limit(limit)
    )
    return [Owed(**row) for row in rows.mappings()]


async def filing_of(conn: AsyncConnection, key: str) -> Filing | None:
    """Return the filing with this key."""
    row = (await conn.execute(sa.select(*_COLUMNS).where(filings.c.key == key))).mappings().first()
    return Filing(**row) if row else None


async def filings_of(conn: AsyncConnection, incident: str) -> list[Filing]:
    """Return an incident's filings, oldest first."""
    rows = await conn.execute(
        sa.select(*_COLUMNS).where(filings.c.incident == incident).order_by(filings.c.id)
    )
    return [Filing(**row) for row in rows.mappings()]


async def add_filing(
    conn: AsyncConnection, *, message: Message, clock: str, way: Way, actor: str, now: datetime
) -> tuple[str, bool]:
    """Queue a filing unless its key is already there.

    Returns:
        The filing's id, and whether it is new.
    """
    identifier = uuid7(now)
    row = {
        "id": identifier,
        "key": message.key,
        "incident": message.incident_id,
        "clock": clock,
        "obligation": message.obligation,
        "recipient": message.recipient,
        "way": way,
        "state": "waiting",
        "payload": msgspec.to_builtins(message),
        "created_at": now,
        "next_at": now,
    }
    if not await insert_once(conn, filings, row):
        known = await conn.execute(sa.select(filings.c.id).where(filings.c.key == message.key))
        return str(known.scalar_one()), False
    detail = {"key": message.key, "obligation": message.obligation, "recipient": message.recipient}
    entry = journal.Entry(
        actor=actor,
        action="filing.queued",
        subject=f"filing:{identifier}",
        incident=message.incident_id,
        detail=detail | {"way": way, "clock": clock},
    )
    await journal.write(conn, entry, now)
    return identifier, True


async def claim_filings(
    conn: AsyncConnection, *, owner: str, now: datetime, lease: timedelta, limit: int, way: Way = "upstream"
) -> list[Filing]:
    """Take filings of a way that are due, and those whose claim ran out; oldest first.

    Args:
        conn: A write transaction.
        owner: Incarnation of the claiming process.
        now: A filing is due when its `next_at` is not later.
        lease: How long nobody else may take them.
        limit: At most so many.
        way: By which they go.
    """
    claimed = await claim(conn, _outgoing(way), owner=owner, now=now, lease=lease, limit=limit)
    found = await conn.execute(sa.select(*_COLUMNS).where(filings.c.id.in_(claimed)).order_by(filings.c.id))
    return [Filing(**row) for row in found.mappings()]


async def record_receipt(
    conn: AsyncConnection, filing: Filing, receipt: Receipt, *, filed_at: datetime, now: datetime
) -> bool:
    """Write down that a claimed filing arrived.

    Returns:
        False where another claim has taken over: nothing was written.
    """
    values = {
        "state": "receipted",
        "filed_at": filed_at,
        "receipt": msgspec.to_builtins(receipt),
        "receipt_at": receipt.received_at,
        "result": {"number": receipt.number},
    }
    if not await _end_claim(conn, filing, values):
        return False
    detail = {"number": receipt.number, "sha256": receipt.sha256, "issuer": receipt.issuer}
    await _journal(conn, "filing.sent", filing, {"outcome": "receipted"}, actor="system", now=now)
    await _journal(conn, "filing.receipted", filing, detail, actor="system", now=now)
    return True


async def record_sent(
    conn: AsyncConnection, filing: Filing, proof: dict[str, Any], *, filed_at: datetime, now: datetime
) -> bool:
    """Write down that a claimed filing left by mail: a proof of sending, and no receipt.

    Returns:
        False where another claim has taken over: nothing was written.
    """
    if not await _end_claim(conn, filing, {"state": "sent", "filed_at": filed_at, "result": proof}):
        return False
    detail = {"outcome": "accepted", "proof": proof}
    await _journal(conn, "filing.sent", filing, detail, actor="system", now=now)
    return True


async def record_failure(
    conn: AsyncConnection, filing: Filing, *, refused: bool, why: str, next_at: datetime, now: datetime
) -> bool:
    """Write down that a claimed filing did not arrive: refused for good, or tried again at `next_at`.

    Returns:
        False where another claim has taken over: nothing was written.
    """
    values = {"state": "refused" if refused else "waiting", "next_at": next_at, "result": {"why": why}}
    if not await _end_claim(conn, filing, values):
        return False
    if refused or filing.attempts == 1:
        outcome = "refused" if refused else "retrying"
        detail = {"outcome": outcome, "why": why}
        await _journal(conn, "filing.sent", filing, detail, actor="system", now=now)
    return True


async def _end_claim(conn: AsyncConnection, filing: Filing, values: dict[str, Any]) -> bool:
    return await end_claim(conn, filings, filing.id, filing.fence, values)


async def of_drills(conn: AsyncConnection, limit: int = 100) -> list[Filing]:
    """Return filings of drills that go nowhere and wait for their simulated receipt, oldest first."""
    waiting = (_LEFT, filings.c.way == "drill")
    rows = await conn.execute(sa.select(*_COLUMNS).where(*waiting).order_by(filings.c.id).limit(limit))
    return [Filing(**row) for row in rows.mappings()]


async def divert(conn: AsyncConnection, filing: Filing) -> bool:
    """Let a claimed filing of a drill go nowhere after all; False where another claim has taken over."""
    return await _end_claim(conn, filing, {"state": "waiting", "way": "drill"})


async def record_simulated(conn: AsyncConnection, filing: Filing, now: datetime) -> bool:
    """Write down the simulated receipt of a drill's filing; False where it is there already."""
    receipt = {"simulated": True, "drill": filing.payload.get("drill")}
    held = (filings.c.id == filing.id, filings.c.way == "drill", filings.c.receipt_at.is_(None))
    values = {"state": "receipted", "filed_at": filing.created_at, "receipt": receipt, "receipt_at": now}
    if (await conn.execute(filings.update().where(*held).values(**values))).rowcount != 1:
        return False
    await _journal(conn, "filing.receipted", filing, {"simulated": True}, actor="system", now=now)
    return True


async def record_proof(
    conn: AsyncConnection,
    filing: Filing,
    *,
    filed_at: datetime,
    receipt_at: datetime | None,
    proof: dict[str, Any],
    actor: str,
    now: datetime,
    message: Message | None = None,
) -> bool:
    """Write down what a person says of a filing they made: when, and the proof; the first one stays.

    Args:
        conn: A write transaction.
        filing: The filing, one that goes by a person.
        filed_at: When they filed.
        receipt_at: When it arrived, as far as the proof shows it.
        proof: What they have to show.
        actor: Who says so.
        now: The time.
        message: What they filed, in place of what was to be filed.

    Returns:
        False where the filing has its receipt already: nothing was written.
    """
    values = {
        "state": "receipted" if receipt_at else "waiting",
        "filed_at": filed_at,
        "receipt": proof,
        "receipt_at": receipt_at,
        **({"payload": msgspec.to_builtins(message)} if message else {}),
    }
    at_hand = sa.or_(
        filings.c.way == "person", sa.and_(filings.c.way == "mail", filings.c.state.not_in(["sending"]))
    )
    held = (filings.c.id == filing.id, filings.c.receipt_at.is_(None), at_hand)
    if (await conn.execute(filings.update().where(*held).values(**values))).rowcount != 1:
        return False
    action = "filing.receipted" if receipt_at else "filing.sent"
    await _journal(conn, action, filing, {"filed_at": filed_at, "proof": proof}, actor=actor, now=now)
    return True


async def record_returned(
    conn: AsyncConnection,
    filing: Filing,
    *,
    why: str,
    answer: dict[str, Any],
    actor: str,
    now: datetime,
) -> bool:
    """Write down that a mailed filing came back, as a person has seen: it is to be filed otherwise.

    Returns:
        False while a sending is under way, or where the receipt is here: nothing was written.
    """
    held = (
        filings.c.id == filing.id,
        filings.c.fence == filing.fence,
        filings.c.way == "mail",
        filings.c.state != "sending",
        filings.c.receipt_at.is_(None),
    )
    values = {"state": "refused", "result": (filing.result or {}) | {"why": why, "answer": answer}}
    if (await conn.execute(filings.update().where(*held).values(**values))).rowcount != 1:
        return False
    detail = {"outcome": "returned", "why": why, "answer": answer}
    await _journal(conn, "filing.returned", filing, detail, actor=actor, now=now)
    return True


async def take_over(conn: AsyncConnection, filing: Filing, *, actor: str, now: datetime) -> bool:
    """Let a person file what the line to the collector above has not brought there.

    Returns:
        False while a sending is under way, or where the receipt is here.
    """
    idle = sa.or_(filings.c.state.in_(["waiting", "refused"]), filings.c.lease_until <= now)
    held = (
        filings.c.id == filing.id,
        filings.c.fence == filing.fence,
        filings.c.way.in_(["upstream", "mail"]),
        filings.c.receipt_at.is_(None),
        idle,
    )
    values = {
        "way": "person",
        "state": "waiting",
        "owner": None,
        "lease_until": None,
        "fence": filing.fence + 1,
    }
    if (await conn.execute(filings.update().where(*held).values(**values))).rowcount != 1:
        return False
    await _journal(
        conn, "filing.queued", filing, {"way": "person", "clock": filing.clock}, actor=actor, now=now
    )
    return True


async def next_filing_at(conn: AsyncConnection, way: Way = "upstream") -> datetime | None:
    """Return when the next filing of a way is due or the next lease runs out."""
    return await next_claim_at(conn, _outgoing(way))


async def oldest_unsent(conn: AsyncConnection) -> datetime | None:
    """Return when the oldest filing that is to be sent and has not been was made."""
    return await oldest_left(conn, _outgoing("upstream", "mail"))


def _outgoing(*ways: Way) -> Outgoing:
    return Outgoing(table=filings, left=_LEFT, also=filings.c.way.in_(ways))


async def _journal(
    conn: AsyncConnection, action: str, filing: Filing, detail: dict[str, Any], *, actor: str, now: datetime
) -> None:
    entry = journal.Entry(
        actor=actor,
        action=action,
        subject=f"filing:{filing.id}",
        incident=filing.incident,
        detail={
            "key": filing.key,
            "obligation": filing.obligation,
            "recipient": filing.recipient,
            "attempts": filing.attempts,
            **detail,
        },
    )
    await journal.write(conn, entry, now)
