"""A running desk over a real store."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.browser.watch_room import Room, watch_room


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    async with watch_room(tmp_path) as found:
        yield found
