"""Senders are killed inside the call; every notice has its effect, and by its key only one."""

import asyncio
import sys
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from aiohttp import web

from collector.store import schema
from collector.store.engine import Store
from collector.store.notices import add_notice
from tests.contracts.receiver import receiver
from tests.faults.notices_child import clock

CHILD = Path(__file__).with_name("notices_child.py")
NOTICES = 30
KILLS = 4


@pytest.mark.slow
async def test_a_kill_inside_the_call_costs_a_second_call_and_never_a_second_effect(
    sqlite_state: Store, sqlite_url: str
) -> None:
    async with sqlite_state.write() as conn:
        for number in range(NOTICES):
            await add_notice(
                conn,
                key=f"k{number}",
                incident="i",
                person=None,
                channel="webhook",
                payload={"subject": f"{number}"},
                now=clock() - timedelta(hours=1),
            )
    kills = 0
    child: asyncio.subprocess.Process | None = None

    async with receiver() as place:

        async def answer(_: web.Request) -> web.StreamResponse:
            nonlocal kills
            # The effect is there; the sender will not hear of it.
            if kills < KILLS and child is not None and place.calls.total() % 5 == 0:
                kills += 1
                child.kill()
            return web.json_response({})

        place.answer = answer
        async with asyncio.timeout(90):
            while await unsent(sqlite_state):
                child = await asyncio.create_subprocess_exec(
                    sys.executable,
                    str(CHILD),
                    sqlite_url,
                    place.url,
                    cwd=CHILD.parents[2],
                    env={"PYTHONPATH": str(CHILD.parents[2])},
                )
                while child.returncode is None and await unsent(sqlite_state):
                    place.heard.clear()
                    ended = asyncio.get_running_loop().create_task(child.wait())
                    heard = asyncio.get_running_loop().create_task(place.heard.wait())
                    await asyncio.wait({ended, heard}, timeout=1, return_when=asyncio.FIRST_COMPLETED)
                    heard.cancel()
                    ended.cancel()
                if child.returncode is None:
                    child.kill()
                await child.wait()

    assert kills == KILLS
    assert set(place.calls) == {f"k{number}" for number in range(NOTICES)}
    assert place.calls.total() > NOTICES
    async with sqlite_state.read() as conn:
        rows = (await conn.execute(sa.select(schema.notices))).mappings().all()
        told = (
            await conn.execute(
                sa.select(schema.journal.c.subject).where(schema.journal.c.action == "notice.sent")
            )
        ).scalars()
        assert sorted(told) == sorted(f"notice:{row['id']}" for row in rows)
    assert {row["state"] for row in rows} == {"sent"}


async def unsent(state: Store) -> bool:
    """Whether notices are still to be sent."""
    async with state.read() as conn:
        query = sa.select(sa.func.count()).where(schema.notices.c.state != "sent")
        return bool((await conn.execute(query)).scalar_one())
