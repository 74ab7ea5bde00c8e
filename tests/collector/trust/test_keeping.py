"""A file that is replaced is the old one or the new one, whatever happens meanwhile."""

import fcntl
import os
from pathlib import Path

import pytest

from collector.trust.keeping import alone, replacing, write_secret


def test_a_secret_is_written_whole_over_what_a_crash_left(tmp_path: Path) -> None:
    path = tmp_path / "key"
    (tmp_path / "key.new").write_bytes(b"half")
    write_secret(path, b"whole")
    assert path.read_bytes() == b"whole"
    assert path.stat().st_mode & 0o777 == 0o600
    assert not (tmp_path / "key.new").exists()


def test_what_cannot_be_written_to_its_end_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "index.json"
    path.write_bytes(b"old")

    def write_half() -> None:
        with replacing(path) as file:
            file.write(b"ne")
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_half()

    assert path.read_bytes() == b"old"


def test_what_is_no_secret_may_be_read_by_those_whom_the_umask_lets(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        with replacing(tmp_path / "index.json") as file:
            file.write(b"{}")
    finally:
        os.umask(before)

    assert (tmp_path / "index.json").stat().st_mode & 0o777 == 0o640


def test_the_rename_is_on_the_disk_before_it_returns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[bool] = []
    fsync = os.fsync

    def note(descriptor: int) -> None:
        synced.append((tmp_path / "key").exists())
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    write_secret(tmp_path / "key", b"x")

    assert synced == [False, True], "the content before the rename, the folder after it"


def test_who_makes_is_alone(tmp_path: Path) -> None:
    other = os.open(tmp_path, os.O_RDONLY)
    try:
        with alone(tmp_path), pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    finally:
        os.close(other)
