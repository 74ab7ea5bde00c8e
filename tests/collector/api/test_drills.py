from collections.abc import Awaitable, Callable
from typing import Any

from tests.browser.watch_room import Room
from tests.collector.desk.test_drills import SCRIPT_HERE

Ask = Callable[..., Awaitable[tuple[int, Any]]]


async def test_a_drill_from_the_plan_to_its_report(room: Room, ask: Ask) -> None:
    at = room.clock().isoformat()
    planned = {"unit": "district", "planned_at": at, "script": SCRIPT_HERE, "superior": True}
    status, drill = await ask("/api/v1/drills", "POST", json=planned)
    path = f"/api/v1/drills/{drill['id']}"
    _, started = await ask(f"{path}/deeds", "POST", json={"deed": "start"})
    _, ended = await ask(f"{path}/deeds", "POST", json={"deed": "end"})
    again, problem = await ask(f"{path}/deeds", "POST", json={"deed": "end"})
    _, proof = await ask("/api/v1/drill-proof")
    _, listed = await ask("/api/v1/drills")

    assert (status, drill["state"], drill["superior"]) == (200, "planned", "waiting")
    assert (started["drill"]["state"], ended["drill"]["state"]) == ("running", "done")
    assert (again, "found done" in problem["detail"]) == (409, True)
    assert {one["unit"]: bool(one["held"]) for one in proof["items"]}["district"]
    assert [one["id"] for one in listed["items"]] == [drill["id"]]
    _, report = await ask(f"{path}/report/json?language=en")
    assert report["drill"] == drill["id"]


async def test_mistakes_of_a_script_come_back_all_at_once(ask: Ask) -> None:
    body = {"unit": "district", "planned_at": "2026-03-02T09:00:00+08:00", "script": "form: fun\nlasts: x\n"}
    status, problem = await ask("/api/v1/drills", "POST", json=body)

    assert status == 400
    assert {"script:1", "script:2"} <= {line.rpartition(":")[0][:8] for line in problem["detail"].split("\n")}
    naive, _ = await ask("/api/v1/drills", "POST", json=body | {"planned_at": "2026-03-02T09:00:00"})
    assert naive == 400


async def test_what_is_not_there_is_not_found(ask: Ask) -> None:
    for path in ("/api/v1/drills/nope", "/api/v1/drills/nope/report/pdf"):
        assert (await ask(path))[0] == 404
    status, _ = await ask("/api/v1/announced-drills/nope/decision", "POST", json={"state": "accepted"})
    assert status == 404
    assert (await ask("/api/v1/announced-drills"))[1] == {"items": []}
