import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from collector import api, console
from collector.desk import Room as HttpRoom
from collector.desk import make_application
from collector.store.engine import StoreBusyError
from tests.browser.watch_room import Room


async def test_every_answer_leaves_with_a_strict_policy(room: Room) -> None:
    async with ClientSession(room.url) as session:
        for path in ("/sign-in", "/nope", "/api/v1/nodes", "/static/console.css", "/healthz"):
            async with session.get(path) as answer:
                policy = answer.headers["Content-Security-Policy"]
                assert "default-src 'none'" in policy
                assert "unsafe" not in policy
                assert answer.headers["X-Content-Type-Options"] == "nosniff"
                assert "Python" not in answer.headers["Server"]


async def test_programs_get_documents_and_people_get_pages(room: Room) -> None:
    async with ClientSession(room.url) as session:
        async with session.get("/api/v1/nope") as document:
            assert (document.status, document.content_type) == (404, "application/problem+json")
        async with session.get("/nope") as page:
            assert (page.status, page.content_type) == (404, "text/html")
        async with session.delete("/api/v1/openapi.json") as other:
            assert (other.status, (await other.json(content_type=None))["status"]) == (405, 405)
            assert other.headers["Allow"] == "GET, HEAD"


@pytest.mark.parametrize(
    ("error", "status"), [(StoreBusyError("the disk is full"), 503), (ZeroDivisionError("ours"), 500)]
)
async def test_a_fault_is_told_without_its_inside(
    room: Room, error: Exception, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    async def fails(_: web.Request) -> web.Response:
        raise error

    broken = HttpRoom(("/api/x",), [web.get("/api/x", fails)], api.room(room.desk).refuse)
    application = make_application(room.desk, [broken, api.room(room.desk), console.room(room.desk)])
    async with TestServer(application) as server, ClientSession(server.make_url("")) as session:
        async with session.get("/api/x") as answer:
            told = await answer.text()
        async with session.get("/metrics") as metrics:
            counted = await metrics.text()

    assert answer.status == status
    assert "ours" not in told
    assert f"fengsui_http_faults_total {float(status == 500)}" in counted
    assert ("a fault at GET /api/x" in caplog.text) == (status == 500)
