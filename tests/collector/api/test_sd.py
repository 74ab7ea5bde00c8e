from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import ClientSession

from collector.store import schema
from tests.browser.watch_room import Room, a_node

Ask = Callable[..., Awaitable[tuple[int, Any]]]


async def test_only_agents_whose_listener_is_on_are_discovered(room: Room, ask: Ask) -> None:
    now = room.clock()
    listening, silent = a_node(now), a_node(now, host_name="oa-1")
    revoked = a_node(now, state="revoked")
    await room.insert(schema.nodes, listening, silent, revoked)
    stamped = {"kind": "heartbeat", "observed_at": now, "received_at": now}
    await room.insert(
        schema.node_facts,
        {"node": listening["id"], "body": {"metrics_address": "10.20.0.7:9464"}, **stamped},
        {"node": silent["id"], "body": {"boot_id": "b"}, **stamped},
        {"node": revoked["id"], "body": {"metrics_address": "10.20.0.8:9464"}, **stamped},
    )

    status, groups = await ask("/api/v1/sd/agents")

    assert status == 200
    [group] = groups
    assert group["targets"] == ["10.20.0.7:9464"]
    assert {name: group["labels"][name] for name in ("unit", "grade", "zone")} == {
        "unit": "district",
        "grade": "3",
        "zone": "internet",
    }
    assert group["labels"]["__meta_fengsui_host_name"] == "portal-1"
    assert group["labels"]["__meta_fengsui_server_name"] == f"{listening['id']}.node.fengsui"


async def test_prometheus_on_this_host_needs_no_token_and_elsewhere_one(room: Room) -> None:
    async with ClientSession(room.url) as session:
        async with session.get("/api/v1/sd/agents") as here:
            assert (here.status, await here.json()) == (200, [])
        async with session.get("/api/v1/sd/agents", headers={"Forwarded": "for=203.0.113.5"}) as afar:
            assert afar.status == 401
