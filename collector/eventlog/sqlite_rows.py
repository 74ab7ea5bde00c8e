"""The rows of the event log in SQLite: what one thread does with one connection.

Sessions are remembered, so that an append seldom has to read; whoever else writes to the file is noticed by
`PRAGMA data_version`, and then all is read anew.
"""

import sqlite3
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from wire.session import DisorderError, Held, Refuse, Repeat, Slice, Take, receive

from .port import Entry, Extent

if TYPE_CHECKING:
    import asyncio

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
_ROWS_A_STATEMENT = 64
_TRIM_SLICE = 500
_SESSIONS_REMEMBERED = 50_000
BUSY_SECONDS = 5

_SCHEMA = """
CREATE TABLE IF NOT EXISTS session (
  node TEXT NOT NULL, epoch TEXT NOT NULL,
  highest INTEGER NOT NULL, highest_id TEXT NOT NULL, previous INTEGER NOT NULL,
  PRIMARY KEY (node, epoch)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS batch (
  position INTEGER PRIMARY KEY, node TEXT NOT NULL, epoch TEXT NOT NULL,
  floor INTEGER NOT NULL, last INTEGER NOT NULL, count INTEGER NOT NULL,
  received_at INTEGER NOT NULL, stored BLOB NOT NULL
);
"""
_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA wal_autocheckpoint = 4000",
    "PRAGMA journal_size_limit = 67108864",
)

Answer = Take | Repeat | Refuse
Key = tuple[str, str]


class Append(NamedTuple):
    """A batch that waits to be judged, and the future that is to have its answer."""

    node: str
    epoch: str
    batch: Slice
    body: bytes
    received_at: int
    answer: "asyncio.Future[Answer]"


