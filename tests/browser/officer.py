"""A duty officer before a real browser."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

from playwright.async_api import Page, async_playwright

from tests.browser.chromium import ARGUMENTS, PATH
from tests.browser.watch_room import PASSWORD, Room


@asynccontextmanager
async def browser(
    room: Room,
    *,
    width: int = 1280,
    scripts: bool = True,
    locale: str = "en-GB",
    scheme: Literal["light", "dark"] = "light",
) -> AsyncIterator[Page]:
    """A page of a signed-in duty officer; anything the browser complains of fails the test."""
    complaints: list[str] = []
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=PATH, args=ARGUMENTS)
        context = await chromium.new_context(
            viewport={"width": width, "height": 800},
            java_script_enabled=scripts,
            locale=locale,
            color_scheme=scheme,
        )
        page = await context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console", lambda message: complaints.append(message.text) if message.type == "error" else None
        )
        await page.goto(f"{room.url}/sign-in")
        await page.locator("input[name=name]").fill("li")
        await page.locator("input[name=password]").fill(PASSWORD)
        await page.locator("form[action='/sign-in'] button").click()
        await page.wait_for_url(f"{room.url}/")
        yield page
        await chromium.close()
    assert [text for text in complaints if "Failed to load resource" not in text] == []
