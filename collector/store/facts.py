"""What nodes last said of themselves, and what could not be read: the quarantine, in plain sight."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from wire.ids import uuid7

from .once import insert_once
from .schema import node_facts, nodes, quarantine

MAX_QUARANTINED_BYTES = 65_536


class Fact(Struct, frozen=True, kw_only=True):
    """The newest report of a kind of a node."""

    kind: str
    body: dict[str, Any]
    observed_at: datetime
    received_at: datetime


class NodeRow(Struct, frozen=True, kw_only=True):
    """What the stages need to know of a node."""

    id: str
    unit: str
    state: str
    assets: list[str]
    findings: list[dict[str, Any]]


async def node_row(conn: AsyncConnection, node: str) -> NodeRow | None:
    """Return the node with this id."""
    columns = [nodes.c[field] for field in NodeRow.__struct_fields__]
    row = (await conn.execute(sa.select(*columns).where(nodes.c.id == node))).mappings().first()
    return NodeRow(**row) if row else None


async def set_findings(conn: AsyncConnection, node: str, findings: list[dict[str, Any]]) -> None:
    """Replace what node and registry disagree on."""
    await conn.execute(nodes.update().where(nodes.c.id == node).values(findings=findings))


async def facts_of(conn: AsyncConnection, node: str) -> dict[str, Fact]:
    """Return the newest fact of every kind of a node."""
    columns = [node_facts.c[field] for field in Fact.__struct_fields__]
    rows = await conn.execute(sa.select(*columns).where(node_facts.c.node == node))
    return {row["kind"]: Fact(**row) for row in rows.mappings()}


async def put_fact(conn: AsyncConnection, node: str, fact: Fact) -> bool:
    """Keep a fact unless a newer one of its kind is there.

    Returns:
        True where it is the first of its kind.
    """
    here = (node_facts.c.node == node, node_facts.c.kind == fact.kind)
    values = {"body": fact.body, "observed_at": fact.observed_at, "received_at": fact.received_at}
    if await insert_once(conn, node_facts, {"node": node, "kind": fact.kind, **values}):
        return True
    await conn.execute(
        node_facts.update().where(*here, node_facts.c.received_at <= fact.received_at).values(**values)
    )
    return False


async def add_quarantine(
    conn: AsyncConnection, *, source: str, where: str, why: str, body: bytes, now: datetime
) -> str:
    """Put what could not be read aside where people see it; of a long body the beginning.

    Args:
        conn: A write transaction.
        source: Node id or name of the intake.
        where: Position in the event log, epoch and number.
        why: What was found and what was expected.
        body: The bytes as they came; empty where nothing may be kept of them.
        now: When it was put aside.
    """
    identifier = uuid7(now)
    row = {"id": identifier, "source": source, "where": where, "why": why, "received_at": now}
    await conn.execute(quarantine.insert().values(body=body[:MAX_QUARANTINED_BYTES], **row))
    return identifier


async def count_quarantine(conn: AsyncConnection) -> int:
    """Return how much lies in quarantine."""
    return int((await conn.execute(sa.select(sa.func.count()).select_from(quarantine))).scalar_one())