class Writer:
    """The writing connection with what it remembers of sessions and positions."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self.db = db
        db.executescript(_SCHEMA)
        self.newest = _newest(db)
        self._seen: dict[Key, Held] = {}
        self._version = _scalar(db, "PRAGMA data_version")

    def store(self, group: list[Append]) -> list[Answer | Exception]:
        """Judge and store all appends in one transaction; all or none of them are stored."""
        self.db.execute("BEGIN IMMEDIATE")
        try:
            self._notice_others()
            before: dict[Key, Held] = {}
            after: dict[Key, Held] = {}
            answers, rows = self._judge(group, before, after)
            if rows:
                _insert(self.db, _BATCH_SQL, rows)
                _advance(self.db, before, after)
            self.db.execute("COMMIT")
        except BaseException:
            self._seen.clear()
            if self.db.in_transaction:
                self.db.execute("ROLLBACK")
            raise
        self._remember(after)
        if rows:
            self.newest = rows[-1][0]
        return answers

    def _notice_others(self) -> None:
        """Forget what is remembered if another process has written to the file."""
        version = _scalar(self.db, "PRAGMA data_version")
        if version != self._version:
            self._version = version
            self._seen.clear()
            self.newest = _newest(self.db)

    def _judge(
        self, group: list[Append], before: dict[Key, Held], after: dict[Key, Held]
    ) -> tuple[list[Answer | Exception], list[tuple[Any, ...]]]:
        answers: list[Answer | Exception] = []
        rows: list[tuple[Any, ...]] = []
        position = self.newest
        for node, epoch, batch, body, stamp, _ in group:
            key = (node, epoch)
            held = after.get(key) or self._seen.get(key) or held_of(self.db, node, epoch)
            try:
                answer = receive(held, batch)
            except DisorderError as error:
                answers.append(error)
                continue
            answers.append(answer)
            if isinstance(answer, Take):
                position += 1
                last = answer.held.highest
                rows.append((position, node, epoch, held.highest, last, answer.fresh, stamp, body))
                before.setdefault(key, held)
                after[key] = answer.held
        return answers, rows

    def _remember(self, after: dict[Key, Held]) -> None:
        if len(self._seen) > _SESSIONS_REMEMBERED:
            self._seen.clear()
        self._seen.update(after)


_BATCH_SQL = "INSERT INTO batch VALUES {rows}"
_SESSION_SQL = """INSERT INTO session (node, epoch, highest, highest_id, previous) VALUES {rows}
  ON CONFLICT DO UPDATE SET highest = excluded.highest, highest_id = excluded.highest_id,
  previous = excluded.previous WHERE session.highest = excluded.previous"""


@lru_cache(maxsize=4 * _ROWS_A_STATEMENT)
def _statement(sql: str, rows: int, columns: int) -> str:
    row = "(" + ",".join("?" * columns) + ")"
    return sql.format(rows=",".join([row] * rows))


def _insert(db: sqlite3.Connection, sql: str, rows: list[tuple[Any, ...]]) -> int:
    """Insert in as few statements as there can be; return how many rows were written."""
    written = 0
    for start in range(0, len(rows), _ROWS_A_STATEMENT):
        some = rows[start : start + _ROWS_A_STATEMENT]
        statement = _statement(sql, len(some), len(some[0]))
        written += db.execute(statement, tuple(chain.from_iterable(some))).rowcount
    return written


def _advance(db: sqlite3.Connection, before: dict[Key, Held], after: dict[Key, Held]) -> None:
    """Move the session rows by compare-and-set."""
    rows = [(*key, held.highest, held.highest_id, before[key].highest) for key, held in after.items()]
    moved = _insert(db, _SESSION_SQL, rows)
    if moved != len(rows):
        raise sqlite3.OperationalError(f"{len(rows) - moved} session rows moved under a held write lock")


def connect(path: Path) -> sqlite3.Connection:
    """Open the file, making it (0600) where there is none; every commit is followed by an fsync."""
    with suppress(FileExistsError):
        path.touch(mode=0o600, exist_ok=False)
    db = sqlite3.connect(
        path,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=4 * _ROWS_A_STATEMENT,
    )
    for pragma in _PRAGMAS:
        db.execute(pragma)
    return db


def _scalar(db: sqlite3.Connection, sql: str) -> int:
    return int(db.execute(sql).fetchone()[0])


def _newest(db: sqlite3.Connection) -> int:
    return _scalar(db, "SELECT coalesce(max(position), 0) FROM batch")


def held_of(db: sqlite3.Connection, node: str, epoch: str) -> Held:
    """Return what is held of a session."""
    sql = "SELECT highest, highest_id FROM session WHERE node = ? AND epoch = ?"
    row = db.execute(sql, (node, epoch)).fetchone()
    return Held(*row) if row else Held()


def entries(db: sqlite3.Connection, after: int, limit_rows: int, limit_bytes: int) -> list[Entry]:
    """Return the entries above a position, within limits of which the first entry is free."""
    sql = "SELECT * FROM batch WHERE position > ? ORDER BY position LIMIT ?"
    entries: list[Entry] = []
    size = 0
    cursor = db.execute(sql, (after, limit_rows))
    for position, node, epoch, floor, last, count, stamp, stored in cursor:
        size += len(stored)
        if entries and size > limit_bytes:
            break
        entries.append(
            Entry(
                position=position,
                node=node,
                epoch=epoch,
                floor=floor,
                last=last,
                count=count,
                received_at=EPOCH + stamp * MICROSECOND,
                stored=stored,
            )
        )
    cursor.close()
    return entries


def trim(db: sqlite3.Connection, up_to: int, before: int) -> int:
    """Drop one slice of the oldest entries; short transactions keep the appends between them quick."""
    sql = """SELECT position, received_at FROM batch
      WHERE position <= ? AND position < (SELECT max(position) FROM batch) ORDER BY position LIMIT ?"""
    cut = 0
    for position, stamp in db.execute(sql, (up_to, _TRIM_SLICE)).fetchall():
        if stamp >= before:
            break
        cut = position
    return db.execute("DELETE FROM batch WHERE position <= ?", (cut,)).rowcount if cut else 0


def extent(db: sqlite3.Connection) -> Extent:
    """Return the outermost positions and the bytes of pages in use."""
    first, last = _scalar(db, "SELECT coalesce(min(position), 0) FROM batch"), _newest(db)
    pages = _scalar(db, "PRAGMA page_count") - _scalar(db, "PRAGMA freelist_count")
    return Extent(first=first, last=last, bytes=pages * _scalar(db, "PRAGMA page_size"))
