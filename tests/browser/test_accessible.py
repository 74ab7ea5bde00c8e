"""Every page can be used with a keyboard, a screen reader and weak eyes: axe-core finds nothing wrong.

Each language and each theme once, with something in every list.
"""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal

import pytest
import sqlalchemy as sa
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page

from collector.console.pages import LANGUAGE_COOKIE
from collector.desk.drills import act_on_drill, plan_drill
from collector.store import journal, schema
from collector.store.drills import take_announced
from tests.browser.chromium import PATH
from tests.browser.officer import browser
from tests.browser.watch_room import Room, a_day, a_node, a_received, an_exit, watch_room, with_orders
from tests.collector.desk.test_drills import LI, wanted
from wire.messages import VERSION, DrillNotice

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not PATH.exists(), reason="needs Debian's chromium"),
    pytest.mark.xdist_group("browser"),
]
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    async with watch_room(tmp_path) as found:
        await found.account("li", "duty", "li-na")
        yield found


async def pages_of(room: Room) -> list[str]:
    """Paths of pages that all have something to show."""
    now, incident = room.clock(), await room.open()
    await room.runner.work()
    node = a_node(now, findings=[{"kind": "grade_differs", "declared": 2, "registered": 3}])
    await room.insert(schema.nodes, node)
    await with_orders(room, node["id"], now)
    await room.insert(schema.exits, an_exit(node["id"], now, evidence=[{"remote": "203.0.113.7:443"}]))
    days = [a_day("district", f"2026-03-0{n}", now, outside=9 - n, unsanctioned=6 - n) for n in range(1, 6)]
    await room.insert(schema.exit_days, *days)
    await room.insert(schema.received_filings, a_received(now))
    await with_finding(room)
    held, planned = await drills_of(room)
    async with room.store.read() as conn:
        (report, *_) = await room.desk.filings.reports(conn, incident, now)
        mine = sa.select(schema.runs.c.id).where(schema.runs.c.incident == incident)
        run = (await conn.execute(mine)).scalar_one()
        ours = sa.select(schema.drill_incidents.c.incident).where(schema.drill_incidents.c.drill == held)
        drilled = (await conn.execute(ours.limit(1))).scalar_one()
    written = f"/incidents/{incident}/reports/{report.clock}"
    return [
        "/",
        f"/incidents/{incident}",
        written,
        "/nodes",
        f"/nodes/{node['id']}",
        "/exits",
        "/exits/register",
        "/runs",
        f"/runs/{run}",
        "/drills",
        f"/drills/{held}",
        f"/drills/{planned}",
        f"/incidents/{drilled}",
        "/a/nope",
        "/received",
        "/received/1",
        "/nope",
    ]


async def with_finding(room: Room) -> None:
    """What the watch has found, on the first page."""
    hole = {"finding": "roster_hole", "what": "nobody is registered as duty of district"}
    entry = journal.Entry(actor="system", action="audit.finding", subject="unit:district", detail=hole)
    async with room.store.write() as conn:
        await journal.write(conn, entry, room.clock())


async def drills_of(room: Room) -> tuple[str, str]:
    """A drill that is over and has its score, one that is planned, and one announced from below."""
    held, planned = [await plan_drill(room.desk, LI, wanted(room), room.clock()) for _ in range(2)]
    await act_on_drill(room.desk, LI, held.id, "start", now=room.clock())
    assert room.desk.director is not None
    await room.desk.director.step()  # type: ignore[attr-defined]  # the flow's own door
    await room.runner.work()
    await act_on_drill(room.desk, LI, held.id, "end", now=room.clock())
    notice = DrillNotice(
        version=VERSION,
        id="d9",
        unit="district",
        name="下级演练",
        name_en="A drill below",
        form="table_top",
        starts_at=room.clock(),
        ends_at=room.clock(),
    )
    await room.store.run(lambda conn: take_announced(conn, notice, "n1", room.clock()))
    return held.id, planned.id


async def speak(page: Page, room: Room, language: str) -> None:
    """Choose the language as the reader's own button does; a browser's locale chooses nothing."""
    await page.context.add_cookies([{"name": LANGUAGE_COOKIE, "value": language, "url": room.url}])


async def wrong_on(page: Page) -> list[str]:
    """What axe finds wrong, a line a rule: the rule, what it says, and the first place."""
    found = (await Axe().run(page, options=RULES)).response["violations"]
    return [f"{one['id']}: {one['help']}: {one['nodes'][0]['html'][:200]}" for one in found]


@pytest.mark.parametrize(
    ("locale", "language", "scheme"), [("en-GB", "en", "light"), ("zh-CN", "zh", "dark")]
)
async def test_axe_finds_nothing_wrong_on_any_page(
    room: Room, locale: str, language: str, scheme: Literal["light", "dark"]
) -> None:
    paths = await pages_of(room)
    async with browser(room, locale=locale, scheme=scheme) as page:
        await speak(page, room, language)
        wrong = {}
        for path in paths:
            await page.goto(room.url + path)
            assert await page.locator("html").get_attribute("lang") == {"zh": "zh-CN"}.get(language, language)
            wrong[path] = await wrong_on(page)
        await page.context.clear_cookies()
        await speak(page, room, language)
        await page.goto(f"{room.url}/sign-in")
        wrong["/sign-in"] = await wrong_on(page)

    assert {path: found for path, found in wrong.items() if found} == {}
