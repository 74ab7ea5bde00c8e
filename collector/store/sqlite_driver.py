"""SQLite's connections as `aiosqlite` has them, except that one may be stopped twice.

A connection lives on a thread of its own, and `stop` tells that thread to end by a last entry in its queue.
The library puts another entry behind it when it is stopped once more, and waits for an answer that nobody
gives any more:

    write cancelled at its commit ──> SQLAlchemy closes the connection: close ... stop, wait
    cancelled again meanwhile     ──> SQLAlchemy stops it at once:      stop          the thread ends here
                                      and the close goes on:            stop, wait    for ever

So a collector that was told to stop, and told again, left tasks behind that never ended. Here every stop has
the answer of the first.
"""

import asyncio
import sqlite3
from typing import Any

import aiosqlite


class Connection(aiosqlite.Connection):
    """A connection that is stopped once, however often it is asked to."""

    _stopped: asyncio.Future[Any] | None = None

    def stop(self) -> asyncio.Future[Any] | None:
        """Let the thread end behind what it has to do; return what is done when it has."""
        if self._stopped is None:
            self._stopped = super().stop()
        return self._stopped


def connection_to(database: str, **options: Any) -> Connection:  # noqa: ANN401 - as sqlite3 takes them
    """Return a connection that opens when it is awaited; SQLAlchemy's `async_creator_fn`."""
    made = Connection(lambda: sqlite3.connect(database, **options), iter_chunk_size=64)
    made._thread.daemon = True  # noqa: SLF001 - as SQLAlchemy does with a connection of its own making
    return made
