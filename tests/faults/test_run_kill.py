"""Runners are killed with -9 from outside at random times; every effect is there once and no run hangs."""

import asyncio
import contextlib
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from collector.store.engine import Store
from collector.store.journal import read_chains
from collector.store.schema import filings, journal, notices, run_steps, runs

if TYPE_CHECKING:
    from tests.conftest import Office

CHILD = Path(__file__).with_name("run_child.py")
INCIDENTS = 240
PORTION = 20
KILLS = 16
END_SECONDS = 60.0
STEPS = {"start", "tell", "fan", "short", "again", "file", "call", "long", "maybe", "last", "end"}


class Children:
    """Runner processes, replaced as they are killed."""

    def __init__(self, url: str, count: int) -> None:
        self._url = url
        self._count = count
        self._alive: list[asyncio.subprocess.Process] = []
        self.killed_while_busy = 0

    async def fill(self) -> None:
        """Have as many alive as there should be, each at work."""
        while len(self._alive) < self._count:
            child = await asyncio.create_subprocess_exec(
                sys.executable, str(CHILD), self._url, stdout=asyncio.subprocess.PIPE
            )
            self._alive.append(child)
            assert child.stdout is not None
            async with asyncio.timeout(30):
                assert await child.stdout.readline() == b"ready\n"

    async def kill(self, child: asyncio.subprocess.Process) -> None:
        """Kill one, as the kernel does."""
        child.send_signal(signal.SIGKILL)
        assert await child.wait() == -signal.SIGKILL
        self._alive.remove(child)

    async def kill_one(self, random: Random) -> None:
        """Kill any one."""
        await self.kill(random.choice(self._alive))

    async def end(self) -> None:
        """Kill all that are left."""
        for child in list(self._alive):
            await self.kill(child)


@contextlib.asynccontextmanager
async def children(url: str, count: int) -> AsyncIterator[Children]:
    """Runner processes that are gone at the end, whatever happens."""
    processes = Children(url, count)
    try:
        yield processes
    finally:
        await processes.end()


async def still_running(store: Store) -> int:
    """How many incidents have not seen their run's end."""
    async with store.read() as conn:
        query = sa.select(sa.func.count()).select_from(runs).where(runs.c.state == "done")
        return INCIDENTS - int((await conn.execute(query)).scalar_one())


async def open_portion(store: Store, office: "Office", number: int) -> None:
    """Some more incidents happen."""
    now = datetime.now(UTC)  # noqa: TID251 - the children live by the real clock
    async with store.write() as conn:
        for index in range(PORTION):
            finding = office.finding(now, fingerprint=f"{number}/{index}")
            await office.casework.open(conn, finding, now, now)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("processes", [1, 3])
async def test_kills_at_any_time_repeat_nothing_and_lose_nothing(
    state: Store, state_url: str, office: "Office", processes: int
) -> None:
    seed = time.time_ns()
    random = Random(seed)  # noqa: S311 - when to kill is no secret
    async with children(state_url, processes) as alive:
        for number in range(KILLS):
            if number * PORTION < INCIDENTS:
                await open_portion(state, office, number)
            await alive.fill()
            await asyncio.sleep(random.uniform(0, 0.25))
            alive.killed_while_busy += bool(await still_running(state))
            await alive.kill_one(random)
        await alive.fill()
        async with asyncio.timeout(END_SECONDS):
            while await still_running(state):  # noqa: ASYNC110 - other processes' commits fire no event here
                await asyncio.sleep(0.1)

    await every_effect_is_there_once(state, f"seed {seed}")
    assert alive.killed_while_busy >= KILLS // 2, "the kills have to fall into the work"


async def every_effect_is_there_once(store: Store, seed: str) -> None:
    """Compare what the databases hold with what the plan says, run by run."""
    async with store.read() as conn:
        steps = (await conn.execute(sa.select(run_steps))).mappings().all()
        keys = list((await conn.execute(sa.select(notices.c.key))).scalars())
        filed = (await conn.execute(sa.select(sa.func.count()).select_from(filings))).scalar_one()
        ran = (await conn.execute(sa.select(runs.c.id, runs.c.incident))).all()
        told = (await conn.execute(sa.select(journal.c.action, journal.c.subject, journal.c.detail))).all()
        sealed = [row async for row in read_chains(conn)]

    assert len(ran) == len({row.incident for row in ran}) == INCIDENTS, seed
    assert {row["visit"] for row in steps} == {1}, seed
    assert {row["state"] for row in steps} == {"done"}, seed
    assert Counter(row["step"] for row in steps) == dict.fromkeys(STEPS, INCIDENTS), seed
    of_steps = {f"{run.id}/{step}" for run in ran for step in ("tell/1/wang/webhook", "again/1/zhao/webhook")}
    of_steps |= {f"{run.id}/{step}" for run in ran for step in ("call/1", "last/1/wang/webhook")}
    assert {key for key in keys if key.split("/")[0] in {run.id for run in ran}} == of_steps, seed
    assert filed == INCIDENTS, seed
    entries = Counter(
        (row.action, row.subject, row.detail.get("step")) for row in told if "run" in row.action
    )
    assert set(entries.values()) == {1}, seed
    assert len(sealed) == len(told), seed
