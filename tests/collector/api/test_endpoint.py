from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote

import pytest
from aiohttp import ClientSession
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collector.api import ENDPOINTS
from collector.api.endpoint import Endpoint
from tests.browser.watch_room import Room

Ask = Callable[..., Awaitable[tuple[int, Any]]]


def test_an_endpoint_names_the_parts_of_its_path_that_vary() -> None:
    endpoint = next(one for one in ENDPOINTS if one.name == "getExit")

    assert endpoint.parameters == ["node", "key"]
    assert endpoint.template == "/api/v1/exits/{node}/{key}"


async def test_without_a_token_nothing_is_told(room: Room) -> None:
    async with ClientSession(room.url) as session, session.get("/api/v1/incidents") as answer:
        problem = await answer.json(content_type="application/problem+json")

    assert (answer.status, problem["type"]) == (401, "urn:fengsui:problem:unauthenticated")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    ("role", "reads", "acts"),
    [
        ("admin", 200, 404),
        ("duty", 200, 404),
        ("viewer", 200, 403),
        ("metrics", 403, 403),
        ("intake", 403, 403),
    ],
)
async def test_a_token_may_what_its_role_may(room: Room, role: str, reads: int, acts: int) -> None:
    headers = {"Authorization": f"Bearer {await room.token(role)}"}
    async with ClientSession(room.url, headers=headers) as session:
        async with session.get("/api/v1/incidents") as answer:
            assert answer.status == reads
        body = {"to": "acknowledged"}
        async with session.post("/api/v1/incidents/none/transitions", json=body) as answer:
            assert answer.status == acts


async def test_a_list_is_paged_by_cursor_without_loss_or_repetition(room: Room, ask: Ask) -> None:
    opened = [await room.open() for _ in range(5)]
    seen: list[str] = []
    cursor = ""
    while True:
        status, page = await ask(f"/api/v1/incidents?limit=2{cursor}")
        assert (status, len(page["items"]) <= 2) == (200, True)
        seen += [item["id"] for item in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"

    assert seen == sorted(opened, reverse=True)


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("limit=0", "limit"),
        ("limit=x", "limit"),
        ("colour=red", "colour"),
        ("cursor=bm9uc2Vuc2U", "cursor"),
        ("state=open&state=closed", "twice"),
    ],
)
async def test_a_bad_query_is_told_what_is_wrong(ask: Ask, query: str, says: str) -> None:
    status, problem = await ask(f"/api/v1/incidents?{query}")

    assert status == 400
    assert says in problem["detail"]


@pytest.mark.parametrize(
    "sent",
    [
        {"data": b"{", "headers": {"Content-Type": "application/json"}},
        {"data": b"\xff", "headers": {"Content-Type": "application/json"}},
        {"data": b"to=closed", "headers": {"Content-Type": "text/plain"}},
        {"json": {"to": "forgotten"}},
        {"json": {"to": "closed", "force": True}},
    ],
)
async def test_a_bad_body_is_refused(ask: Ask, sent: dict[str, Any]) -> None:
    status, problem = await ask("/api/v1/incidents/x/transitions", "POST", **sent)

    assert (status, problem["type"]) == (400, "urn:fengsui:problem:malformed")


async def test_a_body_too_large_is_refused(ask: Ask) -> None:
    status, problem = await ask("/api/v1/incidents/x/transitions", "POST", json={"reason": "x" * 70_000})

    assert (status, problem["status"]) == (413, 413)


async def test_no_request_however_strange_is_a_fault_of_ours(room: Room, ask: Ask) -> None:
    await room.open()
    texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.lists(st.tuples(st.sampled_from(ENDPOINTS), texts, texts, st.binary(max_size=40)), max_size=6))
    def strange(asked: list[tuple[Endpoint, str, str, bytes]]) -> None:
        requests.extend(asked)

    requests: list[tuple[Endpoint, str, str, bytes]] = []
    strange()
    for endpoint, text, other, body in requests:
        path = endpoint.template
        for name in endpoint.parameters:
            path = path.replace(f"{{{name}}}", quote(text, safe="") or "-")
        query = f"?{quote(other)}={quote(text)}&cursor={quote(other)}" if other else ""
        sent = {"data": body, "headers": {"Content-Type": "application/json"}} if endpoint.body else {}
        status, _ = await ask(path + query, endpoint.method, **sent)
        assert status < 500, (path, query, body)
