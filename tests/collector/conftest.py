"""What several rooms of the collector need in their tests."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from collector.eventlog.sqlite import SqliteLog
from collector.registry import read_registry
from collector.tasks import spawn
from tests.collector.ingest.tower import REGISTRY, Tower
from tests.databases import new_state


@pytest.fixture
async def tower(tmp_path: Path) -> AsyncIterator[Tower]:
    deaths: list[Any] = []
    async with AsyncExitStack() as stack:
        store = await new_state(tmp_path)
        stack.push_async_callback(store.close)
        log = await SqliteLog.open(tmp_path / "events.db")
        stack.push_async_callback(log.close)
        tower = Tower(tmp_path, store, log, read_registry(REGISTRY, "registry.yaml"))
        await tower.start()
        stack.push_async_callback(lambda: tower.listener.stop(0.2))
        for name, work in (("orders", tower.desk.watch()), ("standings", tower.standings.keep_fresh())):
            stack.push_async_callback(ended, spawn(name, work, lambda *death: deaths.append(death)))
        yield tower
    assert deaths == []
    assert tower.tally.refused["fault"] == 0


async def ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])
