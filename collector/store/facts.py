"""What nodes last said of themselves, and what could not be read: the quarantine, in plain sight."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from wire.ids import uuid7

from .once import insert_once
from .schema import exits, node_facts, nodes, quarantine, seen_reports

MAX_QUARANTINED_BYTES = 65_536
DIFFERENCES = ("asset_not_enrolled", "filing_number_differs", "grade_differs", "unknown_asset")
UPKEEP = ("settings_rolled_back", "update_refused", "update_rolled_back")
"""Kinds of findings at a node: against the register, and of its updates and pushed settings."""


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
    host_name: str
    assets: list[str]
    findings: list[dict[str, Any]] = []


async def node_rows(conn: AsyncConnection, wanted: Iterable[str]) -> dict[str, NodeRow]:
    """Return nodes by their id; those that are not known are missing."""
    columns = [nodes.c[field] for field in NodeRow.__struct_fields__]
    rows = await conn.execute(sa.select(*columns).where(nodes.c.id.in_(sorted(wanted))))
    return {row["id"]: NodeRow(**row) for row in rows.mappings()}


async def findings_of(conn: AsyncConnection, node: str) -> list[dict[str, Any]]:
    """Return what is noted at a node so far: what differs from the register, what its update came to."""
    found = (await conn.execute(sa.select(nodes.c.findings).where(nodes.c.id == node))).scalar()
    return list(found or [])


async def set_findings(conn: AsyncConnection, node: str, findings: list[dict[str, Any]]) -> None:
    """Replace what is noted at a node."""
    await conn.execute(nodes.update().where(nodes.c.id == node).values(findings=findings))


async def facts_of(conn: AsyncConnection, node: str) -> dict[str, Fact]:
    """Return the newest fact of every kind of a node."""
    columns = [node_facts.c[field] for field in Fact.__struct_fields__]
    rows = await conn.execute(sa.select(*columns).where(node_facts.c.node == node))
    return {row["kind"]: Fact(**row) for row in rows.mappings()}


async def kinds_of(conn: AsyncConnection, node: str) -> set[str]:
    """Return the kinds of facts that are kept of a node."""
    rows = await conn.execute(sa.select(node_facts.c.kind).where(node_facts.c.node == node))
    return set(rows.scalars())


async def put_fact(conn: AsyncConnection, node: str, fact: Fact) -> bool:
    """Keep a fact as the newest of its kind: the log's order is the order in which the node told them.

    Returns:
        True where it is the first of its kind.
    """
    values = {"body": fact.body, "observed_at": fact.observed_at, "received_at": fact.received_at}
    if await insert_once(conn, node_facts, {"node": node, "kind": fact.kind, **values}):
        return True
    here = (node_facts.c.node == node, node_facts.c.kind == fact.kind)
    await conn.execute(node_facts.update().where(*here).values(**values))
    return False


async def put_heartbeats(conn: AsyncConnection, beats: Mapping[str, Fact]) -> None:
    """Keep the newest heartbeat of each node, all in one statement."""
    rows = [
        {
            "node": node,
            "kind": beat.kind,
            "body": beat.body,
            "observed_at": beat.observed_at,
            "received_at": beat.received_at,
        }
        for node, beat in beats.items()
    ]
    if not rows:
        return
    insert = (postgresql if conn.dialect.name == "postgresql" else sqlite).insert(node_facts)
    newer = {name: insert.excluded[name] for name in ("body", "observed_at", "received_at")}
    await conn.execute(insert.on_conflict_do_update(index_elements=["node", "kind"], set_=newer), rows)


class Sign(Struct, frozen=True, kw_only=True):
    """A sign of life: when a batch of a node came, and how far the host was ahead of us (None: not told)."""

    node: str
    last_seen: datetime
    skew_seconds: float | None
    agent_version: str | None = None


async def put_signs(conn: AsyncConnection, signs: Iterable[Sign]) -> None:
    """Note signs of life on their nodes, all in one statement."""
    rows = [{"b_node": one.node, **{f: getattr(one, f) for f in Sign.__struct_fields__[1:]}} for one in signs]
    if not rows:
        return
    values = {
        "last_seen": sa.bindparam("last_seen"),
        "skew_seconds": sa.bindparam("skew_seconds"),
        # Two hosts of one name: the one that was taken for rebuilt speaks after all.
        "state": sa.case((nodes.c.state == "replaced", "active"), else_=nodes.c.state),
        "agent_version": sa.func.coalesce(
            sa.bindparam("agent_version", type_=sa.Text), nodes.c.agent_version
        ),
    }
    await conn.execute(nodes.update().where(nodes.c.id == sa.bindparam("b_node")).values(**values), rows)


async def first_sight(conn: AsyncConnection, node: str, report: str, now: datetime) -> bool:
    """Remember an incident report by its id; False where it was here before (a resend after a fork)."""
    return await insert_once(conn, seen_reports, {"node": node, "report": report, "seen_at": now})


async def forget(conn: AsyncConnection, before: datetime) -> None:
    """Forget report ids, ways out that are gone and what lies in quarantine since before a time.

    The event log keeps what they were made from for as long as the settings say.
    """
    await conn.execute(seen_reports.delete().where(seen_reports.c.seen_at < before))
    await conn.execute(exits.delete().where(exits.c.gone_at < before))
    await conn.execute(quarantine.delete().where(quarantine.c.received_at < before))


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


async def in_quarantine(conn: AsyncConnection, source: str, why: str) -> bool:
    """Whether something of this source lies in quarantine for this reason."""
    same = (quarantine.c.source == source, quarantine.c.why == why)
    return (await conn.execute(sa.select(quarantine.c.id).where(*same).limit(1))).first() is not None


async def count_quarantine(conn: AsyncConnection) -> int:
    """Return how much lies in quarantine."""
    return int((await conn.execute(sa.select(sa.func.count()).select_from(quarantine))).scalar_one())
