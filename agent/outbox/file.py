"""The outbox's file: made, opened, checked, set aside when damaged."""

import fcntl
import os
import sqlite3
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import msgspec

from wire.ids import uuid7
from wire.messages import Outcome

from . import rests, speaker

NAME = "outbox.db"
_LOCK = "agent.lock"
_USED = b"outbox\n"
_GONE = "outbox was gone or empty, and this folder had one; what waited in it is lost"
_FORMAT = 2
_DAMAGE = {
    sqlite3.SQLITE_ERROR,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_CONSTRAINT,
    sqlite3.SQLITE_MISMATCH,
    sqlite3.SQLITE_NOTADB,
}
_OTHERS = (
    "SELECT * FROM state",
    "SELECT * FROM counters",
    "SELECT * FROM refused",
    "SELECT * FROM rests",
    "SELECT * FROM speaker",
)
_ONE = """INSERT INTO reports
    (id, kind, source, observed_at, boot_id, monotonic, body, accepted, rank, size)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
_PARTS = ("", "-wal", "-shm")
_SCHEMA = """
PRAGMA auto_vacuum = INCREMENTAL;
CREATE TABLE state (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    epoch TEXT NOT NULL,
    acked INTEGER NOT NULL DEFAULT 0,
    acked_id TEXT NOT NULL DEFAULT '',
    sent INTEGER NOT NULL DEFAULT 0,
    next INTEGER NOT NULL DEFAULT 1,
    held INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE reports (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    source TEXT NOT NULL,
    observed_at TEXT NOT NULL,
    boot_id TEXT NOT NULL,
    monotonic REAL NOT NULL,
    body BLOB NOT NULL,
    accepted REAL NOT NULL,
    rank INTEGER NOT NULL,
    size INTEGER NOT NULL,
    lane INTEGER NOT NULL DEFAULT 3,
    number INTEGER
) STRICT;
CREATE INDEX reports_by_rank ON reports (rank, seq);
CREATE UNIQUE INDEX reports_by_number ON reports (number) WHERE number IS NOT NULL;
CREATE INDEX reports_by_lane ON reports (lane, seq) WHERE number IS NULL;
CREATE TRIGGER held_more AFTER INSERT ON reports BEGIN UPDATE state SET held = held + new.size; END;
CREATE TRIGGER held_less AFTER DELETE ON reports BEGIN UPDATE state SET held = held - old.size; END;
CREATE TRIGGER held_else AFTER UPDATE OF size ON reports
    BEGIN UPDATE state SET held = held - old.size + new.size; END;
CREATE TABLE refused (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    source TEXT NOT NULL,
    observed_at TEXT NOT NULL,
    body BLOB NOT NULL,
    why TEXT NOT NULL,
    at TEXT NOT NULL
) STRICT;
CREATE TABLE counters (what TEXT NOT NULL, kind TEXT NOT NULL, n INTEGER NOT NULL,
    PRIMARY KEY (what, kind)) STRICT;
CREATE TABLE orders (
    id TEXT PRIMARY KEY,
    outcome BLOB NOT NULL,
    at REAL NOT NULL,
    told INTEGER NOT NULL DEFAULT 0
) STRICT;
"""


# Format 1 numbered reports as they were accepted; what it had offered keeps that number.
_FROM_1 = """
BEGIN;
ALTER TABLE reports ADD COLUMN lane INTEGER NOT NULL DEFAULT 3;
ALTER TABLE reports ADD COLUMN number INTEGER;
UPDATE reports SET number = seq WHERE seq <= (SELECT sent FROM state);
UPDATE reports SET lane = CASE kind WHEN 'incident' THEN 0 WHEN 'gap' THEN 0 WHEN 'asset' THEN 1
    WHEN 'exits' THEN 1 WHEN 'heartbeat' THEN 1 WHEN 'evidence' THEN 2 ELSE 3 END;
CREATE UNIQUE INDEX reports_by_number ON reports (number) WHERE number IS NOT NULL;
CREATE INDEX reports_by_lane ON reports (lane, seq) WHERE number IS NULL;
PRAGMA user_version = 2;
COMMIT;
"""


class OutboxError(RuntimeError):
    """The outbox cannot work; permanent, a person has to look."""


class OutboxFullError(RuntimeError):
    """Nothing was written because the disk is full or fails; retryable, the caller holds what it has."""


class DamagedError(RuntimeError):
    """The file is not what was written."""


def lock(folder: Path) -> int:
    """Take the state folder for this process; return the open lock file.

    Raises:
        OutboxError: another process has it.
    """
    handle = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise OutboxError(f"{folder}: another agent uses this state folder; stop it first") from None
    except OSError:  # a file system without locks
        os.close(handle)
        raise
    return handle


def had_outbox(handle: int) -> bool:
    """Whether a state folder has had an outbox, by its lock file; that of an older agent does not say."""
    return os.pread(handle, len(_USED), 0) == _USED


def has_outbox(handle: int) -> None:
    """Say in the lock file that the folder has an outbox; a full disk leaves it unsaid."""
    if not had_outbox(handle):
        with suppress(OSError):
            os.pwrite(handle, _USED, 0)
            os.fsync(handle)


def create(db: sqlite3.Connection, now: datetime) -> sqlite3.Connection:
    """Make the tables of a new outbox in an empty database and return it."""
    db.executescript(_SCHEMA)
    db.execute("INSERT INTO state (one, epoch) VALUES (1, ?)", [uuid7(now)])
    db.execute(f"PRAGMA user_version = {_FORMAT}")
    return db


def open_or_begin_anew(folder: Path, now: datetime, *, used: bool = False) -> tuple[sqlite3.Connection, str]:
    """Open the outbox of a state folder.

    Args:
        folder: Where it lies.
        now: Begin of its life where there is none.
        used: The folder has had one: after a power cut a file may be there and empty.

    Returns:
        The connection, and the reason why an older file was set aside or is lost (empty: neither).

    Raises:
        OutboxError: the file can't be opened, or a newer agent wrote it.
    """
    path = folder / NAME
    try:
        try:
            lost = _GONE if used and not (path.exists() and path.stat().st_size) else ""
            return _open(path, now), lost
        except DamagedError as error:
            kept = _set_aside(path, now)
            return _open(path, now), f"outbox was damaged ({error}); kept as {kept.name}"
    except sqlite3.Error as error:
        raise OutboxError(f"{path}: {error}; expected a file that this user may read and write") from error


def _open(path: Path, now: datetime) -> sqlite3.Connection:
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=64)
    try:
        _prepare(db, path, now)
    except UnicodeDecodeError as error:  # in a message of SQLite's own, which quotes what it found
        db.close()
        raise DamagedError(str(error)) from None
    except sqlite3.DatabaseError as error:
        db.close()
        if type(error) is sqlite3.DatabaseError:
            raise DamagedError(str(error)) from error
        raise
    except BaseException:
        db.close()
        raise
    return db


def _prepare(db: sqlite3.Connection, path: Path, now: datetime) -> None:
    db.execute("PRAGMA busy_timeout = 2000")
    written = db.execute("PRAGMA user_version").fetchone()[0]
    if written > _FORMAT:
        raise OutboxError(f"{path}: written by a newer agent (format {written}, this one knows {_FORMAT})")
    if not written:
        _begin(db, now)
    elif written == 1:
        db.executescript(_FROM_1)
    db.execute(rests.TABLE)
    db.execute(speaker.TABLE)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("PRAGMA journal_size_limit = 8388608")
    found = db.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        raise DamagedError(found)
    if db.execute("SELECT count(*) FROM state").fetchone()[0] != 1:
        raise DamagedError("its state row is gone")
    try:
        _check_rows(db)
        _rehearse(db, now)
    except (ValueError, RecursionError) as error:
        raise DamagedError(f"a row is not what was written: {error}") from None
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF in _DAMAGE:
            raise DamagedError(str(error)) from None
        raise


def _check_rows(db: sqlite3.Connection) -> None:
    """Read every row as its users will: SQLite's own check knows pages, and not what stands in them.

    Raises:
        ValueError, RecursionError: a row that nobody of us has written.
    """
    for query in _OTHERS:
        for _ in db.execute(query):
            pass
    for body, at, *_ in db.execute("SELECT body, observed_at, id, kind, source, boot_id FROM reports"):
        datetime.fromisoformat(at)
        msgspec.json.decode(body)
    for (outcome,) in db.execute("SELECT outcome FROM orders"):
        msgspec.json.decode(outcome, type=Outcome)


def _rehearse(db: sqlite3.Connection, now: datetime) -> None:
    """Write and take back one of everything: what the triggers say is looked at when they act."""
    db.execute("BEGIN IMMEDIATE")
    try:
        made = uuid7(now)
        row = [made, "gap", "outbox", now.isoformat(), "", 0.0, b"{}", 0.0, 0, 1]
        db.execute(_ONE, row)
        db.execute("UPDATE reports SET size = 2 WHERE id = ?", [made])
        db.execute("DELETE FROM reports WHERE id = ?", [made])
    finally:
        if db.in_transaction:
            db.execute("ROLLBACK")


def _begin(db: sqlite3.Connection, now: datetime) -> None:
    """Make the tables, over the rest of a making that was cut short."""
    db.execute("PRAGMA synchronous = FULL")
    names = [row[0] for row in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    if "reports" in names and db.execute("SELECT 1 FROM reports").fetchone():
        raise DamagedError("it holds reports and no format number")
    for name in names:
        db.execute(f'DROP TABLE "{name}"')
    create(db, now)


def _set_aside(path: Path, now: datetime) -> Path:
    kept = path.with_name(f"outbox-{now:%Y%m%dT%H%M%SZ}.corrupt")
    for part in _PARTS:
        found = path.with_name(path.name + part)
        if found.exists():
            found.rename(kept.with_name(kept.name + part))
    return kept
