"""What one database alone shows; the promises both keep are in tests/contracts/test_store.py."""

import asyncio
import contextlib
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncConnection

from collector.errors import PermanentError
from collector.store import engine as engine_module
from collector.store import journal
from collector.store.engine import Store, StoreBusyError, StoreUnusableError, chain_end
from collector.store.marks import raise_mark, read_mark

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
ENTRY = journal.Entry(actor="system", action="a", subject="b")


@pytest.mark.parametrize(
    "url", ["sqlite:////no/such/folder/state.db", "postgresql://nobody@127.0.0.1:1/nothing"]
)
async def test_a_database_that_cannot_be_opened_is_named(url: str) -> None:
    with pytest.raises(StoreUnusableError, match=r"database .*; check database.url and the rights"):
        await Store.open(url)


async def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    path.write_bytes(b"a letter, not a database" * 100)
    with pytest.raises(StoreUnusableError, match="not a database"):
        await Store.open(f"sqlite:///{path}")

    assert path.read_bytes() == b"a letter, not a database" * 100


async def test_a_database_that_a_newer_version_has_changed_is_refused_and_left_alone(
    state: Store, state_url: str
) -> None:
    """As while collectors on one database are replaced by newer ones, one after the other."""
    async with state.write() as connection:
        await connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(PermanentError, match="has schema 9999, this version of Fengsui knows"):
        await Store.open(state_url)

    async with state.read() as connection:
        assert (
            await connection.execute(sa.text("SELECT version_num FROM alembic_version"))
        ).scalar() == "9999"


async def test_a_password_never_stands_in_an_error() -> None:
    with pytest.raises(StoreUnusableError) as error:
        await Store.open("postgresql://nobody:geheim@127.0.0.1:1/nothing")

    assert "geheim" not in str(error.value)


async def test_a_database_held_by_another_process_is_busy_and_then_is_not(
    sqlite_state: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "_FIRST_PAUSE", 0.0)
    async with sqlite_state.write() as connection:
        await connection.exec_driver_sql("PRAGMA busy_timeout=1")
    other = sqlite3.connect(tmp_path / "state.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    async def work(connection: AsyncConnection) -> None:
        await raise_mark(connection, "flow", NINE)

    with pytest.raises(StoreBusyError, match="database busy"):
        await sqlite_state.run(work, attempts=2)
    other.execute("COMMIT")
    other.close()
    await sqlite_state.run(work)
    async with sqlite_state.read() as connection:
        assert await read_mark(connection, "flow") == NINE


async def test_a_busy_write_is_tried_again(sqlite_state: Store) -> None:
    tries = []

    async def work(_: AsyncConnection) -> str:
        tries.append(1)
        if len(tries) < 3:
            raise StoreBusyError("busy")
        return "done"

    assert await sqlite_state.run(work) == "done"
    assert len(tries) == 3


async def test_after_a_commit_of_unknown_fate_a_new_chain_is_begun(state: Store) -> None:
    losing = [True]

    @event.listens_for(state.engine.sync_engine, "commit")
    def lose(_: object) -> None:
        if losing.pop():
            raise ConnectionResetError

    chains = []

    async def write(connection: AsyncConnection) -> int:
        chains.append(chain_end(connection).head.chain)
        return await journal.write(connection, ENTRY, NINE)

    with pytest.raises(ConnectionResetError):
        await state.run(write)
    losing.append(False)
    number = await state.run(write)

    assert number == 1
    assert chains[0] != chains[1]


async def test_a_journal_entry_needs_a_write(sqlite_state: Store) -> None:
    async with sqlite_state.read() as connection:
        with pytest.raises(RuntimeError, match="reads only"):
            await journal.write(connection, ENTRY, NINE)


async def test_every_process_has_a_name_of_its_own(sqlite_state: Store, sqlite_url: str) -> None:
    other = await Store.open(sqlite_url)
    await other.close()

    assert other.incarnation != sqlite_state.incarnation


async def test_a_write_that_is_cancelled_at_its_commit_is_cancelled_and_nothing_else(
    sqlite_state: Store,
) -> None:
    """A collector that is told to stop ends its flows wherever they are; none of them may die of it."""

    async def write() -> None:
        async with sqlite_state.write() as connection:
            await connection.execute(sa.text("SELECT 1"))

    async with asyncio.TaskGroup() as group:
        task = group.create_task(write())

        def stop(_: object) -> None:
            task.cancel()

        event.listen(sqlite_state.engine.sync_engine, "commit", stop)
        with contextlib.suppress(asyncio.CancelledError):
            await task
        event.remove(sqlite_state.engine.sync_engine, "commit", stop)

    assert task.cancelled()
    async with sqlite_state.write() as connection:
        assert (await connection.execute(sa.text("SELECT 1"))).scalar() == 1
