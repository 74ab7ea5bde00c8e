"""A running API over a real store."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from tests.browser.watch_room import Room, watch_room


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    async with watch_room(tmp_path) as found:
        yield found


@pytest.fixture
async def ask(room: Room) -> AsyncIterator[Callable[..., Awaitable[tuple[int, Any]]]]:
    """Ask the API as an administrator's program; answers status and JSON."""
    bearer = await room.token("admin")
    async with ClientSession(room.url, headers={"Authorization": f"Bearer {bearer}"}) as session:

        async def asked(path: str, method: str = "GET", **more: Any) -> tuple[int, Any]:  # noqa: ANN401 - aiohttp's own
            async with session.request(method, path, **more) as answer:
                return answer.status, await answer.json(content_type=None)

        yield asked
