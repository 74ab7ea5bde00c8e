from collections.abc import Awaitable, Callable
from typing import Any

from collector.store import schema
from tests.browser.watch_room import Room, a_node

Ask = Callable[..., Awaitable[tuple[int, Any]]]


async def test_a_node_is_told_with_the_newest_of_what_it_said(room: Room, ask: Ask) -> None:
    now = room.clock()
    node = a_node(now)
    fact = {"node": node["id"], "kind": "asset", "body": {"host_name": "portal-1"}}
    await room.insert(schema.nodes, node)
    await room.insert(schema.node_facts, {**fact, "observed_at": now, "received_at": now})

    status, told = await ask(f"/api/v1/nodes/{node['id']}")

    assert status == 200
    assert (told["host_name"], told["facts"][0]["body"]) == ("portal-1", {"host_name": "portal-1"})
    assert "certificate_serial" not in told


async def test_nodes_are_asked_for_by_state(room: Room, ask: Ask) -> None:
    now = room.clock()
    gone = a_node(now, state="revoked")
    await room.insert(schema.nodes, a_node(now), gone)

    _, found = await ask("/api/v1/nodes?state=revoked")

    assert [one["id"] for one in found["items"]] == [gone["id"]]
