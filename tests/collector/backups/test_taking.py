"""What is in a backup, on either database, and what it refuses."""

import os
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from collector.backups import check
from collector.backups.manifest import read_manifest
from collector.errors import PermanentError
from tests.collector.backups.yard import REPORTS, Yard, quiet, tree


async def test_it_holds_databases_keys_settings_and_says_what_it_left_out(
    any_yard: Yard, tmp_path: Path
) -> None:
    backup = tmp_path / "backup"
    manifest = await any_yard.backed_up(backup)

    assert {piece.path for piece in manifest.files} == {
        "databases/events.db",
        "databases/state.db",
        "outside/4/mail-password",
        "settings/collector.yaml",
        "settings/plans/own.yaml",
        "settings/registry.yaml",
        "state/ca.key",
        "state/ca.pem",
        "state/journal.checkpoint",
        "state/journal.key",
        "state/superior/superior.json",
    }
    assert set(tree(backup)) == {piece.path for piece in manifest.files} | {"manifest.json"}
    assert {(Path(one.path).name, one.why) for one in manifest.left_out} == {
        ("elsewhere", "not_named"),
        ("ports.json", "made_anew"),
    }
    assert (manifest.cursor, manifest.newest, manifest.unit) == (REPORTS, REPORTS, "county")
    assert manifest.journal.entries > 0
    assert read_manifest(backup) == manifest
    modes = {path.stat().st_mode & 0o777 for path in backup.rglob("*") if path.is_file()}
    assert modes == {0o600}
    assert {path.stat().st_mode & 0o777 for path in backup.rglob("*") if path.is_dir()} == {0o700}
    assert (await check(backup, quiet)).faults == []


async def test_a_copy_of_postgres_holds_the_same_rows_as_one_of_sqlite(
    any_yard: Yard, tmp_path: Path
) -> None:
    await any_yard.backed_up(tmp_path / "backup")

    with closing(sqlite3.connect(tmp_path / "backup/databases/events.db")) as db:
        batches = db.execute("SELECT position, last, received_at % 1000000, stored FROM batch").fetchall()
        sessions = db.execute("SELECT node, epoch, highest, highest_id FROM session").fetchall()
    with closing(sqlite3.connect(tmp_path / "backup/databases/state.db")) as db:
        (clocks,) = db.execute("SELECT count(*) FROM clocks WHERE due_at IS NOT NULL").fetchone()
    assert batches == [(n, n, n, bytes([n]) * 99) for n in range(1, REPORTS + 1)]
    assert sessions == [("node-1", "e", REPORTS, f"r{REPORTS}")]
    assert clocks > 0


async def test_a_writer_beside_it_neither_waits_nor_tears_the_copy(yard: Yard, tmp_path: Path) -> None:
    """Every commit moves two rows together; a copy that mixes two moments would show them apart."""
    with closing(sqlite3.connect(yard.state / "state.db", isolation_level=None)) as db:
        db.execute("CREATE TABLE twins (n INTEGER, filler BLOB)")
        db.executemany("INSERT INTO twins VALUES (0, ?)", [(bytes(100_000),)] * 200)
    done, written = threading.Event(), []

    def write() -> None:
        with closing(sqlite3.connect(yard.state / "state.db", isolation_level=None)) as db:
            n = 0
            while not done.is_set():
                n += 1
                db.execute("UPDATE twins SET n = ? WHERE rowid IN (1, 200)", (n,))
                written.append(n)

    writer = threading.Thread(target=write)
    during: list[int] = []
    writer.start()
    try:
        await yard.backed_up(tmp_path / "backup", lambda *_: during.append(len(written)))
    finally:
        done.set()
        writer.join()

    with closing(sqlite3.connect(tmp_path / "backup/databases/state.db")) as db:
        first, last = (
            db.execute("SELECT n FROM twins WHERE rowid = ?", (row,)).fetchone() for row in (1, 200)
        )
    assert first == last
    assert during[-1] > during[0], "the writer waited"
    assert (await check(tmp_path / "backup", quiet)).faults == []


async def test_an_unfinished_backup_is_none_and_is_begun_anew(yard: Yard, tmp_path: Path) -> None:
    backup = tmp_path / "backup"

    def cut(part: str, *_: int) -> None:
        if part == "events.db":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await yard.backed_up(backup, cut)
    with pytest.raises(PermanentError, match="was not finished"):
        read_manifest(backup)

    await yard.backed_up(backup)
    assert (await check(backup, quiet)).faults == []


async def test_a_folder_with_something_in_it_and_the_state_folder_itself_are_refused(
    yard: Yard, tmp_path: Path
) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("precious")
    with pytest.raises(PermanentError, match="expected a new or an empty folder"):
        await yard.backed_up(tmp_path / "full")
    with pytest.raises(PermanentError, match="lies in the state folder"):
        await yard.backed_up(yard.state / "backup")
    with pytest.raises(PermanentError, match="File exists"):
        await yard.backed_up(yard.file / "backup")

    assert tree(tmp_path / "full") == {"mine": b"precious"}
    assert not (yard.state / "backup").exists()


async def test_a_collector_that_never_ran_has_nothing_to_back_up(tmp_path: Path) -> None:
    yard = Yard(tmp_path / "yard")
    yard.write_settings()

    with pytest.raises(PermanentError, match="no such database"):
        await yard.backed_up(tmp_path / "backup")
    assert not (tmp_path / "backup").exists()


async def test_a_full_disk_is_told_by_name(
    yard: Yard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device", "backup/file")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(PermanentError, match="backup/file: No space left on device"):
        await yard.backed_up(tmp_path / "backup")
