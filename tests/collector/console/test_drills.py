"""Drills on their pages: planned by a form, held by buttons, marked on every page that is of one."""

import re

from aiohttp import ClientSession

from tests.browser.watch_room import Room
from tests.collector.desk.test_drills import SCRIPT_HERE


async def page(li: ClientSession, path: str) -> str:
    async with li.get(path) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.text()


async def send(li: ClientSession, path: str, **form: str) -> tuple[int, str]:
    csrf = re.findall(r'name="csrf" value="([^"]+)"', await page(li, "/drills"))[0]
    async with li.post(path, data={"csrf": csrf, **form}) as answer:
        return answer.status, str(answer.url.path)


async def test_a_drill_is_planned_held_and_every_page_of_it_is_marked(room: Room, li: ClientSession) -> None:
    assert "drillmark" not in await page(li, "/drills")
    form = {"unit": "district", "planned_at": "2026-11-27T09:00", "script": SCRIPT_HERE}
    status, where = await send(li, "/drills", **form)
    assert status == 200
    assert "drillmark" in await page(li, where)

    assert await send(li, where, deed="start") == (200, where)
    assert room.desk.director is not None
    await room.desk.director.step()  # type: ignore[attr-defined]  # the flow's own door
    await room.runner.work()
    running = await page(li, where)
    incident = re.findall(r'href="(/incidents/[^"/]+)"', await page(li, "/"))[0]
    shown = await page(li, incident)
    assert "drillmark" in shown
    assert "【演练】" in shown
    report = re.findall(rf'href="({incident}/reports/[^"]+)"', shown)[0]
    assert "drillmark" in await page(li, report)
    run = re.findall(r'href="(/runs/[^"]+)"', await page(li, "/runs"))[0]
    assert "drillmark" in await page(li, run)
    assert 'value="inject"' in running

    await send(li, where, deed="end")
    done = await page(li, where)
    assert f"{where}/report/docx" in done
    assert "district" in await page(li, "/drills")
    async with li.get(f"{where}/report/json") as answer:
        assert answer.headers["Content-Disposition"].startswith("attachment")


async def test_a_real_incident_is_not_marked(room: Room, li: ClientSession) -> None:
    incident = await room.open()

    assert "drillmark" not in await page(li, f"/incidents/{incident}")


async def test_what_a_form_gets_wrong_is_refused(li: ClientSession) -> None:
    good = {"unit": "district", "planned_at": "2026-11-27T09:00", "script": SCRIPT_HERE}
    for wrong in ({"planned_at": "soon"}, {"form": "fun"}, {"script": "form: fun"}):
        assert (await send(li, "/drills", **good | wrong))[0] == 400
    assert (await send(li, "/drills/nope", deed="fly"))[0] == 400
    assert (await send(li, "/drills/nope", deed="start"))[0] == 404
    assert (await send(li, "/drills/announced/nope", state="maybe"))[0] == 400
    async with li.post("/drills", data=good) as answer:
        assert answer.status == 403
