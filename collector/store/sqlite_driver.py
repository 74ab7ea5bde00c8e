"""SQLite's connections as `aiosqlite` has them, except that one may be stopped twice.

A connection lives on a thread of its own, and `stop` tells that thread to end by a last entry in its queue.
The library puts another entry behind it when it is stopped once more, and waits for an answer that nobody
gives any more:

    write cancelled at its commit ──> SQLAlchemy closes the connection: close ... stop, wait
    cancelled again meanwhile     ──> SQLAlchemy stops it at once:      stop          the thread ends here
                                      and the close goes on:            stop, wait    for ever

So a collector that was told to stop, and told again, left tasks behind that never ended. Here every stop has
the answer of the first.

And SQLite keeps a connection that is closed while a statement of it is not at its end, with its locks, until
nobody holds the statement any more. Who is cancelled in the middle of a write, as by a sender that hangs up,
leaves one: no other write would ever come through. Here a transaction is undone before its connection ends.
"""

import asyncio
import sqlite3
from contextlib import suppress
from typing import Any

import aiosqlite


class Connection(aiosqlite.Connection):
    """A connection that is stopped once, however often it is asked to, and leaves no transaction behind."""

    _stopped: asyncio.Future[Any] | None = None

    def stop(self) -> asyncio.Future[Any] | None:
        """Let the thread end behind what it has to do; return what is done when it has."""
        if self._stopped is None:
            self._tx.put_nowait((None, self._roll_back))
            self._stopped = super().stop()
        return self._stopped

    async def close(self) -> None:
        """Close it behind what was asked of it."""
        if self._connection is not None and self._stopped is None:
            self._tx.put_nowait((None, self._roll_back))
        await super().close()

    def _roll_back(self) -> None:
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.rollback()


def connection_to(database: str, **options: Any) -> Connection:  # noqa: ANN401 - as sqlite3 takes them
    """Return a connection that opens when it is awaited; SQLAlchemy's `async_creator_fn`."""
    made = Connection(lambda: sqlite3.connect(database, **options), iter_chunk_size=64)
    made._thread.daemon = True  # noqa: SLF001 - as SQLAlchemy does with a connection of its own making
    return made
