"""The event log in one SQLite file, for a collector on one machine.

One thread owns the writing connection. It takes all appends that are waiting, judges and stores them in one
transaction with one `fsync`, and answers them together: the busier the collector, the larger the groups.

    requests   a  b    c d e        f g h i
    writer     [a] ----[b c d e] ---[f g h i]
                fsync     fsync        fsync

It makes few and large SQLite calls, for each gives up the interpreter lock and has to win it back from the
event loop. Readers have a connection and a thread of their own; WAL lets them read while a group is written.
"""

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import chain
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple, TypeVar

from wire.session import DisorderError, Held, Refuse, Repeat, Slice, Take, receive

from ..errors import RetryableError
from .port import Entry, Extent, StorageFullError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_GROUP_APPENDS = 512
_GROUP_BYTES = 8 * 1024 * 1024
_ROWS_A_STATEMENT = 64
_TRIM_SLICE = 500
_SESSIONS_REMEMBERED = 50_000
_BUSY_SECONDS = 5
_FULL = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE)

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
Result = TypeVar("Result")
Key = tuple[str, str]


class _Append(NamedTuple):
    node: str
    epoch: str
    batch: Slice
    body: bytes
    received_at: int
    answer: "asyncio.Future[Answer]"


class _Errand(NamedTuple):
    """Anything else that needs the writing connection."""

    work: Callable[[sqlite3.Connection], Any]
    answer: "asyncio.Future[Any]"


class SqliteLog:
    """An `EventLog`; made by `open`, used from one event loop."""

    def __init__(self, path: Path, loop: asyncio.AbstractEventLoop) -> None:
        self._path = path
        self._loop = loop
        self._queue: SimpleQueue[_Append | _Errand | None] = SimpleQueue()
        self._waiters: set[asyncio.Future[None]] = set()
        self._closed = False
        self._writing = _Writer(_connect(path))
        self._newest = self._writing.newest
        self._reading = _connect(path)
        self._readers = ThreadPoolExecutor(1, "eventlog-read")
        self._thread = threading.Thread(target=self._write, name="eventlog-write", daemon=True)
        self._thread.start()

    @classmethod
    async def open(cls, path: Path) -> "SqliteLog":
        """Open the log, making the file (0600) where there is none.

        Raises:
            RetryableError: the file is locked by another writer, damaged or not writable.
        """
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(None, cls, path, loop)
        except sqlite3.Error as error:
            raise _typed(error, path) from error

    async def append(self, node: str, epoch: str, batch: Slice, body: bytes, received_at: datetime) -> Answer:
        """See `EventLog.append`."""
        answer: asyncio.Future[Answer] = self._loop.create_future()
        stamp = (received_at - _EPOCH) // _MICROSECOND
        self._put(_Append(node, epoch, batch, body, stamp, answer))
        return await answer

    async def held(self, node: str, epoch: str) -> Held:
        """See `EventLog.held`."""
        return await self._read(lambda: _held(self._reading, node, epoch))

    async def read(self, after: int, limit_rows: int, limit_bytes: int) -> list[Entry]:
        """See `EventLog.read`."""
        return await self._read(lambda: _entries(self._reading, after, limit_rows, limit_bytes))

    async def wait_for(self, after: int) -> None:
        """See `EventLog.wait_for`."""
        while self._newest <= after:
            self._check_open()
            waiter: asyncio.Future[None] = self._loop.create_future()
            self._waiters.add(waiter)
            try:
                await waiter
            finally:
                self._waiters.discard(waiter)

    async def trim(self, up_to: int, older_than: datetime) -> int:
        """See `EventLog.trim`."""
        before = (older_than - _EPOCH) // _MICROSECOND
        dropped = 0
        while some := await self._errand(lambda db: _trim(db, up_to, before)):
            dropped += some
        return dropped

    async def extent(self) -> Extent:
        """See `EventLog.extent`."""
        return await self._read(lambda: _extent(self._reading))

    async def close(self) -> None:
        """See `EventLog.close`."""
        if self._closed:
            return
        self._closed = True
        self._queue.put(None)
        await self._loop.run_in_executor(None, self._thread.join)
        self._readers.shutdown()
        self._reading.close()
        self._wake()

    async def _errand(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        answer: asyncio.Future[Result] = self._loop.create_future()
        self._put(_Errand(work, answer))
        return await answer

    async def _read(self, work: Callable[[], Result]) -> Result:
        self._check_open()
        try:
            return await self._loop.run_in_executor(self._readers, work)
        except sqlite3.Error as error:
            raise _typed(error, self._path) from error

    def _check_open(self) -> None:
        if self._closed:
            raise RetryableError(f"{self._path}: the event log is closed")

    def _put(self, job: _Append | _Errand) -> None:
        self._check_open()
        self._queue.put(job)

    def _write(self) -> None:
        """Thread: serve the queue until the mark that ends it."""
        ending = False
        while not ending:
            group: list[_Append] = []
            errand, ending = _take(self._queue, group)
            if group:
                self._answer(group, self._store(group))
            if errand is not None:
                self._answer([errand], [self._do(errand)])
        self._writing.db.close()

    def _store(self, group: list[_Append]) -> list[Answer | Exception]:
        try:
            return self._writing.store(group)
        except sqlite3.Error as error:
            return [_typed(error, self._path)] * len(group)
        except Exception as error:  # noqa: BLE001 - the thread's edge: the callers are told, it lives on
            return [error] * len(group)

    def _do(self, errand: _Errand) -> object:
        try:
            return errand.work(self._writing.db)
        except sqlite3.Error as error:
            return _typed(error, self._path)
        except Exception as error:  # noqa: BLE001 - as above
            return error

    def _answer(self, jobs: "Sequence[_Append | _Errand]", results: Iterable[object]) -> None:
        self._loop.call_soon_threadsafe(self._settle, jobs, results, self._writing.newest)

    def _settle(self, jobs: "Sequence[_Append | _Errand]", results: Iterable[object], newest: int) -> None:
        for job, result in zip(jobs, results, strict=True):
            answer: asyncio.Future[Any] = job.answer
            if answer.done():
                continue
            if isinstance(result, Exception):
                answer.set_exception(result)
            else:
                answer.set_result(result)
        if newest > self._newest:
            self._newest = newest
            self._wake()

    def _wake(self) -> None:
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)


