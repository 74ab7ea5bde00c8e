"""Files are whole, for their owner alone, and never written over."""

import sqlite3
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest

from collector.backups import disk


def test_a_copy_is_the_same_and_for_its_owner_alone(tmp_path: Path) -> None:
    content = bytes(range(256)) * 9000
    (tmp_path / "a").write_bytes(content)
    copied = disk.copy(tmp_path / "a", tmp_path / "new" / "b")

    assert (tmp_path / "new" / "b").read_bytes() == content
    assert copied == disk.Sum(len(content), sha256(content).hexdigest()) == disk.sum_of(tmp_path / "a")
    assert (tmp_path / "new" / "b").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700


def test_nothing_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("new")
    (tmp_path / "b").write_text("old")
    with pytest.raises(FileExistsError):
        disk.copy(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b").read_text() == "old"


def test_a_snapshot_is_one_file_of_a_database_in_use_and_tells_how_far_it_is(tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    with closing(sqlite3.connect(tmp_path / "a.db", isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("CREATE TABLE t AS SELECT 1 AS n")
        disk.snapshot(tmp_path / "a.db", tmp_path / "b.db", lambda *progress: told.append(progress))

    with closing(sqlite3.connect(f"{(tmp_path / 'b.db').as_uri()}?mode=ro&immutable=1", uri=True)) as copied:
        assert copied.execute("SELECT n FROM t").fetchall() == [(1,)]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.db", "b.db"]
    name, done, total = told[-1]
    assert (name, done) == ("b.db", total)


def test_a_source_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.Error):
        disk.snapshot(tmp_path / "none.db", tmp_path / "b.db", lambda *_: None)
    assert not (tmp_path / "none.db").exists()


def test_a_move_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "a").write_text("a")
    disk.move(tmp_path / "a", tmp_path / "x" / "b")
    assert [path.name for path in tmp_path.rglob("*")] == ["x", "b"]
