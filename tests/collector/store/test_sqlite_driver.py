"""A connection to SQLite ends, whatever is cancelled while it does."""

import asyncio
import contextlib
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import event

from collector.store.engine import Store
from collector.store.sqlite_driver import connection_to


async def test_a_connection_that_is_stopped_and_then_closed_is_closed(tmp_path: Path) -> None:
    connection = await connection_to(str(tmp_path / "a.db"))
    connection.stop()

    async with asyncio.timeout(10):
        with contextlib.suppress(ValueError):  # the driver's word for what is stopped already
            await connection.close()
    assert not connection._thread.is_alive() or connection._thread.join(10) is None


async def test_every_stop_is_answered_and_by_the_same(tmp_path: Path) -> None:
    connection = await connection_to(str(tmp_path / "a.db"))
    first, second = connection.stop(), connection.stop()

    assert first is second is not None
    async with asyncio.timeout(10):
        await asyncio.gather(first, second)


@pytest.mark.parametrize("later", range(12))
async def test_a_write_that_is_cancelled_twice_leaves_nothing_behind(
    sqlite_state_url: str, later: int
) -> None:
    """Once at its commit, and once more while its connection is closed for that."""
    store = await Store.open(sqlite_state_url)
    before = asyncio.all_tasks()

    async def write() -> None:
        async with store.write() as connection:
            await connection.execute(sa.text("SELECT 1"))

    task, committing = asyncio.get_running_loop().create_task(write()), asyncio.Event()

    def cancel(_: object) -> None:
        task.cancel()
        committing.set()

    event.listen(store.engine.sync_engine, "commit", cancel)
    await committing.wait()
    for _ in range(later):
        await asyncio.sleep(0)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task

    async with asyncio.timeout(20):
        await store.close()
        if left := asyncio.all_tasks() - before:
            await asyncio.wait(left)


async def test_a_write_that_is_cancelled_within_a_statement_leaves_the_database_to_the_next(
    sqlite_url: str,
) -> None:
    """Its sender hung up. The statement is not at its end, and whoever was told of it holds it still."""
    store = await Store.open(sqlite_url)
    loop, arrived, go_on = asyncio.get_running_loop(), asyncio.Event(), threading.Event()

    def arrive() -> int:
        loop.call_soon_threadsafe(arrived.set)
        go_on.wait(10)
        return 1

    async def write() -> None:
        async with store.write() as connection:
            driver = (await connection.get_raw_connection()).driver_connection
            assert driver is not None
            await driver.create_function("arrive", 0, arrive)
            await connection.execute(sa.text("SELECT arrive() UNION ALL SELECT 2"))

    task = loop.create_task(write())
    async with asyncio.timeout(10):
        await arrived.wait()
        task.cancel()
        go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await task

        await store.run(lambda connection: connection.execute(sa.text("CREATE TABLE next (n)")))
    await store.close()
