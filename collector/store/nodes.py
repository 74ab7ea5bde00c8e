"""Rows of nodes and of the tokens by which they enrol."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from wire.vocabulary import NodeKind

from .schema import enrolment_tokens, exits, node_facts, nodes

ADMITTED = ("active", "replaced")
"""States in which a node is heard; one that was replaced by a rebuilt host and speaks is active again."""


class NodeRow(Struct, frozen=True, kw_only=True):
    """An enrolled node; `state` is `active` or `revoked`, `assets` are registry keys."""

    id: str
    unit: str
    kind: NodeKind
    state: str
    host_name: str
    machine_id: str
    assets: list[str]
    certificate_serial: str
    certificate_expires: datetime
    enrolled_at: datetime
    last_seen: datetime | None = None
    skew_seconds: float | None = None
    agent_version: str | None = None
    findings: list[dict[str, Any]] = []
    presence: dict[str, Any] | None = None
    cloned_at: datetime | None = None
    enrolled_token: str | None = None
    enrolled_key: str | None = None


class Agent(Struct, frozen=True, kw_only=True):
    """An agent as the watch over silence sees it; `said` is its last heartbeat."""

    id: str
    unit: str
    host_name: str
    enrolled_at: datetime
    last_seen: datetime | None
    presence: dict[str, Any] | None
    said: dict[str, Any] | None


class Standing(Struct, frozen=True):
    """Who a certificate's bearer is, as far as a listener has to know.

    Fields:
        cloned: Two hosts spoke with its key: only the certificate with `serial` counts; empty: none does.
    """

    id: str
    unit: str
    kind: NodeKind
    state: str
    cloned: bool = False
    serial: str = ""


class Below(Struct, frozen=True, kw_only=True):
    """A collector below, with its last heartbeat; `heard_at` and `said` are None before the first."""

    id: str
    unit: str
    host_name: str
    enrolled_at: datetime
    heard_at: datetime | None
    said: dict[str, Any] | None


class Trusting(Struct, frozen=True, kw_only=True):
    """A node and the digest of the authorities that it trusts by its last word; empty: it said none."""

    id: str
    unit: str
    kind: NodeKind
    host_name: str
    last_seen: datetime | None
    authorities: str


class TokenRow(Struct, frozen=True, kw_only=True):
    """An enrolment token: for which unit and kind, until when, for how many nodes."""

    id: str
    secret_sha256: str
    unit: str
    kind: NodeKind
    created_at: datetime
    expires_at: datetime
    uses_left: int


async def add_node(connection: AsyncConnection, node: NodeRow) -> None:
    """Store a new node."""
    await connection.execute(sa.insert(nodes).values({f: getattr(node, f) for f in node.__struct_fields__}))


async def node(connection: AsyncConnection, identifier: str) -> NodeRow | None:
    """Return a node."""
    query = sa.select(nodes).where(nodes.c.id == identifier)
    row = (await connection.execute(query)).mappings().first()
    return NodeRow(**row) if row else None


async def standing(connection: AsyncConnection, identifier: str) -> Standing | None:
    """Return who a node is, or None for one never enrolled here."""
    columns = (nodes.c.id, nodes.c.unit, nodes.c.kind, nodes.c.state)
    more = (nodes.c.cloned_at, nodes.c.certificate_serial)
    row = (await connection.execute(sa.select(*columns, *more).where(nodes.c.id == identifier))).first()
    return Standing(*row[:4], cloned=row[4] is not None, serial=row[5]) if row else None


async def standings(connection: AsyncConnection, identifiers: Sequence[str]) -> dict[str, Standing]:
    """Return who some nodes are; those never enrolled here are missing."""
    columns = (nodes.c.id, nodes.c.unit, nodes.c.kind, nodes.c.state)
    rows = await connection.execute(sa.select(*columns).where(nodes.c.id.in_(identifiers)))
    return {row.id: Standing(*row) for row in rows}


async def revoke_node(connection: AsyncConnection, identifier: str, now: datetime) -> bool:
    """Take a node's standing, and mark its ways out as gone: it tells of none again. False: it had none."""
    change = (
        sa.update(nodes).where(nodes.c.id == identifier, nodes.c.state.in_(ADMITTED)).values(state="revoked")
    )
    if (await connection.execute(change)).rowcount != 1:
        return False
    ways = sa.update(exits).where(exits.c.node == identifier, exits.c.gone_at.is_(None))
    await connection.execute(ways.values(gone_at=now))
    return True


