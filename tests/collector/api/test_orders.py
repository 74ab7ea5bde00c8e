"""Orders and evidence over the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from collector.store import schema
from collector.store.evidence import keep_chunk, keep_manifest
from tests.browser.watch_room import a_node
from tests.collector.store.test_evidence import PIECES, manifest

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.browser.watch_room import Room

    Ask = Callable[..., Awaitable[tuple[int, Any]]]


@pytest.fixture
async def node(room: Room) -> str:
    row = a_node(room.clock())
    await room.insert(schema.nodes, row)
    return str(row["id"])


async def test_an_order_is_only_looked_at_unless_it_says_otherwise(room: Room, ask: Ask, node: str) -> None:
    assert room
    status, told = await ask("/api/v1/orders", method="POST", json={"node": node, "kind": "isolate_node"})

    assert (status, told["dry_run"], told["state"]) == (200, True, "open")
    _, listed = await ask(f"/api/v1/orders?node={node}")
    assert [one["id"] for one in listed["items"]] == [told["id"]]
    assert (await ask(f"/api/v1/orders/{told['id']}"))[1] == told


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"kind": "run_shell"}, "Invalid enum value"),
        ({"kind": "isolate_node", "dry_run": False}, "reason: found nothing"),
        ({"kind": "stop_process", "params": {"pid": 1, "program": "/sbin/init"}}, "params.pid"),
        ({"kind": "isolate_node", "shell": "id"}, "unknown field"),
    ],
)
async def test_what_is_no_order_is_refused_with_its_place(
    ask: Ask, node: str, body: dict[str, Any], told: str
) -> None:
    status, problem = await ask("/api/v1/orders", method="POST", json={"node": node} | body)

    assert status == 400
    assert told in problem["detail"]


async def test_evidence_is_listed_looked_at_and_exported(room: Room, ask: Ask, node: str) -> None:
    _, order = await ask("/api/v1/orders", method="POST", json={"node": node, "kind": "collect_evidence"})
    now = room.clock()
    async with room.store.write() as conn:
        await keep_manifest(conn, manifest(order["id"]), node=node, unit="district", now=now)
        for number, piece in enumerate(PIECES):
            await keep_chunk(conn, order["id"], number, piece, node=node, now=now)

    _, listed = await ask("/api/v1/evidence?state=proved")
    _, pack = await ask(f"/api/v1/evidence/{order['id']}")

    assert [one["id"] for one in listed["items"]] == [order["id"]]
    assert [one["action"] for one in pack["custody"]][-1] == "evidence.shown"
    assert pack["sm3"] == manifest(order["id"]).sm3
