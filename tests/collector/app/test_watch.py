"""The watch of a collector goes by the collector's own files, clock and writers."""

import asyncio
from datetime import UTC, datetime

import sqlalchemy as sa

from collector.app.live import Live
from collector.app.watch import Watch
from collector.ingest.links import Link
from collector.store import journal, schema
from collector.store.engine import Store
from collector.tasks import spawn
from tests.browser.watch_room import casework, open_incident

NINE = datetime(2026, 3, 2, 1, tzinfo=UTC)
LATE = datetime(2026, 4, 2, 1, tzinfo=UTC)


def link(_: str) -> Link:
    raise AssertionError("there is no node")


def died(name: str, error: BaseException) -> None:
    raise AssertionError(name) from error


async def test_what_is_due_is_found_and_every_pulse_beats(sqlite_state: Store, live: Live) -> None:
    work = casework(live.registry())
    await open_incident(sqlite_state, work, NINE)
    watch = Watch(sqlite_state, live, work, links=link, now=lambda: LATE)
    assert set(watch.pulses().values()) == {None}

    tasks = [spawn(name, run(), died) for name, run in watch.flows.items()]
    async with asyncio.timeout(20):
        while None in watch.pulses().values():  # noqa: ASYNC110 - a pulse is a plain value
            await asyncio.sleep(0.01)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)

    assert set(watch.pulses()) == {"clock", "auditor", "silence"}
    async with sqlite_state.read() as conn:
        fired = sa.select(sa.func.count()).where(schema.alarms.c.state == "fired")
        assert (await conn.execute(fired)).scalar_one() > 0


async def test_the_journals_end_is_signed(sqlite_state: Store, live: Live) -> None:
    watch = Watch(sqlite_state, live, casework(live.registry()), links=link, now=lambda: NINE)
    entry = journal.Entry(actor="system", action="a.b", subject="x:1", detail={})
    await sqlite_state.run(lambda conn: journal.write(conn, entry, NINE))
    await watch.seal()

    async with sqlite_state.read() as conn:
        assert (await conn.execute(sa.select(sa.func.count()).select_from(schema.checkpoints))).scalar() == 1
