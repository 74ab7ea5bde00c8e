"""Every page of the console reads Chinese to who reads Chinese: no English sentence is left on it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.browser.chromium import PATH
from tests.browser.officer import browser
from tests.browser.test_accessible import pages_of
from tests.browser.watch_room import Room, watch_room

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not PATH.exists(), reason="needs Debian's chromium"),
    pytest.mark.xdist_group("browser"),
]
# What was seen (code, pre) is shown as it was; three small words in a row are a sentence.
SENTENCES = """() => {
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode;
    if (node.parentElement.closest("code, pre, script, style, textarea")) continue;
    const text = node.textContent.replace(/\\s+/g, " ");
    if (/[a-z']{2,} [a-z']{2,} [a-z']{2,}/.test(text)) found.push(text);
  }
  return found;
}"""


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    async with watch_room(tmp_path) as found:
        await found.account("li", "duty", "li-na")
        yield found


async def test_who_chose_chinese_by_the_switch_gets_every_page_in_chinese(room: Room) -> None:
    """And comes back to the page on which it was chosen; `English` brings it back the same way."""
    paths = await pages_of(room)
    async with browser(room) as page:
        await page.goto(room.url + "/exits")
        await page.locator("form[action='/language'] button").click()
        await page.wait_for_url(room.url + "/exits")
        left = {}
        for path in paths:
            await page.goto(room.url + path)
            assert await page.evaluate("document.documentElement.lang") == "zh-CN", path
            assert await page.locator("form[action='/language'] button").inner_text() == "English"
            await page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true })")
            left[path] = await page.evaluate(SENTENCES)
        await page.locator("form[action='/language'] button").click()
        assert await page.evaluate("document.documentElement.lang") == "en"

    assert {path: found for path, found in left.items() if found} == {}
