from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.browser.watch_room import Room

Ask = Callable[..., Awaitable[tuple[int, Any]]]


async def test_the_journal_is_told_with_its_chain(room: Room, ask: Ask) -> None:
    incident = await room.open()

    _, found = await ask(f"/api/v1/audit?incident={incident}")
    newest, *older = found["items"]

    assert newest["previous"] == older[0]["hash"]
    assert older[-1]["action"] == "incident.opened"
    assert await ask(f"/api/v1/audit/{newest['id']}") == (200, newest)


@pytest.mark.parametrize("number", ["0", "-1", "x", "9" * 40, "²"])
async def test_an_entry_that_cannot_be_is_not_found(ask: Ask, number: str) -> None:
    status, _ = await ask(f"/api/v1/audit/{number}")

    assert status == 404
