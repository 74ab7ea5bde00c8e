from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote

from collector.store import schema
from tests.browser.watch_room import Room, a_day, an_exit

DAYS = ((7, "2026-03-01"), (3, "2026-03-02"))
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


async def test_the_exit_register_is_listed_day_by_day(room: Room, ask: Ask) -> None:
    await room.insert(schema.exit_days, *(a_day("county", on, room.clock(), outside=n) for n, on in DAYS))

    _, told = await ask("/api/v1/exits/days?unit=county")

    assert [(one["day"], one["outside"]) for one in told["items"]] == [(on, n) for n, on in DAYS]
