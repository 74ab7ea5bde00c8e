"""Orders to nodes: issued once a key, fetched by the node, ended once by its outcome or by their deadline."""

from datetime import datetime
from typing import Any

import rfc8785
import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from wire.ids import uuid7
from wire.messages import Order, Outcome
from wire.vocabulary import OrderKind

from . import journal
from .once import insert_once
from .runs import wake_step
from .schema import orders

MAX_OPEN = 100
MAX_DETAIL_BYTES = 65_536
MAX_DETAIL_TEXT = 2_000
EXPIRED = {"why": "no outcome came before the deadline"}


class OrderRow(Struct, frozen=True, kw_only=True):
    """One order as it stands.

    Fields:
        key: What makes it one effect: `run/step/visit` where a plan issued it.
        state: `open`, or what became of it: `done`, `refused`, `failed`, `expired`.
        detail: What the node said of it.
        dry_run: The node only looks whether it would do it.
    """

    id: str
    key: str
    node: str
    incident: str | None
    kind: OrderKind
    params: dict[str, Any]
    issued_at: datetime
    deadline: datetime
    state: str
    ended_at: datetime | None
    detail: dict[str, Any] | None
    dry_run: bool = False


_COLUMNS = tuple(orders.c[field] for field in OrderRow.__struct_fields__)


async def add_order(
    conn: AsyncConnection,
    *,
    key: str,
    node: str,
    incident: str | None,
    kind: OrderKind,
    params: dict[str, Any],
    deadline: datetime,
    now: datetime,
    actor: str = "system",
    dry_run: bool = False,
    reason: str = "",
) -> OrderRow:
    """Issue an order unless its key is already there; returns the order that stands under the key."""
    order = OrderRow(
        id=uuid7(now),
        key=key,
        node=node,
        incident=incident,
        kind=kind,
        params=params,
        issued_at=now,
        deadline=deadline,
        state="open",
        ended_at=None,
        detail=None,
        dry_run=dry_run,
    )
    if not await insert_once(conn, orders, {name: getattr(order, name) for name in order.__struct_fields__}):
        known = await order_of(conn, key)
        return known or order
    detail = {
        "key": key,
        "node": node,
        "kind": kind,
        "params": params,
        "deadline": deadline,
        "dry_run": dry_run,
        "reason": reason,
    }
    await _journal(conn, order, "order.issued", detail, actor=actor, now=now)
    return order


async def order_of(conn: AsyncConnection, key: str) -> OrderRow | None:
    """Return the order with this key."""
    row = (await conn.execute(sa.select(*_COLUMNS).where(orders.c.key == key))).mappings().first()
    return OrderRow(**row) if row else None


async def order_by_id(conn: AsyncConnection, identifier: str) -> OrderRow | None:
    """Return an order."""
    row = (await conn.execute(sa.select(*_COLUMNS).where(orders.c.id == identifier))).mappings().first()
    return OrderRow(**row) if row else None


async def open_orders(conn: AsyncConnection, node: str, now: datetime) -> list[Order]:
    """Return what a node is still to do, oldest first; what is past its deadline is not handed out."""
    query = (
        sa.select(*_COLUMNS)
        .where(orders.c.node == node, orders.c.state == "open", orders.c.deadline > now)
        .order_by(orders.c.id)
        .limit(MAX_OPEN)
    )
    rows = [OrderRow(**row) for row in (await conn.execute(query)).mappings()]
    return [
        Order(
            id=row.id,
            node=row.node,
            kind=row.kind,
            params=row.params,
            issued_at=row.issued_at,
            deadline=row.deadline,
            dry_run=row.dry_run,
        )
        for row in rows
    ]


async def busy_nodes(conn: AsyncConnection, now: datetime) -> set[str]:
    """Return the nodes that have something left to do."""
    query = sa.select(orders.c.node).where(orders.c.state == "open", orders.c.deadline > now).distinct()
    return set((await conn.execute(query)).scalars())


async def end_order(conn: AsyncConnection, outcome: Outcome, node: str, now: datetime) -> bool:
    """Write down a node's outcome and wake the plan's step that waits for it; the first outcome stays.

    Where the deadline ended it first, what waited for it has gone on, and that end stays too. But what the
    node really did, as an isolation that cut its line off, is kept beside it.

    Returns:
        False where the node has no order that this says anything new of: nothing was written.
    """
    query = sa.select(*_COLUMNS).where(orders.c.id == outcome.order, orders.c.node == node)
    row = (await conn.execute(query)).mappings().first()
    if row is None:
        return False
    detail = storable(outcome.detail)
    if row["state"] == "expired" and outcome.state != "expired":
        return await _add_late(conn, OrderRow(**row), outcome.state, detail, now)
    return await _end(conn, OrderRow(**row), outcome.state, detail, actor=f"node:{node}", now=now)


def storable(detail: dict[str, Any]) -> dict[str, Any]:
    """Return what a node said as the journal can seal it; else its text, shortened.

    >>> storable({"size": 2**60})
    {'why': 'a detail that cannot be kept as it is', 'text': "{'size': 1152921504606846976}"}
    """
    try:
        if len(rfc8785.dumps(detail)) <= MAX_DETAIL_BYTES:
            return detail
    except (rfc8785.CanonicalizationError, UnicodeError, RecursionError):
        pass
    return {"why": "a detail that cannot be kept as it is", "text": repr(detail)[:MAX_DETAIL_TEXT]}


async def overdue_orders(conn: AsyncConnection, now: datetime, limit: int = 200) -> list[OrderRow]:
    """Return open orders that are past their deadline."""
    query = (
        sa.select(*_COLUMNS)
        .where(orders.c.state == "open", orders.c.deadline <= now)
        .order_by(orders.c.deadline)
        .limit(limit)
    )
    return [OrderRow(**row) for row in (await conn.execute(query)).mappings()]


async def expire_order(conn: AsyncConnection, order: OrderRow, now: datetime) -> bool:
    """End an order whose deadline has passed, unless an outcome came first."""
    return await _end(conn, order, "expired", EXPIRED, actor="system", now=now)


async def _add_late(
    conn: AsyncConnection, order: OrderRow, state: str, detail: dict[str, Any], now: datetime
) -> bool:
    if order.detail != EXPIRED:
        return False
    late = {"state": state, "at": now.isoformat(), "detail": detail}
    change = sa.update(orders).where(orders.c.id == order.id).values(detail=EXPIRED | {"late": late})
    await conn.execute(change)
    told = {"key": order.key, "node": order.node, "kind": order.kind, "state": state, "detail": detail}
    await _journal(conn, order, "order.late", told, actor=f"node:{order.node}", now=now)
    return True


async def _end(
    conn: AsyncConnection, order: OrderRow, state: str, detail: dict[str, Any], *, actor: str, now: datetime
) -> bool:
    statement = (
        sa.update(orders)
        .where(orders.c.id == order.id, orders.c.state == "open")
        .values(state=state, ended_at=now, detail=detail)
    )
    if (await conn.execute(statement)).rowcount != 1:
        return False
    told = {"key": order.key, "node": order.node, "kind": order.kind, "state": state, "detail": detail}
    await _journal(conn, order, "order.ended", told, actor=actor, now=now)
    await wake_step(conn, order.key, now)
    return True


async def _journal(
    conn: AsyncConnection, order: OrderRow, action: str, detail: dict[str, Any], *, actor: str, now: datetime
) -> None:
    entry = journal.Entry(
        actor=actor, action=action, subject=f"order:{order.id}", incident=order.incident, detail=detail
    )
    await journal.write(conn, entry, now)
