"""Filings received from collectors below: stored once a key, and the first receipt is the receipt."""

from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from wire.messages import VERSION, Receipt
from wire.messages import Filing as Message

from . import journal
from .once import insert_once
from .schema import received_filings


class Received(Struct, frozen=True, kw_only=True):
    """A filing from a collector below, as stored with its first arrival."""

    number: int
    key: str
    node: str
    unit: str
    incident: str
    obligation: str
    level: str | None
    payload: dict[str, Any]
    received_at: datetime
    sha256: str
    drill: str | None = None

    def receipt(self, issuer: str) -> Receipt:
        """Return the receipt, the same for every resend."""
        return Receipt(
            version=VERSION,
            key=self.key,
            number=self.number,
            received_at=self.received_at,
            sha256=self.sha256,
            issuer=issuer,
            drill=self.drill,
        )


_RECEIVED = tuple(received_filings.c[field] for field in Received.__struct_fields__)


async def add_received(
    conn: AsyncConnection, *, node: str, message: Message, sha256: str, now: datetime
) -> Received:
    """Store a filing from below once a key, and return what is stored: the first arrival."""
    row = {
        "key": message.key,
        "node": node,
        "unit": message.unit,
        "incident": message.incident_id,
        "obligation": message.obligation,
        "level": message.level,
        "payload": msgspec.to_builtins(message),
        "received_at": now,
        "sha256": sha256,
        "drill": message.drill,
    }
    new = await insert_once(conn, received_filings, row)
    query = sa.select(*_RECEIVED).where(received_filings.c.key == message.key)
    received = Received(**(await conn.execute(query)).mappings().one())
    if new:
        await _journal_received(conn, received)
    return received


async def _journal_received(conn: AsyncConnection, received: Received) -> None:
    entry = journal.Entry(
        actor=f"node:{received.node}",
        action="filing.received",
        subject=f"received_filing:{received.number}",
        detail={
            "number": received.number,
            "key": received.key,
            "unit": received.unit,
            "obligation": received.obligation,
            "level": received.level,
            "sha256": received.sha256,
            **({"drill": received.drill} if received.drill else {}),
        },
    )
    await journal.write(conn, entry, received.received_at)
