"""One thread that owns the file: what waits while it syncs shares the next transaction.

    callers   a    b c    d e f
    thread    [a]--sync-- [b c]--sync-- [d e f]--sync--

Where one piece of work fails, its transaction is rolled back and each of the others is done alone.
"""

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from .file import OutboxError, OutboxFullError

Result = TypeVar("Result")
_MOST_TOGETHER = 500
# What a later try may find better: a full or failing disk, a lock held by a backup, no memory.
_PASSING = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_NOMEM}


class _Job(NamedTuple):
    work: Callable[[], Any]
    done: "asyncio.Future[Any]"
    loop: asyncio.AbstractEventLoop


class Worker:
    """Runs pieces of work in transactions on one connection."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._serve, name="outbox", daemon=True)
        self._thread.start()

    async def do(self, work: Callable[[], Result]) -> Result:
        """Return what `work` returns, once its transaction is on disk.

        Raises:
            OutboxFullError: nothing was written, a later try may succeed.
            OutboxError: the file can't be worked with.
        """
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Result] = loop.create_future()
        self._jobs.put(_Job(work, done, loop))
        return await done

    def close(self) -> None:
        """Finish what was asked for and close the file."""
        self._jobs.put(None)
        self._thread.join()
        self._db.close()

    def _serve(self) -> None:
        while (first := self._jobs.get()) is not None:
            jobs = [first]
            last = False
            while len(jobs) < _MOST_TOGETHER and not self._jobs.empty():
                job = self._jobs.get()
                if job is None:
                    last = True
                    break
                jobs.append(job)
            self._together(jobs)
            if last:
                return

    def _together(self, jobs: list[_Job]) -> None:
        try:
            results = self._commit(jobs)
        except Exception as error:  # noqa: BLE001 - handed to whoever asked
            if len(jobs) > 1:
                for job in jobs:
                    self._together([job])
            else:
                _answer(jobs[0], None, _told(error))
            return
        for job, result in zip(jobs, results, strict=True):
            _answer(job, result, None)

    def _commit(self, jobs: list[_Job]) -> list[Any]:
        try:
            self._db.execute("BEGIN IMMEDIATE")
            results = [job.work() for job in jobs]
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise
        return results


def _told(error: Exception) -> Exception:
    if not isinstance(error, sqlite3.Error):
        return error
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in _PASSING:
        return OutboxFullError(f"outbox: {error}; free some disk, nothing was lost")
    return OutboxError(f"outbox: {error}; restart the agent, a damaged file is set aside at start")


def _answer(job: _Job, result: object, error: Exception | None) -> None:
    def settle() -> None:
        if job.done.done():
            return
        if error is None:
            job.done.set_result(result)
        else:
            job.done.set_exception(error)

    try:
        job.loop.call_soon_threadsafe(settle)
    except RuntimeError:
        return  # the loop is closed: nobody waits any more
