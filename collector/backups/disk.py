"""Files that are whole and on the disk, for their owner alone."""

import hashlib
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from msgspec import Struct

Progress = Callable[[str, int, int], None]
"""Told what is being done, how much of it is done, and how much there is."""

_CHUNK = 1024 * 1024
_PAGES = 2048


class Sum(Struct, frozen=True):
    """Size in bytes, and SHA-256 in hex."""

    size: int
    sha256: str


def sum_of(path: Path) -> Sum:
    """Read a file to its end.

    Raises:
        OSError: It cannot be read.
    """
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
    return Sum(size, digest.hexdigest())


def copy(source: Path, target: Path) -> Sum:
    """Copy a file to a new one (0600), and see it on the disk; folders on the way are made (0700).

    Raises:
        OSError: It cannot be read or written, or the target is there.
    """
    make_folders(target.parent)
    digest, size = hashlib.sha256(), 0
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with source.open("rb") as reading, os.fdopen(descriptor, "wb") as writing:
        while chunk := reading.read(_CHUNK):
            writing.write(chunk)
            digest.update(chunk)
            size += len(chunk)
        writing.flush()
        os.fsync(writing.fileno())
    return Sum(size, digest.hexdigest())


def snapshot(source: Path, target: Path, tell: Progress) -> None:
    """Copy an SQLite database that others write to, as it stands at one moment, by SQLite's backup API.

    A reading transaction holds the moment: without it every commit of another process would begin the copy
    anew, and beside a busy collector it would never end. Writers do not wait for it.

    Raises:
        sqlite3.Error: The source is not there or no database, or the target cannot be written.
    """
    make_folders(target.parent)
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    uri = f"{source.absolute().as_uri()}?mode=rw"
    with (
        closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as db,
        closing(sqlite3.connect(target)) as copied,
    ):
        db.execute("BEGIN")
        db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        db.backup(
            copied,
            pages=_PAGES,
            progress=lambda _, left, total: tell(target.name, total - left, total),
            sleep=0,
        )
        alone(copied)
    sync(target)


def alone(db: sqlite3.Connection) -> None:
    """Let a database be one file, without a log beside it."""
    db.execute("PRAGMA journal_mode=DELETE").fetchone()


def sync(path: Path) -> None:
    """See a file or a folder on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folders(path: Path) -> None:
    """Make a folder and those above it, for their owner alone."""
    for each in (*reversed(path.parents), path):
        each.mkdir(mode=0o700, exist_ok=True)


def move(source: Path, target: Path) -> None:
    """Rename within a file system, on the disk when it returns."""
    source.rename(target)
    sync(target.parent)
    if source.parent != target.parent:
        sync(source.parent)
