"""What persons write for a report before it is filed, and the proof they hand in."""

from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from wire.ids import uuid7

from ..statement import Ransom, Written
from . import journal
from .clocks import Clock, clocks_of
from .once import insert_once
from .schema import attachments, drafts


class Draft(Struct, frozen=True, kw_only=True):
    """What was written for the report of a clock.

    Fields:
        written: By number of the item.
        version: Counts changes; 0: nothing was written yet.
    """

    clock: str
    incident: str
    written: dict[int, Written]
    ransom: Ransom | None
    updated_at: datetime | None
    updated_by: str
    version: int


class Attachment(Struct, frozen=True, kw_only=True):
    """A file handed in as proof, without its bytes."""

    id: str
    incident: str
    name: str
    media_type: str
    size: int
    sha256: str
    actor: str
    at: datetime


_ATTACHMENT = tuple(attachments.c[name] for name in Attachment.__struct_fields__)


async def draft_of(conn: AsyncConnection, clock: Clock) -> Draft:
    """Return what was written for a clock's report.

    A report that asks the same items as an earlier one of its incident begins with what was written there.
    """
    rows = (await conn.execute(sa.select(drafts).where(drafts.c.incident == clock.incident))).mappings()
    found = {row["clock"]: _draft(row) for row in rows}
    if clock.id in found:
        return found[clock.id]
    asked = {one.id for one in await clocks_of(conn, [clock.incident]) if _alike(one, clock)}
    earlier = [draft for key, draft in found.items() if key in asked]
    newest = max(earlier, key=lambda draft: (draft.updated_at, draft.clock), default=None)
    return Draft(
        clock=clock.id,
        incident=clock.incident,
        written=newest.written if newest else {},
        ransom=newest.ransom if newest else None,
        updated_at=None,
        updated_by="",
        version=0,
    )


async def save_draft(
    conn: AsyncConnection,
    clock: Clock,
    *,
    texts: Mapping[int, str],
    ransom: Ransom | None,
    actor: str,
    now: datetime,
) -> Draft:
    """Write down what a person wrote; an item whose words stay the same keeps its writer and time.

    Args:
        conn: A write transaction.
        clock: The report's clock.
        texts: By number of the item; empty takes words away, an item not named keeps them.
        ransom: What is known of a ransom; None leaves it.
        actor: Who writes.
        now: The time.
    """
    old = await draft_of(conn, clock)
    written = dict(old.written)
    for number, text in texts.items():
        words = text.strip()
        if not words:
            written.pop(number, None)
        elif number not in written or written[number].text != words:
            written[number] = Written(text=words, by=actor, at=now)
    new = msgspec.structs.replace(
        old,
        written=written,
        ransom=ransom or old.ransom,
        updated_at=now,
        updated_by=actor,
        version=old.version + 1,
    )
    if (new.written, new.ransom) == (old.written, old.ransom):
        return old
    await _store(conn, new)
    changed = sorted(
        number for number in {*old.written, *written} if old.written.get(number) != written.get(number)
    )
    detail = {"obligation": clock.obligation, "items": changed, "version": new.version}
    entry = journal.Entry(
        actor=actor,
        action="filing.drafted",
        subject=f"clock:{clock.id}",
        incident=clock.incident,
        detail=detail,
    )
    await journal.write(conn, entry, now)
    return new


async def add_attachment(
    conn: AsyncConnection,
    incident: str,
    *,
    name: str,
    media_type: str,
    body: bytes,
    actor: str,
    now: datetime,
) -> Attachment:
    """Keep a file handed in as proof; the same bytes are kept once an incident."""
    digest = sha256(body).hexdigest()
    row = {
        "id": uuid7(now),
        "incident": incident,
        "name": name,
        "media_type": media_type,
        "size": len(body),
        "sha256": digest,
        "actor": actor,
        "at": now,
    }
    if await insert_once(conn, attachments, row | {"body": body}):
        detail = {name: row[name] for name in ("name", "media_type", "size", "sha256")}
        subject = f"attachment:{row['id']}"
        entry = journal.Entry(
            actor=actor, action="attachment.added", subject=subject, incident=incident, detail=detail
        )
        await journal.write(conn, entry, now)
    query = sa.select(*_ATTACHMENT).where(attachments.c.incident == incident, attachments.c.sha256 == digest)
    return Attachment(**(await conn.execute(query)).mappings().one())


async def get_attachment(conn: AsyncConnection, incident: str, key: str) -> Attachment | None:
    """Return an attachment of an incident, without its bytes."""
    query = sa.select(*_ATTACHMENT).where(attachments.c.id == key, attachments.c.incident == incident)
    row = (await conn.execute(query)).mappings().first()
    return Attachment(**row) if row else None


async def attachment_named(
    conn: AsyncConnection, incident: str, name: str, actor: str = "system"
) -> bytes | None:
    """Return the bytes of the first attachment of a name that an actor put to an incident."""
    query = sa.select(attachments.c.body).where(
        attachments.c.incident == incident, attachments.c.name == name, attachments.c.actor == actor
    )
    found: bytes | None = (await conn.execute(query.order_by(attachments.c.id).limit(1))).scalar()
    return found


async def attachment_bytes(conn: AsyncConnection, key: str) -> bytes:
    """Return the bytes of an attachment that is there."""
    query = sa.select(attachments.c.body).where(attachments.c.id == key)
    return bytes((await conn.execute(query)).scalar_one())


def _draft(row: sa.RowMapping) -> Draft:
    items: dict[str, Any] = row["items"]
    return Draft(
        clock=row["clock"],
        incident=row["incident"],
        written={int(number): msgspec.convert(item, Written) for number, item in items.items()},
        ransom=msgspec.convert(row["ransom"], Ransom) if row["ransom"] else None,
        updated_at=row["updated_at"],
        updated_by=row["updated_by"],
        version=row["version"],
    )


async def _store(conn: AsyncConnection, draft: Draft) -> None:
    row = {
        "incident": draft.incident,
        "items": {str(number): msgspec.to_builtins(item) for number, item in draft.written.items()},
        "ransom": msgspec.to_builtins(draft.ransom),
        "updated_at": draft.updated_at,
        "updated_by": draft.updated_by,
        "version": draft.version,
    }
    if not await insert_once(conn, drafts, {"clock": draft.clock, **row}):
        await conn.execute(drafts.update().where(drafts.c.clock == draft.clock).values(**row))


def _alike(one: Clock, other: Clock) -> bool:
    return (one.regime, one.content) == (other.regime, other.content)
