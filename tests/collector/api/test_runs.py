from collections.abc import Awaitable, Callable
from typing import Any

from tests.browser.watch_room import Room

Ask = Callable[..., Awaitable[tuple[int, Any]]]


async def test_a_manual_step_is_done_once(room: Room, ask: Ask) -> None:
    incident = await room.open()
    await room.runner.work()
    _, found = await ask(f"/api/v1/runs?incident={incident}")
    [run] = found["items"]
    path = f"/api/v1/runs/{run['id']}"

    bad, problem = await ask(f"{path}/steps/static-notice", "POST", json={"out": {"confirmed": "perhaps"}})
    status, told = await ask(f"{path}/steps/static-notice", "POST", json={"out": {"confirmed": True}})
    again, _ = await ask(f"{path}/steps/static-notice", "POST", json={"out": {"confirmed": True}})

    assert (bad, status, again) == (409, 200, 409)
    assert "confirmed" in problem["detail"]
    [step] = [one for one in told["steps"] if one["step"] == "static-notice"]
    assert (step["state"], step["out"]["confirmed"]) == ("done", True)
    assert step["actor"].startswith("token:")
