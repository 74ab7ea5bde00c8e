"""Whom the console refuses is told why in their language."""

from aiohttp import ClientSession
from yarl import URL

from collector.console import pages
from tests.browser.watch_room import Room
from tests.collector.console.conftest import li, room

__all__ = ["li", "room"]


async def test_a_refusal_is_read_in_the_reader_s_language(room: Room, li: ClientSession) -> None:
    li.cookie_jar.update_cookies({pages.LANGUAGE_COOKIE: "zh"}, URL(room.url))
    async with li.get("/incidents/nothing") as answer:
        missing = await answer.text()

    assert "没有事件 'nothing'" in missing.replace("&#39;", "'")
