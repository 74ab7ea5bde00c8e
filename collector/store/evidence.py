"""Evidence packs: a manifest and its pieces as a node sends them, proved whole, every touch in the journal.

    manifest ─> pack `arriving` ─> pieces, in any order, each once ─> all there? both digests right?
                                                                       ├─ `proved`
                                                                       └─ `broken`: kept, and said

The journal's entries of a pack are its chain of custody: who sent it, when it was whole, who looked and who
took it away, in one hash chain with everything else that happened.
"""

import hashlib
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from cryptography.hazmat.primitives.hashes import SM3, Hash
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from . import journal
from .once import insert_once
from .orders import order_by_id
from .schema import evidence_chunks, evidence_packs
from .schema import journal as journal_rows

ACTIONS = ("evidence.broken", "evidence.exported", "evidence.proved", "evidence.received", "evidence.shown")


class Manifest(Struct, frozen=True, kw_only=True):
    """What a node says of a pack before its pieces."""

    order: str
    name: str
    size: int
    sha256: str
    sm3: str
    chunks: int
    items: list[str] = []
    host: str = ""


class PackRow(Struct, frozen=True, kw_only=True):
    """A pack as it stands.

    Fields:
        id: That of the order it answers.
        state: `arriving`, `proved`, or `broken` where the pieces are not what the manifest says.
        arrived: How many of its `chunks` are here.
    """

    id: str
    node: str
    unit: str
    incident: str | None
    name: str
    host: str
    size: int
    sha256: str
    sm3: str
    chunks: int
    arrived: int
    items: list[str]
    state: str
    received_at: datetime
    ended_at: datetime | None


class Touch(Struct, frozen=True, kw_only=True):
    """One entry of a pack's chain of custody, with its hash in the journal."""

    at: datetime
    actor: str
    action: str
    detail: dict[str, Any]
    hash: str


_COLUMNS = tuple(evidence_packs.c[field] for field in PackRow.__struct_fields__)


async def keep_manifest(
    conn: AsyncConnection, manifest: Manifest, *, node: str, unit: str, now: datetime
) -> bool:
    """Open a pack for an order of this node; False where the node has no such order.

    A manifest that comes again changes nothing: the first stays.
    """
    order = await order_by_id(conn, manifest.order)
    if order is None or order.node != node:
        return False
    pack = PackRow(
        id=order.id,
        node=node,
        unit=unit,
        incident=order.incident,
        name=manifest.name,
        host=manifest.host,
        size=manifest.size,
        sha256=manifest.sha256,
        sm3=manifest.sm3,
        chunks=manifest.chunks,
        arrived=0,
        items=manifest.items,
        state="arriving",
        received_at=now,
        ended_at=None,
    )
    if await insert_once(
        conn, evidence_packs, {name: getattr(pack, name) for name in pack.__struct_fields__}
    ):
        told = {"name": pack.name, "size": pack.size, "sha256": pack.sha256, "sm3": pack.sm3}
        await touch(conn, pack, "evidence.received", f"node:{node}", now, **told)
        if not pack.chunks:
            await _end(conn, pack, now)
    return True


async def keep_chunk(
    conn: AsyncConnection, identifier: str, number: int, body: bytes, *, node: str, now: datetime
) -> bool:
    """Keep a piece, and prove the pack with the last one; False where the node has no such pack or piece."""
    pack = await pack_of(conn, identifier)
    if pack is None or pack.node != node or not 0 <= number < pack.chunks:
        return False
    if pack.state != "arriving":
        return True
    if not await insert_once(conn, evidence_chunks, {"pack": identifier, "chunk": number, "body": body}):
        return True
    statement = (
        sa.update(evidence_packs)
        .where(evidence_packs.c.id == identifier)
        .values(arrived=evidence_packs.c.arrived + 1)
        .returning(evidence_packs.c.arrived)
    )
    arrived = (await conn.execute(statement)).scalar_one()
    if arrived == pack.chunks:
        await _end(conn, pack, now)
    return True


async def _end(conn: AsyncConnection, pack: PackRow, now: datetime) -> None:
    """Hold all pieces against the manifest."""
    whole = await content(conn, pack.id)
    sm3 = Hash(SM3())
    sm3.update(whole)
    found = {
        "size": len(whole),
        "sha256": hashlib.sha256(whole).hexdigest(),
        "sm3": sm3.finalize().hex(),
    }
    proved = all(found[name] == getattr(pack, name) for name in found)
    state = "proved" if proved else "broken"
    statement = sa.update(evidence_packs).where(evidence_packs.c.id == pack.id)
    await conn.execute(statement.values(state=state, ended_at=now))
    await touch(conn, pack, f"evidence.{state}", "system", now, **found)


async def touch(
    conn: AsyncConnection, pack: PackRow, action: str, actor: str, now: datetime, **detail: object
) -> None:
    """Write a touch into the journal."""
    entry = journal.Entry(
        actor=actor, action=action, subject=f"evidence:{pack.id}", incident=pack.incident, detail=detail
    )
    await journal.write(conn, entry, now)


async def pack_of(conn: AsyncConnection, identifier: str) -> PackRow | None:
    """Return the pack that answers an order."""
    row = (
        (await conn.execute(sa.select(*_COLUMNS).where(evidence_packs.c.id == identifier))).mappings().first()
    )
    return PackRow(**row) if row else None


async def content(conn: AsyncConnection, identifier: str) -> bytes:
    """Return the pieces that are here, one behind the other."""
    query = (
        sa.select(evidence_chunks.c.body)
        .where(evidence_chunks.c.pack == identifier)
        .order_by(evidence_chunks.c.chunk)
    )
    return b"".join((await conn.execute(query)).scalars())


async def custody(conn: AsyncConnection, identifier: str) -> list[Touch]:
    """Return everything that happened to a pack, oldest first."""
    columns = [journal_rows.c[name] for name in Touch.__struct_fields__]
    query = (
        sa.select(*columns)
        .where(journal_rows.c.subject == f"evidence:{identifier}", journal_rows.c.action.in_(ACTIONS))
        .order_by(journal_rows.c.id)
    )
    return [Touch(**row) for row in (await conn.execute(query)).mappings()]