class _Writer:
    """The writing connection with what it remembers of sessions and positions."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self.db = db
        db.executescript(_SCHEMA)
        self.newest = _newest(db)
        self._seen: dict[Key, Held] = {}
        self._version = _scalar(db, "PRAGMA data_version")

    def store(self, group: list[_Append]) -> list[Answer | Exception]:
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
        self, group: list[_Append], before: dict[Key, Held], after: dict[Key, Held]
    ) -> tuple[list[Answer | Exception], list[tuple[Any, ...]]]:
        answers: list[Answer | Exception] = []
        rows: list[tuple[Any, ...]] = []
        position = self.newest
        for node, epoch, batch, body, stamp, _ in group:
            key = (node, epoch)
            held = after.get(key) or self._seen.get(key) or _held(self.db, node, epoch)
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


def _take(
    queue: "SimpleQueue[_Append | _Errand | None]", group: list[_Append]
) -> tuple[_Errand | None, bool]:
    """Wait for a job, then take what else is waiting, up to the first errand or the bounds of a group."""
    job = queue.get()
    size = 0
    while isinstance(job, _Append):
        group.append(job)
        size += len(job.body)
        if len(group) >= _GROUP_APPENDS or size >= _GROUP_BYTES:
            return None, False
        try:
            job = queue.get_nowait()
        except Empty:
            return None, False
    return job, job is None


def _connect(path: Path) -> sqlite3.Connection:
    with suppress(FileExistsError):
        path.touch(mode=0o600, exist_ok=False)
    db = sqlite3.connect(
        path,
        timeout=_BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=4 * _ROWS_A_STATEMENT,
    )
    for pragma in _PRAGMAS:
        db.execute(pragma)
    return db


def _typed(error: sqlite3.Error, path: Path) -> RetryableError:
    """Say what a database error means for the sender: all of them are worth another try later."""
    code = getattr(error, "sqlite_errorcode", None)
    if code in _FULL:
        return StorageFullError(f"{path}: the disk is full ({error}); make room, senders hold what they have")
    return RetryableError(f"{path}: {error}")


def _scalar(db: sqlite3.Connection, sql: str) -> int:
    return int(db.execute(sql).fetchone()[0])


def _newest(db: sqlite3.Connection) -> int:
    return _scalar(db, "SELECT coalesce(max(position), 0) FROM batch")


def _held(db: sqlite3.Connection, node: str, epoch: str) -> Held:
    sql = "SELECT highest, highest_id FROM session WHERE node = ? AND epoch = ?"
    row = db.execute(sql, (node, epoch)).fetchone()
    return Held(*row) if row else Held()


def _entries(db: sqlite3.Connection, after: int, limit_rows: int, limit_bytes: int) -> list[Entry]:
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
                received_at=_EPOCH + stamp * _MICROSECOND,
                stored=stored,
            )
        )
    cursor.close()
    return entries


def _trim(db: sqlite3.Connection, up_to: int, before: int) -> int:
    """Drop one slice of the oldest entries; short transactions keep the appends between them quick."""
    sql = """SELECT position, received_at FROM batch
      WHERE position <= ? AND position < (SELECT max(position) FROM batch) ORDER BY position LIMIT ?"""
    cut = 0
    for position, stamp in db.execute(sql, (up_to, _TRIM_SLICE)).fetchall():
        if stamp >= before:
            break
        cut = position
    return db.execute("DELETE FROM batch WHERE position <= ?", (cut,)).rowcount if cut else 0


def _extent(db: sqlite3.Connection) -> Extent:
    first, last = _scalar(db, "SELECT coalesce(min(position), 0) FROM batch"), _newest(db)
    pages = _scalar(db, "PRAGMA page_count") - _scalar(db, "PRAGMA freelist_count")
    return Extent(first=first, last=last, bytes=pages * _scalar(db, "PRAGMA page_size"))
