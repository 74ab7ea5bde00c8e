"""A collector whose part dies ends loudly, so that whoever supervises it starts it again."""

import asyncio
import sqlite3
from contextlib import AsyncExitStack, closing
from pathlib import Path

import pytest

from collector.app.collector import Collector
from collector.app.live import Live
from collector.world import World

pytestmark = pytest.mark.slow


async def test_a_flow_that_cannot_go_on_takes_the_collector_with_it(world: World, tmp_path: Path) -> None:
    said: list[str] = []
    async with AsyncExitStack() as stack:
        collector = await Collector.build(Live(world), stack, said.append)
        running = asyncio.get_running_loop().create_task(collector.run(str(tmp_path / "collector.yaml")))
        state = tmp_path / "state"
        async with asyncio.timeout(30):
            for _ in range(3000):
                if (state / "ports.json").exists():
                    break
                await asyncio.sleep(0.01)
            with closing(sqlite3.connect(state / "state.db", timeout=10)) as connection:
                connection.execute("ALTER TABLE alarms RENAME TO lost")
                connection.commit()

            assert await running == 1
    assert any("clock died" in line and "alarms" in line for line in said)
