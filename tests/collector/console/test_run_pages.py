"""Runs as pages: what is shown of one, and what people do to it there."""

from urllib.parse import urlencode

import pytest
import sqlalchemy as sa
from aiohttp import ClientSession, CookieJar

from collector.store import schema
from tests.browser.watch_room import PASSWORD, Room
from tests.collector.console.test_pages import text


async def sent(session: ClientSession, path: str, csrf: str, **fields: str) -> tuple[int, str]:
    """What a form answers: its status, and where it leads or what it says."""
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"}
    body = urlencode({"csrf": csrf, **fields})
    async with session.post(path, data=body, headers=headers, allow_redirects=False) as answer:
        return answer.status, answer.headers.get("Location") or await answer.text()


async def csrf_of(session: ClientSession) -> str:
    page = await text(session, "/runs")
    return page.split('name="csrf" value="', 1)[1].split('"', 1)[0]


async def running(room: Room) -> tuple[str, str]:
    """An incident and its run."""
    incident = await room.open()
    await room.runner.work()
    async with room.store.read() as conn:
        run = (await conn.execute(sa.select(schema.runs.c.id))).scalar_one()
    return incident, run


async def test_a_run_shows_its_picture_its_steps_and_its_history(room: Room, li: ClientSession) -> None:
    incident, run = await running(room)
    csrf = await csrf_of(li)
    why = {"deed": "skip", "step": "static-notice", "reason": "the page is back", "back": f"/runs/{run}"}
    assert await sent(li, f"/runs/{run}/deeds", csrf, **why) == (303, f"/runs/{run}")

    page = await text(li, f"/runs/{run}")

    assert '<svg class="picture"' in page
    assert f'href="/incidents/{incident}"' in page
    assert "the page is back" in page
    assert "started by the incident&#39;s class" in page or "started by what detected it" in page
    assert f'href="/runs/{run}"' in await text(li, "/runs")
    assert f'href="/runs/{run}"' in await text(li, f"/incidents/{incident}")


async def test_a_run_is_paused_and_goes_on(room: Room, li: ClientSession) -> None:
    _, run = await running(room)
    csrf = await csrf_of(li)
    path = f"/runs/{run}/deeds"

    assert (await sent(li, path, csrf, deed="pause", reason="vendor", until="2999-01-01T00:00", back="/"))[
        0
    ] == 409
    assert (await sent(li, path, csrf, deed="pause", reason="vendor", until="noon", back="/"))[0] == 400
    assert await sent(li, path, csrf, deed="pause", reason="vendor", until="", back="/") == (303, "/")
    page = await text(li, f"/runs/{run}")
    assert "goes on by itself at" in page
    assert ">Go on</button>" in page
    assert await sent(li, path, csrf, deed="resume", reason="vendor is here", back="/") == (303, "/")
    status, told = await sent(li, path, csrf, deed="level", level="I", reason="press", back="/")
    assert (status, "started by the role" in told) == (409, True)


async def test_a_plan_is_started_by_hand_for_the_unit(li: ClientSession) -> None:
    csrf = await csrf_of(li)
    status, where = await sent(
        li, "/runs", csrf, plan="major-event-guard", unit="district", reason="a congress"
    )

    assert (status, where.startswith("/runs/")) == (303, True)
    page = await text(li, where)
    assert "started by hand" in page
    assert "a congress" in page
    assert (await sent(li, "/runs", csrf, plan="major-event-guard", unit="city", reason="x"))[0] == 404
    assert (await sent(li, "/runs", "wrong", plan="major-event-guard", unit="district", reason="x"))[0] == 403


@pytest.mark.parametrize("path", ["/runs", "/runs/x"])
async def test_who_is_not_signed_in_is_led_to_the_door(room: Room, path: str) -> None:
    async with ClientSession(room.url) as session, session.get(path, allow_redirects=False) as answer:
        assert answer.headers["Location"].startswith("/sign-in?back=")


async def test_a_run_of_another_unit_is_not_there(room: Room) -> None:
    _, run = await running(room)
    await room.account("wu", "duty", "wu-hao")
    async with ClientSession(room.url, cookie_jar=CookieJar(unsafe=True)) as wu:
        await wu.post("/sign-in", data={"name": "wu", "password": PASSWORD})
        for path in (f"/runs/{run}", "/runs/" + "x" * 300):
            async with wu.get(path) as answer:
                assert answer.status == 404
        assert run not in await text(wu, "/runs")


async def test_a_foreign_command_is_shown_with_its_text(room: Room, li: ClientSession) -> None:
    _, run = await running(room)
    async with room.store.write() as conn:
        body = (await conn.execute(sa.select(schema.runs.c.plan_body))).scalar_one()
        body["steps"]["static-notice"]["command"] = "[ssh] systemctl stop <httpd>"
        await conn.execute(schema.runs.update().values(plan_body=body))

    page = await text(li, f"/runs/{run}")
    assert "[ssh] systemctl stop &lt;httpd&gt;</pre>" in page
