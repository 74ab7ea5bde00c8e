"""What people order: looked at unless they say otherwise, with a reason, by those who may."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest
import sqlalchemy as sa

from collector.desk.ordering import give_order, look_at, take_away
from collector.desk.problem import ProblemError
from collector.desk.rights import Principal
from collector.store import schema
from collector.store.evidence import keep_chunk, keep_manifest
from tests.browser.watch_room import a_node
from tests.collector.store.test_evidence import PIECES, WHOLE, manifest

if TYPE_CHECKING:
    from tests.browser.watch_room import Room

LI = Principal(actor="user:li", name="li", role="duty")
BLOCK = {"address": "203.0.113.9"}


async def asked(room: Room, principal: Principal = LI, **changes: Any) -> Any:  # noqa: ANN401 - an order
    plain: dict[str, Any] = {"kind": "block_address", "params": BLOCK, "reason": "attack", "dry_run": False}
    given = plain | changes
    node = given.pop("node")
    kind, params = given.pop("kind"), given.pop("params")
    return await give_order(room.desk, principal, node, kind, params, now=room.clock(), **given)


@pytest.fixture
async def node(room: Room) -> str:
    row = a_node(room.clock())
    await room.insert(schema.nodes, row)
    return str(row["id"])


async def test_an_order_stands_with_its_giver_and_reason_in_the_journal(room: Room, node: str) -> None:
    order = await asked(room, node=node)

    async with room.store.read() as conn:
        query = sa.select(schema.journal).where(schema.journal.c.action == "order.issued")
        (entry,) = (await conn.execute(query)).mappings()
    assert (order.node, order.kind, order.dry_run) == (node, "block_address", False)
    assert entry["actor"] == "user:li"
    assert (entry["detail"]["reason"], entry["detail"]["params"]) == ("attack", BLOCK)


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"reason": " "}, "malformed"),
        ({"params": {"address": "everything"}}, "malformed"),
        ({"params": {}}, "malformed"),
        ({"node": "nobody"}, "not-found"),
    ],
)
async def test_a_wrong_order_is_refused_before_it_is_one(
    room: Room, node: str, changes: dict[str, Any], kind: str
) -> None:
    with pytest.raises(ProblemError) as caught:
        await asked(room, **({"node": node} | changes))

    assert caught.value.kind == kind
    async with room.store.read() as conn:
        assert (await conn.execute(sa.select(schema.orders.c.id))).all() == []


async def test_who_may_only_read_orders_nothing_and_who_is_of_another_unit_sees_no_node(
    room: Room, node: str
) -> None:
    for principal, kind in (
        (Principal(actor="user:x", name="x", role="viewer"), "forbidden"),
        (Principal(actor="user:x", name="x", role="duty", person="nobody"), "not-found"),
    ):
        with pytest.raises(ProblemError) as caught:
            await asked(room, principal, node=node)
        assert caught.value.kind == kind


async def test_a_revoked_node_takes_no_orders(room: Room) -> None:
    row = a_node(room.clock(), state="revoked")
    await room.insert(schema.nodes, row)

    with pytest.raises(ProblemError, match="revoked"):
        await asked(room, node=row["id"])


async def test_evidence_is_taken_away_whole_and_every_touch_is_kept(room: Room, node: str) -> None:
    order = await asked(room, node=node, kind="collect_evidence", params={})
    now = room.clock()
    async with room.store.write() as conn:
        await keep_manifest(conn, manifest(order.id), node=node, unit="district", now=now)
    with pytest.raises(ProblemError, match="0 of 3 pieces"):
        await take_away(room.desk, LI, order.id, now=now)
    async with room.store.write() as conn:
        for number, piece in enumerate(PIECES):
            await keep_chunk(conn, order.id, number, piece, node=node, now=now)

    _, body = await take_away(room.desk, LI, order.id, now=now)
    _, touches = await look_at(room.desk, LI, order.id, now=now)

    assert body == WHOLE
    assert [(one.actor, one.action) for one in touches] == [
        (f"node:{node}", "evidence.received"),
        ("system", "evidence.proved"),
        ("user:li", "evidence.exported"),
        ("user:li", "evidence.shown"),
    ]
    assert msgspec.json.encode(touches)


async def test_evidence_nobody_has_is_not_found(room: Room) -> None:
    with pytest.raises(ProblemError, match="there is no evidence"):
        await look_at(room.desk, LI, "none", now=room.clock())
