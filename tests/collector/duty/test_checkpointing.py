import asyncio
import threading
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from msgspec import convert
from sqlalchemy import event

from collector.duty import Checkpointing
from collector.duty import checkpointing as checkpointing_module
from collector.store import journal, schema
from collector.store.checkpoints import read_checkpoints
from collector.store.engine import Store
from collector.tasks import spawn
from collector.trust.checkpoints import (
    Checkpoint,
    Witness,
    journal_key,
    keep_newest,
    known_key,
    newest_kept,
)

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)


async def write(store: Store, count: int) -> None:
    entry = journal.Entry(actor="system", action="a.b", subject="x:1", detail={"text": "烽"})
    async with store.write() as connection:
        await journal.write_all(connection, [entry] * count, NINE)


async def verified(store: Store, folder: Path) -> list[tuple[str, int]]:
    async with store.read() as connection:
        signed = [convert(row, Checkpoint) for row in await read_checkpoints(connection)]
        witness = Witness(signed, known_key(folder), newest_kept(folder))
        async for row in journal.read_chains(connection):
            witness.feed(row)
    return [(one.why, one.n) for one in witness.breaks()]


def of(store: Store, folder: Path) -> Checkpointing:
    return Checkpointing(
        store, journal_key(folder), now=lambda: NINE, keep=lambda made: keep_newest(folder, made)
    )


async def test_what_was_signed_and_cut_off_is_found(state: Store, tmp_path: Path) -> None:
    await write(state, 5)
    seals = of(state, tmp_path)
    await seals.seal()
    await write(state, 3)
    await seals.seal()
    assert await seals.seal() is None  # nothing new
    await write(state, 1)
    assert await verified(state, tmp_path) == []

    async with state.write() as connection:
        await connection.execute(sa.delete(schema.journal).where(schema.journal.c.n > 6))
    assert await verified(state, tmp_path) == [("cut", 6)]


async def test_the_newest_checkpoint_deleted_with_its_entries_is_found(state: Store, tmp_path: Path) -> None:
    await write(state, 5)
    seals = of(state, tmp_path)
    await seals.seal()
    await write(state, 3)
    await seals.seal()
    async with state.write() as connection:
        await connection.execute(sa.delete(schema.journal).where(schema.journal.c.n > 5))
        await connection.execute(sa.delete(schema.checkpoints).where(schema.checkpoints.c.n == 2))

    assert await verified(state, tmp_path) == [("missing", 2), ("cut", 5)]


async def test_the_newest_alone_bears_witness_to_those_before_a_start(
    sqlite_url: str, sqlite_state: Store, tmp_path: Path
) -> None:
    await write(sqlite_state, 5)
    await of(sqlite_state, tmp_path).seal()
    following = await Store.open(sqlite_url)
    await of(following, tmp_path).seal()
    await following.close()
    async with sqlite_state.write() as connection:
        await connection.execute(sa.delete(schema.journal).where(schema.journal.c.n > 4))
        await connection.execute(sa.delete(schema.checkpoints))

    assert ("cut", 4) in await verified(sqlite_state, tmp_path)


async def test_a_folder_that_takes_nothing_keeps_no_checkpoint_from_the_database(
    sqlite_state: Store, tmp_path: Path
) -> None:
    await write(sqlite_state, 1)
    gone = tmp_path / "gone"
    seals = Checkpointing(
        sqlite_state, journal_key(tmp_path), now=lambda: NINE, keep=lambda made: keep_newest(gone, made)
    )

    assert await seals.seal() is not None
    assert await verified(sqlite_state, tmp_path) == []


async def test_a_chain_that_was_removed_is_found(sqlite_state: Store, tmp_path: Path) -> None:
    await write(sqlite_state, 2)
    await of(sqlite_state, tmp_path).seal()
    async with sqlite_state.write() as connection:
        await connection.execute(sa.delete(schema.journal))

    assert await verified(sqlite_state, tmp_path) == [("removed", 0)]


async def test_a_chain_written_anew_from_its_middle_is_found(sqlite_state: Store, tmp_path: Path) -> None:
    await write(sqlite_state, 2)
    await of(sqlite_state, tmp_path).seal()
    async with sqlite_state.write() as connection:
        await connection.execute(
            sa.update(schema.journal).where(schema.journal.c.n == 2).values(hash="f" * 64)
        )

    assert await verified(sqlite_state, tmp_path) == [("rewritten", 2)]


async def test_the_next_start_signs_what_a_killed_process_left(
    sqlite_url: str, sqlite_state: Store, tmp_path: Path
) -> None:
    await write(sqlite_state, 4)
    following = await Store.open(sqlite_url)
    seals = of(following, tmp_path)
    made, again = await seals.seal(), await seals.seal()
    await following.close()

    assert made is not None
    assert [(chain, n) for chain, n, _ in made.heads] == [(f"{sqlite_state.incarnation}-1", 4)]
    assert again is None


async def signed(store: Store, n: int) -> None:
    async with asyncio.timeout(10):
        while True:
            seen = store.changed.count
            async with store.read() as connection:
                rows = await read_checkpoints(connection)
            if rows and rows[-1]["heads"][-1][1] == n:
                return
            await store.changed.wait(seen)


async def test_a_checkpoint_follows_a_thousand_entries_at_once(
    sqlite_state: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpointing_module, "ENTRIES", 10)
    await write(sqlite_state, 1)
    task = spawn("checkpoints", of(sqlite_state, tmp_path).run(), lambda _name, _error: None)

    await signed(sqlite_state, 1)
    for _ in range(3):
        await write(sqlite_state, 4)
    await signed(sqlite_state, 13)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert await verified(sqlite_state, tmp_path) == []


async def test_entries_written_while_a_checkpoint_is_kept_outside_count_for_the_next(
    sqlite_state: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpointing_module, "ENTRIES", 10)
    kept = threading.Event()
    await write(sqlite_state, 1)
    seals = Checkpointing(
        sqlite_state, journal_key(tmp_path), now=lambda: NINE, keep=lambda _: (kept.wait(10), None)[1]
    )
    task = spawn("checkpoints", seals.run(), lambda _name, _error: None)

    await signed(sqlite_state, 1)
    await write(sqlite_state, 12)
    kept.set()
    await signed(sqlite_state, 13)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_a_chain_that_was_left_is_signed_once(sqlite_state: Store, tmp_path: Path) -> None:
    await write(sqlite_state, 1)
    seals = of(sqlite_state, tmp_path)
    await seals.seal()
    losing = [True]

    @event.listens_for(sqlite_state.engine.sync_engine, "commit")
    def lose(_: object) -> None:
        if losing.pop():
            raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await write(sqlite_state, 1)
    losing.extend([False] * 9)
    await write(sqlite_state, 1)

    assert await seals.seal() is not None
    assert await seals.seal() is None
