"""The event log as one SQLite file, and back; PostgreSQL is read and filled as `store.copying` does it."""

import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy.engine import make_url

from ..errors import RetryableError
from .postgres import SCHEMA
from .sqlite_rows import EPOCH, MICROSECOND, Writer, connect

_PREFETCH = 50
_SESSION = ("node", "epoch", "highest", "highest_id", "previous")
_BATCH = ("position", "node", "epoch", "floor", "last", "count", "received_at", "stored")
_SECONDS = 30
Allow = Callable[[bool, int], None]
"""Told whether a database holds records, and how many collectors' connections it has; raises to refuse."""

Tell = Callable[[int, int], None]
"""Told how many batches are done, and how many there are."""


async def copy_out(url: str, target: Path, tell: Tell) -> None:
    """Copy an event log on PostgreSQL, as it stands at one moment, into a new SQLite file.

    Raises:
        RetryableError: It cannot be read.
    """
    with closing(connect(target)) as db:
        Writer(db)  # makes the tables
        async with _transaction(url, isolation="repeatable_read", readonly=True) as source:
            db.execute("BEGIN")
            total = await source.fetchval("SELECT count(*) FROM batch")
            columns = ", ".join(_SESSION)
            async for row in source.cursor(f"SELECT {columns} FROM session", prefetch=1000):  # noqa: S608 - our own names
                db.execute("INSERT INTO session VALUES (?, ?, ?, ?, ?)", tuple(row))
            columns, done = ", ".join(_BATCH), 0
            query = f"SELECT {columns} FROM batch ORDER BY position"  # noqa: S608 - our own names
            async for row in source.cursor(query, prefetch=_PREFETCH):
                *before, received_at, stored = row
                stamp = (received_at - EPOCH) // MICROSECOND
                db.execute("INSERT INTO batch VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (*before, stamp, stored))
                done += 1
                tell(done, total)
            db.execute("COMMIT")


async def look(url: str, allow: Allow) -> None:
    """Let `allow` judge an event log's database on PostgreSQL by what it holds and who is connected.

    Raises:
        RetryableError: It cannot be read.
    """
    async with _transaction(url) as connection:
        await _look(connection, allow)


async def copy_in(source: Path, url: str, allow: Allow, tell: Tell) -> None:
    """Copy an SQLite event log into a PostgreSQL database, whole or not at all.

    Args:
        source: Made by `copy_out`, or an SQLite event log.
        url: Where to.
        allow: Judges what is there; where it raises not, that is let go of.
        tell: Told how far it is.

    Raises:
        RetryableError: It cannot be written.
    """
    with closing(_unchanging(source)) as db:
        async with _transaction(url) as into:
            await _look(into, allow)
            await into.execute("DROP TABLE IF EXISTS batch, session")
            await into.execute(SCHEMA)
            sessions = db.execute(f"SELECT {', '.join(_SESSION)} FROM session")  # noqa: S608 - our own names
            await into.copy_records_to_table("session", records=sessions, columns=_SESSION)
            await into.copy_records_to_table("batch", records=_batches(db, tell), columns=_BATCH)
            await into.execute(
                "SELECT setval(pg_get_serial_sequence('batch', 'position'), max(position))"
                " FROM batch HAVING max(position) IS NOT NULL"
            )


def _unchanging(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)


def _batches(db: sqlite3.Connection, tell: Tell) -> Iterator[tuple[Any, ...]]:
    total = db.execute("SELECT count(*) FROM batch").fetchone()[0]
    query = f"SELECT {', '.join(_BATCH)} FROM batch ORDER BY position"  # noqa: S608 - our own names
    for done, (*before, stamp, stored) in enumerate(db.execute(query), 1):
        yield (*before, EPOCH + stamp * MICROSECOND, stored)
        tell(done, total)


async def _look(connection: "asyncpg.Connection", allow: Allow) -> None:
    connections = await connection.fetchval(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND application_name LIKE 'fengsui%' AND pid <> pg_backend_pid()"
    )
    there = await connection.fetchval("SELECT to_regclass('session') IS NOT NULL")
    allow(there and await connection.fetchval("SELECT EXISTS (SELECT 1 FROM session)"), connections)


@asynccontextmanager
async def _transaction(url: str, **options: Any) -> "AsyncIterator[asyncpg.Connection]":  # noqa: ANN401 - asyncpg's own
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    try:
        limits = {"lock_timeout": f"{_SECONDS}s"}
        connection = await asyncpg.connect(plain, timeout=_SECONDS, server_settings=limits)
        try:
            async with connection.transaction(**options):
                yield connection
        finally:
            await connection.close(timeout=_SECONDS)
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        raise RetryableError(f"PostgreSQL: {error}") from error