async def add_token(connection: AsyncConnection, token: TokenRow) -> None:
    """Store a new enrolment token."""
    values = {field: getattr(token, field) for field in token.__struct_fields__}
    await connection.execute(sa.insert(enrolment_tokens).values(values))


async def find_token(
    connection: AsyncConnection, secret_sha256: str, now: datetime, *, hold: bool = False
) -> TokenRow | None:
    """Return the token of a secret within its life, used up or not; `hold`: others wait for this write."""
    query = sa.select(enrolment_tokens).where(
        enrolment_tokens.c.secret_sha256 == secret_sha256, enrolment_tokens.c.expires_at > now
    )
    row = (await connection.execute(query.with_for_update() if hold else query)).mappings().first()
    return TokenRow(**row) if row else None


async def enrolled_with(connection: AsyncConnection, token: str, key: str) -> str | None:
    """Return the node that enrolled with a token for a key and has both still: admitted, never cloned."""
    query = sa.select(nodes.c.id).where(
        nodes.c.enrolled_token == token,
        nodes.c.enrolled_key == key,
        nodes.c.state.in_(ADMITTED),
        nodes.c.cloned_at.is_(None),
    )
    found: str | None = (await connection.execute(query)).scalar()
    return found


async def use_token(connection: AsyncConnection, token: TokenRow) -> bool:
    """Take one use; False when none is left."""
    change = (
        sa.update(enrolment_tokens)
        .where(enrolment_tokens.c.id == token.id, enrolment_tokens.c.uses_left > 0)
        .values(uses_left=enrolment_tokens.c.uses_left - 1)
    )
    return (await connection.execute(change)).rowcount == 1


async def renew_node(
    connection: AsyncConnection, identifier: str, serial: str, expires: datetime, *, same_key: bool = False
) -> bool:
    """Note a node's new certificate; False when it is not active.

    Unless it is for the key it enrolled with, that key opens nothing any more.
    """
    change = sa.update(nodes).where(nodes.c.id == identifier, nodes.c.state.in_(ADMITTED))
    values: dict[str, Any] = {"certificate_serial": serial, "certificate_expires": expires}
    if not same_key:
        values["enrolled_key"] = None
    return (await connection.execute(change.values(values))).rowcount == 1


async def mark_cloned(connection: AsyncConnection, identifier: str, now: datetime) -> bool:
    """Let no certificate of a node count until one of its bearers has a fresh key; False: so it is."""
    change = sa.update(nodes).where(
        nodes.c.id == identifier, nodes.c.state.in_(ADMITTED), nodes.c.certificate_serial != ""
    )
    values = {"cloned_at": now, "certificate_serial": ""}
    return (await connection.execute(change.values(values))).rowcount == 1


async def claim_clone(connection: AsyncConnection, identifier: str, serial: str, expires: datetime) -> bool:
    """Give a cloned node's id to whoever asks first with a fresh key; False: another was first."""
    change = sa.update(nodes).where(
        nodes.c.id == identifier, nodes.c.cloned_at.is_not(None), nodes.c.certificate_serial == ""
    )
    values = {"certificate_serial": serial, "certificate_expires": expires}
    return (await connection.execute(change.values(values))).rowcount == 1


async def replace_namesakes(connection: AsyncConnection, row: NodeRow, silent_since: datetime) -> list[str]:
    """Let a rebuilt host take the place of what it was: agents of its unit and name that are silent."""
    heard = sa.func.coalesce(nodes.c.last_seen, nodes.c.enrolled_at)
    namesakes = (
        nodes.c.unit == row.unit,
        nodes.c.host_name == row.host_name,
        nodes.c.kind == row.kind,
        nodes.c.id != row.id,
        nodes.c.state == "active",
        heard < sa.bindparam("silent_since", silent_since),
    )
    change = sa.update(nodes).where(*namesakes).values(state="replaced").returning(nodes.c.id)
    return sorted((await connection.execute(change)).scalars())


