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
from datetime import datetime
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple, TypeVar

from wire.session import Held, Refuse, Repeat, Slice, Take

from ..errors import RetryableError
from . import sqlite_rows as rows
from .port import Entry, Extent, StorageFullError

_GROUP_APPENDS = 512
_GROUP_BYTES = 8 * 1024 * 1024
_FULL = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE)

Answer = Take | Repeat | Refuse
Result = TypeVar("Result")


class _Errand(NamedTuple):
    """Anything else that needs the writing connection."""

    work: Callable[[sqlite3.Connection], Any]
    answer: "asyncio.Future[Any]"


Jobs = Sequence[rows.Append | _Errand]


class SqliteLog:
    """An `EventLog`; made by `open`, used from one event loop."""

    def __init__(self, path: Path, loop: asyncio.AbstractEventLoop) -> None:
        self._path = path
        self._loop = loop
        self._queue: SimpleQueue[rows.Append | _Errand | None] = SimpleQueue()
        self._waiters: set[asyncio.Future[None]] = set()
        self._closed = False
        self._writing = rows.Writer(rows.connect(path))
        self._newest = self._writing.newest
        self._reading = rows.connect(path)
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
        stamp = (received_at - rows.EPOCH) // rows.MICROSECOND
        self._put(rows.Append(node, epoch, batch, body, stamp, answer))
        return await answer

    async def held(self, node: str, epoch: str) -> Held:
        """See `EventLog.held`."""
        return await self._read(lambda: rows.held_of(self._reading, node, epoch))

    async def read(self, after: int, limit_rows: int, limit_bytes: int) -> list[Entry]:
        """See `EventLog.read`."""
        return await self._read(lambda: rows.entries(self._reading, after, limit_rows, limit_bytes))

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
        before = (older_than - rows.EPOCH) // rows.MICROSECOND
        dropped = 0
        while some := await self._errand(lambda db: rows.trim(db, up_to, before)):
            dropped += some
        return dropped

    async def extent(self) -> Extent:
        """See `EventLog.extent`."""
        return await self._read(lambda: rows.extent(self._reading))

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

    def _put(self, job: rows.Append | _Errand) -> None:
        self._check_open()
        self._queue.put(job)

    def _write(self) -> None:
        """Thread: serve the queue until the mark that ends it."""
        ending = False
        while not ending:
            group: list[rows.Append] = []
            errand, ending = _take(self._queue, group)
            if group:
                self._answer(group, self._store(group))
            if errand is not None:
                self._answer([errand], [self._do(errand)])
        self._writing.db.close()

    def _store(self, group: list[rows.Append]) -> list[Answer | Exception]:
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

    def _answer(self, jobs: "Jobs", results: Iterable[object]) -> None:
        self._loop.call_soon_threadsafe(self._settle, jobs, results, self._writing.newest)

    def _settle(self, jobs: "Jobs", results: Iterable[object], newest: int) -> None:
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


def _take(
    queue: "SimpleQueue[rows.Append | _Errand | None]", group: list[rows.Append]
) -> tuple[_Errand | None, bool]:
    """Wait for a job, then take what else is waiting, up to the first errand or the bounds of a group."""
    job = queue.get()
    size = 0
    while isinstance(job, rows.Append):
        group.append(job)
        size += len(job.body)
        if len(group) >= _GROUP_APPENDS or size >= _GROUP_BYTES:
            return None, False
        try:
            job = queue.get_nowait()
        except Empty:
            return None, False
    return job, job is None


def _typed(error: sqlite3.Error, path: Path) -> RetryableError:
    """Say what a database error means for the sender: all of them are worth another try later."""
    code = getattr(error, "sqlite_errorcode", None)
    if code in _FULL:
        return StorageFullError(f"{path}: the disk is full ({error}); make room, senders hold what they have")
    return RetryableError(f"{path}: {error}")
