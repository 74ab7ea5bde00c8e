from collections.abc import Awaitable, Callable
from typing import Any

from tests.browser.watch_room import Room

Ask = Callable[..., Awaitable[tuple[int, Any]]]


async def test_a_house_target_is_never_told_as_law(room: Room, ask: Ask) -> None:
    incident = await room.open()

    _, found = await ask(f"/api/v1/obligations?incident={incident}&state=no_number")
    [clock] = found["items"]
    _, alone = await ask(f"/api/v1/obligations/{clock['id']}")

    assert alone == clock
    assert (clock["due_at"], clock["target_at"] > clock["anchor_at"]) == (None, True)
