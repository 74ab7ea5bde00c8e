"""A running console over a real store, and a browser without a screen."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientSession, CookieJar

from tests.browser.watch_room import PASSWORD, Room, watch_room


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    async with watch_room(tmp_path) as found:
        yield found


@pytest.fixture
async def li(room: Room) -> AsyncIterator[ClientSession]:
    """A duty officer of the district who has signed in."""
    await room.account("li", "duty", "li-na")
    async with ClientSession(room.url, cookie_jar=CookieJar(unsafe=True)) as session:
        async with session.post("/sign-in", data={"name": "li", "password": PASSWORD}) as answer:
            assert answer.status == 200
        yield session
