"""Named steps of a report's way, at which a process kills itself: SIGKILL, as from outside.

    collect -> spool -> send -> commit -> ack -> trim

Nothing of this is in the product. A child process, before it does its work, has functions of the product and
SQLite's connection replaced by ones that come past a step's name; at the n-th time it is over.
"""

import os
import signal
import sqlite3
from collections.abc import Callable
from typing import Any

from aiohttp.client_reqrep import ClientRequest

from agent.outbox import Ledger, Outbox
from agent.transport import Transport
from collector.eventlog import sqlite_rows
from collector.eventlog.sqlite import SqliteLog
from collector.ingest.receive import Receiver
from collector.store import cursors

NODE_STEPS = (
    "collect: seen, not yet handed over",
    "spool: written, not committed",
    "spool: committed, not yet said",
    "send: numbered, not committed",
    "send: committed, before the bytes leave",
    "send: the bytes have left, no answer yet",
    "ack: arrived, not applied",
    "ack: applied, not committed",
    "trim: committed",
)
COLLECTOR_STEPS = (
    "receive: read, not stored",
    "commit: written, not committed",
    "commit: committed, no answer yet",
    "ack: judged, not sent",
    "pipeline: written, not committed",
    "pipeline: committed",
    "log trim: not begun",
    "log trim: done",
)
_IN_OUTBOX = {
    "accept": ("spool: written, not committed", "spool: committed, not yet said"),
    "peek": ("send: numbered, not committed", "send: committed, before the bytes leave"),
    "acknowledge": ("ack: applied, not committed", "trim: committed"),
}
_IN_LOG = ("commit: written, not committed", "commit: committed, no answer yet")
_IN_STATE = ("pipeline: written, not committed", "pipeline: committed")


class Way:
    """Counts how often a step was come by, and ends the process at the time given."""

    def __init__(self, step: str, times: int) -> None:
        self._step = step
        self._left = times
        self.committing: set[tuple[str, str]] = set()
        self.moving: set[tuple[str, str]] = set()

    def past(self, step: str) -> None:
        if step == self._step:
            self._left -= 1
            if self._left <= 0:
                os.kill(os.getpid(), signal.SIGKILL)


def arm(step: str, times: int) -> None:
    """Let this process die as it comes by `step` for the `times`-th time."""
    way = Way(step, times)
    _watch_commits(way)
    for name, steps in _IN_OUTBOX.items():
        _when_called(Ledger, name, lambda steps=steps: way.committing.add(steps))
    _when_called(sqlite_rows.Writer, "_judge", lambda: way.committing.add(_IN_LOG))
    _when_called(cursors, "move_cursor", lambda: way.moving.add(_IN_STATE))
    _when_called(Outbox, "accept", lambda: way.past("collect: seen, not yet handed over"))
    _when_done(ClientRequest, "write_bytes", lambda: way.past("send: the bytes have left, no answer yet"))
    _when_done(Transport, "_ask", lambda: way.past("ack: arrived, not applied"))
    _when_called(SqliteLog, "append", lambda: way.past("receive: read, not stored"))
    _when_done(Receiver, "take", lambda: way.past("ack: judged, not sent"))
    _watch_trims(way)


def _watch_commits(way: Way) -> None:
    """Come by the steps around a COMMIT whose transaction did what they are about."""

    class Connection(sqlite3.Connection):
        def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:  # noqa: ANN401 - as SQLite has it
            if sql != "COMMIT":
                return super().execute(sql, *values)
            done: sqlite3.Cursor = _around(way, way.committing, lambda: super(Connection, self).execute(sql))
            return done

        def commit(self) -> None:
            _around(way, way.moving, super().commit)

    real = sqlite3.connect
    sqlite3.connect = lambda *args, **options: real(*args, **options, factory=Connection)  # type: ignore[assignment]


def _around(way: Way, names: set[tuple[str, str]], work: Callable[[], Any]) -> Any:  # noqa: ANN401 - what `work` gives
    begun = list(names)
    names.clear()
    for before, _ in begun:
        way.past(before)
    done = work()
    for _, after in begun:
        way.past(after)
    return done


def _watch_trims(way: Way) -> None:
    trim = sqlite_rows.trim

    def trimmed(*args: Any) -> int:  # noqa: ANN401 - as the product has it
        db, up_to, _ = args
        old = (
            "SELECT count(*) FROM batch WHERE position <= ? AND position < (SELECT max(position) FROM batch)"
        )
        if db.execute(old, [up_to]).fetchone()[0]:
            way.past("log trim: not begun")
        dropped = trim(*args)
        if dropped:
            way.past("log trim: done")
        return dropped

    sqlite_rows.trim = trimmed


def _when_called(owner: Any, name: str, note: Callable[[], None]) -> None:  # noqa: ANN401 - a class or a module
    real = getattr(owner, name)

    def passing(*args: Any, **options: Any) -> Any:  # noqa: ANN401 - whatever the product gives
        note()
        return real(*args, **options)

    setattr(owner, name, passing)


def _when_done(owner: Any, name: str, note: Callable[[], None]) -> None:  # noqa: ANN401 - a class
    real = getattr(owner, name)

    async def passing(*args: Any, **options: Any) -> Any:  # noqa: ANN401 - whatever the product gives
        done = await real(*args, **options)
        note()
        return done

    setattr(owner, name, passing)
