"""What a duty officer sees in a real browser while other processes change the incident."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.async_api import expect

from collector.store import schema
from tests.browser.chromium import PATH
from tests.browser.officer import browser
from tests.browser.watch_room import Room, a_node, a_received, an_exit, watch_room, with_orders

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not PATH.exists(), reason="needs Debian's chromium"),
    pytest.mark.xdist_group("browser"),
]
ROOT = Path(__file__).parents[2]

# Another process: its own engine, its own casework, nothing of ours in memory.
OTHER = """
import asyncio, sys
from datetime import UTC, datetime
from collector.store.engine import Store
from tests.browser.watch_room import casework, open_incident, shipped_registry

async def main(url, deed, incident):
    store, work, now = await Store.open(url), casework(shipped_registry()), datetime.now(UTC)
    if deed == "open":
        print(await open_incident(store, work, now, title_en="Second page tampered with"))
    else:
        async with store.write() as conn:
            await work.move(conn, incident, deed, "person:zhang-wei", now)
    await store.close()

asyncio.run(main(*sys.argv[1:]))
"""


async def other_process(room: Room, deed: str, incident: str = "") -> str:
    """Change the state database from a process of its own."""
    url = f"sqlite+aiosqlite:///{room.folder / 'state.db'}"
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", OTHER, url, deed, incident],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.stdout.strip()


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    async with watch_room(tmp_path) as found:
        await found.account("li", "duty", "li-na")
        yield found


async def test_a_change_by_another_process_shows_without_a_reload(room: Room) -> None:
    incident = await room.open()
    async with browser(room) as page:
        await page.evaluate("window.loaded = 'once'")
        row = page.locator(f"#i-{incident}")
        await expect(row.locator(".mark")).to_have_text("open")

        await other_process(room, "acknowledged", incident)

        await expect(row.locator(".mark")).to_have_text("acknowledged", timeout=3000)
        await expect(page.locator("#polite")).to_contain_text("incident moved")
        assert await page.evaluate("window.loaded") == "once"


async def test_a_new_incident_of_another_process_appears_and_is_said_aloud(room: Room) -> None:
    async with browser(room) as page:
        await expect(page.get_by_text("No incident is open")).to_be_visible()

        await other_process(room, "open")

        await expect(page.get_by_role("link", name="Second page tampered with")).to_be_visible(timeout=3000)
        await expect(page.locator("h1")).to_have_text("Incidents")


async def test_what_a_person_has_begun_to_write_survives_a_change(room: Room) -> None:
    incident = await room.open()
    async with browser(room) as page:
        await page.goto(f"{room.url}/incidents/{incident}")
        await page.get_by_text("Close…").click()
        reason = page.get_by_label("Reason for closing")
        await reason.fill("false alarm, the webmaster ")

        await other_process(room, "acknowledged", incident)

        await expect(page.locator(".head .mark")).to_have_text("acknowledged", timeout=3000)
        await expect(reason).to_have_value("false alarm, the webmaster ")
        await expect(reason).to_be_focused()


async def test_a_deed_is_done_in_place_and_the_button_goes(room: Room) -> None:
    incident = await room.open()
    async with browser(room) as page:
        await page.evaluate("window.loaded = 'once'")
        await page.get_by_role("button", name="Acknowledge").click()

        await expect(page.locator(f"#i-{incident} .mark")).to_have_text("acknowledged")
        await expect(page.get_by_role("button", name="Acknowledge")).to_have_count(0)
        assert await page.evaluate("window.loaded") == "once"


async def test_a_step_of_the_plan_is_done_with_its_form(room: Room) -> None:
    incident = await room.open()
    await room.runner.work()
    async with browser(room) as page:
        await page.goto(f"{room.url}/incidents/{incident}")
        step = page.locator(".step", has_text="Confirm the tampering")
        await step.get_by_label("yes").check()
        await step.get_by_role("button", name="Done").click()

        await expect(step.locator(".stephead .mark")).to_have_text("done")
        await expect(step.locator(".out")).to_contain_text("Tampering confirmed")


async def test_clocks_count_in_the_words_of_the_server(room: Room) -> None:
    await room.open()
    async with browser(room) as page:
        count = page.locator(".face.big .count span")
        first = await count.text_content()
        await expect(count).not_to_have_text(first or "", timeout=3000)
        assert (await count.text_content() or "").endswith(" left")


async def test_the_last_minutes_are_said_aloud(room: Room) -> None:
    room.clock.at = room.clock() - timedelta(minutes=19, seconds=54)
    await room.open()
    room.clock.at = None
    async with browser(room) as page:
        await expect(page.locator("#assertive")).to_contain_text("10 minutes left", timeout=15000)
        await expect(page.locator("#assertive")).to_contain_text("report → informatization authority")


async def test_a_lost_connection_is_shown_with_the_time_of_the_last_data(room: Room) -> None:
    await room.open()
    async with browser(room) as page:
        await expect(page.locator("#link")).to_be_hidden()
        await room.server.close()

        await expect(page.locator("#link")).to_be_visible(timeout=5000)
        await expect(page.locator("#link")).to_contain_text("Connection lost. What you see is as of")


async def test_every_page_fits_a_telephone(room: Room) -> None:
    now, incident = room.clock(), await room.open()
    await room.runner.work()
    node = a_node(now, findings=[{"kind": "grade_differs", "declared": 2, "registered": 3}])
    await room.insert(schema.nodes, node)
    await with_orders(room, node["id"], now)
    await room.insert(schema.exits, an_exit(node["id"], now, evidence=[{"remote": "203.0.113.7:443"}]))
    await room.insert(schema.received_filings, a_received(now))
    async with room.store.read() as conn:
        (report, *_) = await room.desk.filings.reports(conn, incident, now)
    written = f"/incidents/{incident}/reports/{report.clock}"
    async with browser(room, width=360) as page:
        for path in (
            "/",
            f"/incidents/{incident}",
            written,
            "/nodes",
            f"/nodes/{node['id']}",
            "/exits",
            "/received",
            "/received/1",
        ):
            await page.goto(room.url + path)
            assert await page.evaluate("document.documentElement.scrollWidth") <= 360, path


async def test_without_scripts_everything_can_be_read_and_done(room: Room) -> None:
    incident = await room.open()
    async with browser(room, scripts=False) as page:
        await page.get_by_role("link", name="Home page tampered with").click()
        await page.get_by_role("button", name="Mark contained").click()

        await expect(page.locator(".head .mark")).to_have_text("contained")
        assert page.url == f"{room.url}/incidents/{incident}"


async def test_the_keyboard_reaches_the_first_deed(room: Room) -> None:
    await room.open()
    async with browser(room) as page:
        await page.keyboard.press("Tab")
        await expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
        await page.keyboard.press("Enter")
        for _ in range(2):
            await page.keyboard.press("Tab")
        await expect(page.get_by_role("button", name="Acknowledge")).to_be_focused()


async def test_a_report_is_written_and_proved_without_scripts(room: Room, tmp_path: Path) -> None:
    incident = await room.open()
    async with room.store.read() as conn:
        (report, *_) = await room.desk.filings.reports(conn, incident, room.clock())
    fax = tmp_path / "fax.pdf"
    fax.write_bytes(b"%PDF-1.7")
    async with browser(room, scripts=False) as page:
        await page.goto(f"{room.url}/incidents/{incident}/reports/{report.clock}")
        await page.locator("textarea").nth(2).fill("The site was taken off the net.")
        await page.get_by_role("button", name="Keep the draft").click()
        await expect(page.locator("textarea").nth(2)).to_have_value("The site was taken off the net.")
        await page.get_by_label("Number given by the authority").fill("12387-0042")
        await page.locator("input[type=file]").set_input_files(fax)
        await page.get_by_role("button", name="Record that it was filed").click()

        assert page.url == f"{room.url}/incidents/{incident}"
        await expect(page.locator("#filings ~ .scroll")).to_contain_text("12387-0042")
