"""Orders: issued once, fetched by their node alone, ended once."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from collector.store.engine import Store
from collector.store.orders import (
    OrderRow,
    add_order,
    busy_nodes,
    end_order,
    expire_order,
    open_orders,
    order_of,
    overdue_orders,
)
from collector.store.schema import journal
from wire.messages import VERSION, Outcome

NOW = datetime(2026, 3, 2, 1, 10, tzinfo=UTC)
DEADLINE = NOW + timedelta(minutes=10)


async def issue(store: Store, key: str = "r/a/1", node: str = "node-1") -> OrderRow:
    async with store.write() as conn:
        return await add_order(
            conn,
            key=key,
            node=node,
            incident="i",
            kind="collect_evidence",
            params={"items": ["sockets"]},
            deadline=DEADLINE,
            now=NOW,
        )


async def told(store: Store) -> list[tuple[str, str]]:
    async with store.read() as conn:
        rows = await conn.execute(sa.select(journal.c.action, journal.c.actor).order_by(journal.c.id))
        return [(row.action, row.actor) for row in rows]


def outcome(order: str, state: Any = "done") -> Outcome:  # noqa: ANN401 - a literal of the wire
    return Outcome(version=VERSION, order=order, state=state, at=NOW, detail={"files": 4})


async def test_the_same_key_is_the_same_order(state: Store) -> None:
    first, second = await issue(state), await issue(state)

    assert first == second
    assert await told(state) == [("order.issued", "system")]


async def test_a_node_fetches_its_own_open_orders_before_their_deadline(state: Store) -> None:
    mine, theirs = await issue(state), await issue(state, "r/b/1", "node-2")

    async with state.read() as conn:
        assert [order.id for order in await open_orders(conn, "node-1", NOW)] == [mine.id]
        assert [order.params for order in await open_orders(conn, "node-2", NOW)] == [theirs.params]
        assert await open_orders(conn, "node-1", DEADLINE) == []
        assert await busy_nodes(conn, NOW) == {"node-1", "node-2"}


async def test_the_first_outcome_stays(state: Store) -> None:
    order = await issue(state)

    async with state.write() as conn:
        assert await end_order(conn, outcome(order.id), "node-1", NOW)
        assert not await end_order(conn, outcome(order.id, "failed"), "node-1", NOW)
        ended = await order_of(conn, order.key)

    assert ended is not None
    assert (ended.state, ended.detail, ended.ended_at) == ("done", {"files": 4}, NOW)
    assert await told(state) == [("order.issued", "system"), ("order.ended", "node:node-1")]


@pytest.mark.parametrize(
    "detail", [{"size": 2**60}, {"name": "\ud800"}, {"text": "x" * 100_000}, {"nan": float("nan")}]
)
async def test_a_detail_that_cannot_be_sealed_is_kept_as_text_and_ends_the_order(
    state: Store, detail: dict[str, Any]
) -> None:
    order = await issue(state)
    said = Outcome(version=VERSION, order=order.id, state="done", at=NOW, detail=detail)

    async with state.write() as conn:
        assert await end_order(conn, said, "node-1", NOW)
        ended = await order_of(conn, order.key)

    assert ended is not None
    assert (ended.detail or {})["why"] == "a detail that cannot be kept as it is"


@pytest.mark.parametrize("node", ["node-2", ""])
async def test_nobody_ends_the_order_of_another_node(state: Store, node: str) -> None:
    order = await issue(state)

    async with state.write() as conn:
        assert not await end_order(conn, outcome(order.id), node, NOW)
        assert not await end_order(conn, outcome("no-order"), node, NOW)


async def test_an_order_expires_once_unless_an_outcome_came_first(state: Store) -> None:
    order, answered = await issue(state), await issue(state, "r/b/1")

    async with state.write() as conn:
        assert await overdue_orders(conn, NOW) == []
        overdue = await overdue_orders(conn, DEADLINE)
        await end_order(conn, outcome(answered.id), "node-1", NOW)
        assert [await expire_order(conn, each, DEADLINE) for each in overdue] == [True, False]
        expired = await order_of(conn, order.key)

    assert expired is not None
    assert (expired.state, expired.ended_at) == ("expired", DEADLINE)


async def test_what_a_node_did_is_kept_though_its_word_came_after_the_deadline(state: Store) -> None:
    """An isolation may cut off the line by which it would be told."""
    order = await issue(state)
    later = DEADLINE + timedelta(hours=1)
    async with state.write() as conn:
        assert await expire_order(conn, order, DEADLINE)

    async with state.write() as conn:
        assert await end_order(conn, outcome(order.id), "node-1", later)
        assert not await end_order(conn, outcome(order.id, "failed"), "node-1", later)
        ended = await order_of(conn, order.key)

    assert ended is not None
    assert (ended.state, ended.ended_at) == ("expired", DEADLINE)
    late = {"state": "done", "at": later.isoformat(), "detail": {"files": 4}}
    assert ended.detail == {"why": "no outcome came before the deadline", "late": late}
    actions = [action for action, _ in await told(state)]
    assert actions == ["order.issued", "order.ended", "order.late"]


async def test_a_node_that_says_it_was_too_late_says_nothing_new(state: Store) -> None:
    order = await issue(state)
    async with state.write() as conn:
        assert await expire_order(conn, order, DEADLINE)
        assert not await end_order(conn, outcome(order.id, "expired"), "node-1", DEADLINE)
