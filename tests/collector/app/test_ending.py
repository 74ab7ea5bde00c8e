"""A collector ends loudly when a part dies, and is kept by nothing that hangs."""

import asyncio

import pytest

from collector.app import ending
from collector.app.ending import Ending, closed_in_time


def test_the_first_death_is_told_and_ends_the_process() -> None:
    said: list[str] = []
    end = Ending(said.append)
    end.died("clock", ValueError("the row is gone"))

    assert end.asked.is_set()
    assert end.dead == ["clock"]
    assert said == ["clock died: ValueError: the row is gone"]


async def test_a_database_that_hangs_at_its_close_keeps_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ending, "CLOSE_SECONDS", 0.01)
    said: list[str] = []

    async def hang() -> None:
        await asyncio.Event().wait()

    await closed_in_time("the state", hang, said.append)
    assert said == ["the state did not close within 0 s; left as it is"]
