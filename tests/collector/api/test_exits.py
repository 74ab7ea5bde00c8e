from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote

from collector.store import schema
from tests.browser.watch_room import Room, an_exit

Ask = Callable[..., Awaitable[tuple[int, Any]]]


async def test_exits_are_paged_by_node_and_key(room: Room, ask: Ask) -> None:
    now = room.clock()
    keys = [("n1", "eth0"), ("n1", "wlan0"), ("n2", "eth0")]
    await room.insert(schema.exits, *(an_exit(node, now, key=key) for node, key in keys))

    _, first = await ask("/api/v1/exits?limit=2")
    _, second = await ask(f"/api/v1/exits?limit=2&cursor={first['next']}")

    assert [(one["node"], one["key"]) for one in first["items"] + second["items"]] == keys
    assert second["next"] is None


async def test_an_exit_whose_key_has_slashes_can_be_asked_for(room: Room, ask: Ask) -> None:
    await room.insert(schema.exits, an_exit("n1", room.clock(), key="eth0/10.0.0.0/8", verdict="used"))

    status, told = await ask(f"/api/v1/exits/n1/{quote('eth0/10.0.0.0/8')}")

    assert (status, told["verdict"]) == (200, "used")
