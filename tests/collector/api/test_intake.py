"""The door for webhooks: who may send, and what the answer is."""

from io import BytesIO
from pathlib import Path
from typing import Any

from aiohttp import ClientSession

from collector.api.intake import ENDPOINTS, INTAKES, MOST_BYTES
from collector.desk.rights import MAY
from collector.intake import FORMATS
from tests.browser.watch_room import Room

SAMPLES = Path(__file__).parents[2] / "golden" / "intake"


def test_every_format_has_its_route() -> None:
    assert set(INTAKES) == set(FORMATS)
    assert [endpoint.path for endpoint in ENDPOINTS] == [f"/api/v1/intake/{name}" for name in INTAKES]


def test_who_sends_alerts_may_nothing_else() -> None:
    assert MAY["intake"] == {"report"}
    assert {role for role, deeds in MAY.items() if "report" in deeds} == {"admin", "intake"}


async def post(room: Room, body: bytes, **headers: str) -> tuple[int, Any]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with (
        ClientSession(room.url) as session,
        session.post("/api/v1/intake/alertmanager", data=BytesIO(body), headers=named) as answer,
    ):
        return answer.status, await answer.json(content_type=None)


async def test_a_webhook_needs_a_token_for_alerts_unless_it_is_of_this_host(room: Room) -> None:
    body = (SAMPLES / "alertmanager.json").read_bytes()
    far = {"X_Forwarded_For": "10.20.0.9", "Content_Type": "application/json"}

    assert (await post(room, body, **far))[0] == 401
    for role, status in (("viewer", 403), ("metrics", 403), ("intake", 200)):
        bearer = await room.token(role)
        assert (await post(room, body, Authorization=f"Bearer {bearer}", **far))[0] == status, role
    status, found = await post(room, body, Content_Type="application/json")
    assert (status, found) == (200, {"accepted": 0, "repeated": 2, "quarantined": 0})


async def test_a_form_of_a_page_in_a_browser_on_this_host_is_not_taken(room: Room) -> None:
    body = (SAMPLES / "alertmanager.json").read_bytes()
    status, problem = await post(room, body, Content_Type="text/plain")
    assert (status, problem["type"]) == (400, "urn:fengsui:problem:malformed")


async def test_what_cannot_be_read_is_answered_as_kept_and_what_is_too_large_is_refused(room: Room) -> None:
    bearer = f"Bearer {await room.token('intake')}"
    assert await post(room, b"\xff", Authorization=bearer) == (
        200,
        {"accepted": 0, "repeated": 0, "quarantined": 1},
    )
    status, _ = await post(room, bytes(MOST_BYTES + 1), Authorization=bearer)
    assert status == 413
