"""Whatever is wrong with a backup is named, and looking changes nothing."""

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest

from collector.backups import check
from collector.errors import PermanentError
from tests.collector.backups.yard import Yard, quiet, tree


@pytest.fixture
async def backup(yard: Yard, tmp_path: Path) -> Path:
    await yard.backed_up(tmp_path / "backup")
    return tmp_path / "backup"


def times(backup: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in backup.rglob("*")}


def forge(backup: Path, path: str, change: Callable[[Path], None]) -> None:
    """Change a file and let the manifest agree, as somebody would who wants it to pass."""
    change(backup / path)
    manifest = json.loads((backup / "manifest.json").read_text())
    for piece in manifest["files"]:
        if piece["path"] == path:
            content = (backup / path).read_bytes()
            piece |= {"size": len(content), "sha256": sha256(content).hexdigest()}
    (backup / "manifest.json").write_text(json.dumps(manifest))


def statement(sql: str) -> Callable[[Path], None]:
    def run(path: Path) -> None:
        with closing(sqlite3.connect(path)) as db, db:
            db.execute(sql)

    return run


async def test_a_whole_one_has_no_fault_and_is_left_as_it_was(backup: Path) -> None:
    before = tree(backup), times(backup)
    checked = await check(backup, quiet)

    assert checked.faults == []
    assert (checked.entries, checked.chains, checked.checkpoints) == (checked.manifest.journal.entries, 1, 1)
    assert (tree(backup), times(backup)) == before


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda backup: (backup / "state/ca.key").unlink(), ["state/ca.key: No such file or directory"]),
        (
            lambda backup: (backup / "state/ca.key").write_bytes(b"x"),
            ["state/ca.key: found 1 bytes, expected 241"],
        ),
        (
            lambda backup: (backup / "state/journal.key").write_bytes(b"0" * 64),
            ["state/journal.key: found SHA-256"],
        ),
        (
            lambda backup: (
                (backup / "state/ca.pem").rename(backup / "x"),
                (backup / "state/ca.pem").symlink_to("/etc/hostname"),
            ),
            ["state/ca.pem: found a link"],
        ),
    ],
    ids=["gone", "short", "changed", "link"],
)
async def test_a_file_that_is_not_as_it_was_is_named(
    backup: Path, damage: Callable[[Path], object], said: list[str]
) -> None:
    damage(backup)
    checked = await check(backup, quiet)
    assert [any(fault.startswith(each) for fault in checked.faults) for each in said] == [True]
    assert len(checked.faults) == 1


@pytest.mark.parametrize(
    ("path", "change", "said"),
    [
        ("databases/state.db", statement("UPDATE journal SET action = 'x' WHERE n = 1"), "journal: chain"),
        ("databases/state.db", statement("DELETE FROM journal WHERE n > 1"), "journal: chain"),
        ("databases/state.db", statement("DELETE FROM incidents"), "clocks.incident: found"),
        (
            "databases/state.db",
            statement("UPDATE alembic_version SET version_num = '0001'"),
            "schema: found 0001",
        ),
        ("databases/state.db", lambda path: path.write_bytes(b"junk" * 999), "databases/state.db: damaged"),
        ("databases/state.db", statement("DROP TABLE journal"), "databases/state.db: cannot be read"),
        (
            "databases/events.db",
            statement("DELETE FROM batch WHERE position > 2"),
            "databases/events.db: ends at",
        ),
        (
            "databases/events.db",
            statement("UPDATE session SET highest = 3"),
            "databases/events.db: found 1 sess",
        ),
        ("state/ca.pem", lambda path: path.write_text("no certificate"), "state/ca.pem: cannot be used"),
        ("state/journal.key", lambda path: path.write_text("11" * 32), "journal: chain checkpoint"),
    ],
    ids=["forged", "cut", "orphans", "schema", "junk", "no journal", "log cut", "session", "ca", "key"],
)
async def test_what_a_forged_manifest_hides_is_found(
    backup: Path, path: str, change: Callable[[Path], None], said: str
) -> None:
    forge(backup, path, change)
    faults = (await check(backup, quiet)).faults
    assert any(fault.startswith(said) for fault in faults), faults


async def test_one_of_a_newer_version_says_which_is_needed(backup: Path) -> None:
    forge(backup, "databases/state.db", statement("UPDATE alembic_version SET version_num = '9999'"))
    text = (backup / "manifest.json").read_text()
    (backup / "manifest.json").write_text(text.replace('"schema": "0', '"schema": "9'))
    (fault,) = (await check(backup, quiet)).faults
    assert "install the version that made the backup" in fault


@pytest.mark.parametrize(
    ("manifest", "said"),
    [
        (None, "No such file"),
        ("", "not a backup's manifest"),
        ("[]", "not a backup's manifest"),
        ("\x00" * 40, "not a backup's manifest"),
    ],
    ids=["none", "empty", "list", "nonsense"],
)
async def test_a_folder_that_is_no_backup_is_refused(tmp_path: Path, manifest: str | None, said: str) -> None:
    if manifest is not None:
        (tmp_path / "manifest.json").write_text(manifest)
    with pytest.raises(PermanentError, match=said):
        await check(tmp_path, quiet)


async def test_a_backup_that_was_moved_is_still_one(backup: Path, tmp_path: Path) -> None:
    moved = tmp_path / "a ? folder % with # signs"
    shutil.move(backup, moved)
    assert (await check(moved, quiet)).faults == []
