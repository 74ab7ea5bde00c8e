from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import ClientSession, CookieJar

from collector.desk.identity import CSRF_HEADER, SESSION_COOKIE, csrf_of
from tests.browser.watch_room import PASSWORD, Room

Ask = Callable[..., Awaitable[tuple[int, Any]]]


async def test_an_incident_is_told_with_the_reports_it_owes(room: Room, ask: Ask) -> None:
    incident = await room.open()

    status, told = await ask(f"/api/v1/incidents/{incident}")

    assert status == 200
    assert (told["class"], told["level"], told["next_level"]["level"]) == ("NAWEBMOD", "IV", "III")
    assert [one["obligation"] for one in told["obligations"]] == ["cn-informatization/report"]
    assert told["obligations"][0]["due_at"] is None
    assert told["obligations"][0]["target_at"]


async def test_a_move_is_made_once_and_journaled_with_who_and_why(room: Room, ask: Ask) -> None:
    path = f"/api/v1/incidents/{await room.open()}"

    status, told = await ask(f"{path}/transitions", "POST", json={"to": "contained", "reason": "switched"})
    again, problem = await ask(f"{path}/transitions", "POST", json={"to": "contained"})
    _, journal = await ask("/api/v1/audit?action=incident.moved")

    assert (status, told["state"]) == (200, "contained")
    assert (again, problem["type"]) == (409, "urn:fengsui:problem:conflict")
    [entry] = journal["items"]
    assert entry["actor"].startswith("token:")
    assert (entry["detail"]["from"], entry["detail"]["reason"]) == ("open", "switched")


async def test_closing_wants_a_reason(room: Room, ask: Ask) -> None:
    path = f"/api/v1/incidents/{await room.open()}/transitions"

    status, problem = await ask(path, "POST", json={"to": "closed", "reason": "  "})

    assert (status, problem["detail"]) == (400, "reason: found nothing, expected why the incident is closed")


async def test_incidents_are_asked_for_by_class_and_state(room: Room, ask: Ask) -> None:
    await room.open()
    exposed = await room.open(klass="SHECONFIG", fingerprint="x")

    _, found = await ask("/api/v1/incidents?klass=SHECONFIG&state=open")

    assert [one["id"] for one in found["items"]] == [exposed]


async def test_a_browser_acts_on_the_api_only_with_the_token_of_its_page(room: Room) -> None:
    await room.account("li", "duty", "li-na")
    incident = await room.open()
    path, body = f"/api/v1/incidents/{incident}/transitions", {"to": "acknowledged"}
    async with ClientSession(room.url, cookie_jar=CookieJar(unsafe=True)) as session:
        await session.post("/sign-in", data={"name": "li", "password": PASSWORD}, allow_redirects=False)
        secret = next(one.value for one in session.cookie_jar if one.key == SESSION_COOKIE)
        async with session.post(path, json=body) as bare:
            assert bare.status == 403
        async with session.post(path, json=body, headers={CSRF_HEADER: csrf_of(secret)}) as proven:
            told = await proven.json()

    assert told["acknowledged_by"] == "person:li-na"