async def collectors_below(connection: AsyncConnection) -> list[Below]:
    """Return the active nodes of kind `collector` by id."""
    heard = sa.and_(node_facts.c.node == nodes.c.id, node_facts.c.kind == "heartbeat")
    columns = (
        nodes.c.id,
        nodes.c.unit,
        nodes.c.host_name,
        nodes.c.enrolled_at,
        node_facts.c.received_at.label("heard_at"),
        node_facts.c.body.label("said"),
    )
    query = (
        sa.select(*columns)
        .outerjoin_from(nodes, node_facts, heard)
        .where(nodes.c.kind == "collector", nodes.c.state == "active")
        .order_by(nodes.c.id)
    )
    return [Below(**row) for row in (await connection.execute(query)).mappings()]


async def trust_of_nodes(connection: AsyncConnection) -> list[Trusting]:
    """Return the active nodes with what they trust, by unit and name."""
    heard = sa.and_(node_facts.c.node == nodes.c.id, node_facts.c.kind == "heartbeat")
    columns = [nodes.c[name] for name in Trusting.__struct_fields__[:-1]]
    query = (
        sa.select(*columns, node_facts.c.body.label("said"))
        .outerjoin_from(nodes, node_facts, heard)
        .where(nodes.c.state == "active")
        .order_by(nodes.c.unit, nodes.c.host_name, nodes.c.id)
    )
    found = []
    for row in (await connection.execute(query)).mappings():
        told = row["said"].get("authorities") if isinstance(row["said"], Mapping) else None
        known = {name: row[name] for name in Trusting.__struct_fields__[:-1]}
        found.append(Trusting(**known, authorities=told if isinstance(told, str) else ""))
    return found


async def agents_to_look_at(connection: AsyncConnection, before: datetime) -> list[Agent]:
    """Return the active agents that were not heard of since `before`, or that are written down as silent."""
    heard = sa.and_(node_facts.c.node == nodes.c.id, node_facts.c.kind == "heartbeat")
    columns = [nodes.c[name] for name in Agent.__struct_fields__[:-1]]
    quiet = sa.func.coalesce(nodes.c.last_seen, nodes.c.enrolled_at) < sa.bindparam("before", before)
    query = (
        sa.select(*columns, node_facts.c.body.label("said"))
        .outerjoin_from(nodes, node_facts, heard)
        .where(
            nodes.c.kind == "agent",
            nodes.c.state == "active",
            sa.or_(quiet, nodes.c.presence.is_not(sa.null())),
        )
        .order_by(nodes.c.id)
    )
    return [Agent(**row) for row in (await connection.execute(query)).mappings()]


async def set_presence(
    connection: AsyncConnection,
    identifier: str,
    presence: dict[str, Any] | None,
    last_seen: datetime | None,
) -> bool:
    """Write down that a node is silent, or (None) back; False where it spoke or changed meanwhile."""
    was = nodes.c.presence.is_(sa.null()) if presence is not None else nodes.c.presence.is_not(sa.null())
    same = nodes.c.last_seen == last_seen if last_seen is not None else nodes.c.last_seen.is_(None)
    change = sa.update(nodes).where(
        nodes.c.id == identifier, was, same if presence is not None else sa.true()
    )
    return (await connection.execute(change.values(presence=presence))).rowcount == 1


async def revoked_nodes(connection: AsyncConnection) -> set[str]:
    """Return the ids of all nodes that are not active."""
    query = sa.select(nodes.c.id).where(nodes.c.state.not_in(ADMITTED))
    return set((await connection.execute(query)).scalars())


async def watched_nodes(connection: AsyncConnection) -> set[str]:
    """Return the ids of all nodes whose standing may change: those not admitted, and those cloned."""
    query = sa.select(nodes.c.id).where(
        sa.or_(nodes.c.state.not_in(ADMITTED), nodes.c.cloned_at.is_not(None))
    )
    return set((await connection.execute(query)).scalars())
