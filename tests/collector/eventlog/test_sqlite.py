"""What the event log does on SQLite beyond its contract (tests/contracts/test_eventlog.py)."""

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from collector.errors import RetryableError
from collector.eventlog.port import StorageFullError
from collector.eventlog.sqlite import SqliteLog
from wire.session import Held, Slice, Take

NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)
ONE = Slice(0, "", (1,), ("a",))


async def test_an_answered_append_is_fsynced_in_a_file_only_its_owner_reads(tmp_path: Path) -> None:
    path = tmp_path / "events.db"
    log = await SqliteLog.open(path)
    assert log._writing.db.execute("PRAGMA synchronous").fetchone() == (2,)
    assert log._writing.db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert path.stat().st_mode & 0o777 == 0o600
    await log.close()


async def test_a_full_disk_is_told_as_such_and_the_same_batch_goes_in_later(tmp_path: Path) -> None:
    log = await SqliteLog.open(tmp_path / "events.db")
    pages = log._writing.db.execute("PRAGMA page_count").fetchone()[0]
    log._writing.db.execute(f"PRAGMA max_page_count = {pages}")

    with pytest.raises(StorageFullError, match="disk is full"):
        await log.append("n", "e", ONE, bytes(10_000), NOON)
    assert await log.held("n", "e") == Held()

    log._writing.db.execute("PRAGMA max_page_count = 100000")
    assert isinstance(await log.append("n", "e", ONE, bytes(10_000), NOON), Take)
    await log.close()


async def test_a_file_that_is_no_database_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "events.db"
    path.write_bytes(b"not a database, but long enough to look like one" * 30)
    with pytest.raises(RetryableError, match=r"events\.db.*not a database"):
        await SqliteLog.open(path)


async def test_a_file_locked_by_another_writer_is_worth_another_try(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collector.eventlog.sqlite_rows.BUSY_SECONDS", 0.05)
    log = await SqliteLog.open(tmp_path / "events.db")
    other = sqlite3.connect(tmp_path / "events.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(RetryableError, match="locked"):
        await log.append("n", "e", ONE, b"{}", NOON)

    other.execute("ROLLBACK")
    other.close()
    assert isinstance(await log.append("n", "e", ONE, b"{}", NOON), Take)
    await log.close()


async def test_a_body_the_database_cannot_take_does_not_stop_the_writer(tmp_path: Path) -> None:
    log = await SqliteLog.open(tmp_path / "events.db")
    with pytest.raises(UnicodeEncodeError):
        await log.append("\ud800", "e", ONE, b"{}", NOON)
    assert isinstance(await log.append("n", "e", ONE, b"{}", NOON), Take)
    await log.close()
