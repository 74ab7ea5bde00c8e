import os
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.outbox import OutboxError
from agent.outbox.file import NAME, lock, open_or_begin_anew

NOW = datetime(2026, 3, 2, 1, 10, tzinfo=UTC)


def filled(folder: Path) -> Path:
    db, why = open_or_begin_anew(folder, NOW)
    assert why == ""
    db.executemany(
        "INSERT INTO reports VALUES (?, ?, 'incident', 's', '2026-03-02', '', 0, ?, 0, 3, 300, 0, NULL)",
        [(number, str(number), b'"%s"' % (b"x" * 2998)) for number in range(1, 200)],
    )
    db.close()
    return folder / NAME


def test_a_new_file_syncs_every_commit_and_belongs_to_its_owner_alone(tmp_path: Path) -> None:
    db, _ = open_or_begin_anew(tmp_path, NOW)

    assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert db.execute("PRAGMA synchronous").fetchone() == (2,)
    assert (tmp_path / NAME).stat().st_mode & 0o777 == 0o600
    db.close()


def test_what_was_written_is_there_when_the_file_is_opened_again(tmp_path: Path) -> None:
    filled(tmp_path)

    db, why = open_or_begin_anew(tmp_path, NOW)

    assert why == ""
    assert db.execute("SELECT count(*), max(held) FROM reports, state").fetchone() == (199, 199 * 300)
    db.close()


@pytest.mark.parametrize("offset", [0, 20, 4096, 3 * 4096, 40 * 4096])
def test_a_damaged_file_is_set_aside_whole_and_a_new_life_begins(tmp_path: Path, offset: int) -> None:
    path = filled(tmp_path)
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(b"\xff\xfe" * 2048)
    size = path.stat().st_size

    db, why = open_or_begin_anew(tmp_path, NOW)

    kept = tmp_path / "outbox-20260302T011000Z.corrupt"
    assert kept.name in why
    assert kept.stat().st_size == size
    assert db.execute("SELECT count(*) FROM reports").fetchone() == (0,)
    db.close()


def test_a_file_that_lost_its_end_is_set_aside(tmp_path: Path) -> None:
    path = filled(tmp_path)
    os.truncate(path, path.stat().st_size // 2)

    db, why = open_or_begin_anew(tmp_path, NOW)

    assert "damaged" in why
    db.close()


def test_a_file_that_lost_only_its_head_number_is_not_emptied(tmp_path: Path) -> None:
    path = filled(tmp_path)
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version = 0")
    db.close()

    db, why = open_or_begin_anew(tmp_path, NOW)

    assert "no format number" in why
    db.close()


def test_a_making_that_was_cut_short_is_made_anew(tmp_path: Path) -> None:
    db = sqlite3.connect(tmp_path / NAME)
    db.execute("CREATE TABLE state (one)")
    db.close()

    db, why = open_or_begin_anew(tmp_path, NOW)

    assert why == ""
    assert db.execute("SELECT count(*) FROM state").fetchone() == (1,)
    db.close()


def test_a_file_of_a_newer_agent_is_left_alone(tmp_path: Path) -> None:
    path = filled(tmp_path)
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version = 99")
    db.close()

    with pytest.raises(OutboxError, match="newer agent"):
        open_or_begin_anew(tmp_path, NOW)

    assert path.exists()


def test_a_folder_serves_one_agent_at_a_time(tmp_path: Path) -> None:
    held = lock(tmp_path)

    with pytest.raises(OutboxError, match="another agent"):
        lock(tmp_path)

    os.close(held)
    os.close(lock(tmp_path))


def test_a_path_that_is_no_file_is_said_and_nothing_is_moved(tmp_path: Path) -> None:
    db = sqlite3.connect(tmp_path / NAME)
    db.close()
    (tmp_path / NAME).unlink()
    (tmp_path / NAME).mkdir()

    with pytest.raises(OSError, match="directory"):
        open_or_begin_anew(tmp_path, NOW)
