"""What SQLite and PostgreSQL are each told before the first statement, and which of their errors pass."""

import contextlib
import sqlite3
from typing import Any

import msgspec
from sqlalchemy import Connection, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from .sqlite_driver import connection_to

BUSY_TIMEOUT_SECONDS = 20
WRITES = "fengsui_writes"  # execution option: this connection's transaction writes

_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}
_SQLITE_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA cache_size=-16384",
    f"PRAGMA busy_timeout={BUSY_TIMEOUT_SECONDS * 1000}",
)
_SQLITE_PASSING = {5: "busy", 6: "locked", 10: "disk error", 13: "disk full", 14: "cannot open", 15: "busy"}
_POSTGRES_PASSING = {
    "08000": "connection lost",
    "08001": "connection refused",
    "08003": "connection lost",
    "08006": "connection lost",
    "40001": "serialisation failure",
    "40P01": "deadlock",
    "53100": "disk full",
    "53300": "too many connections",
    "55P03": "lock timeout",
    "57P01": "server shutting down",
    "57P03": "server starting",
}


def make_engine(url: str) -> AsyncEngine:
    """Return an engine whose transactions are durable at commit and begin as `begin` says."""
    parsed = make_url(url)
    backend = parsed.get_backend_name()
    parsed = parsed.set(drivername=_DRIVERS.get(backend, parsed.drivername))
    if backend == "sqlite":
        return _sqlite(parsed)
    return create_async_engine(
        parsed,
        json_serializer=_to_json,
        json_deserializer=msgspec.json.decode,
        pool_pre_ping=True,
        connect_args={
            "server_settings": {
                "synchronous_commit": "on",
                "timezone": "UTC",
                "lock_timeout": f"{BUSY_TIMEOUT_SECONDS}s",
                "application_name": "fengsui",
            }
        },
    )


def probe(url: str) -> None:
    """Open and close an SQLite file, which the driver's thread would not survive failing at; blocks.

    Raises:
        sqlite3.Error: No such folder, no rights, not a database.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite" and parsed.database:
        with contextlib.closing(sqlite3.connect(parsed.database, timeout=BUSY_TIMEOUT_SECONDS)) as connection:
            connection.execute("PRAGMA schema_version")


def passing(error: BaseException) -> str | None:
    """Return in two words why the database refused, if the same may work later; else None."""
    if not isinstance(error, DBAPIError):
        return None
    return "connection lost" if error.connection_invalidated else _by_code(error.orig)


def unreachable(error: BaseException) -> str | None:
    """Return in two words why there is no connection, if there may be one later; else None.

    Drivers let errors of connecting through as they are: those of the operating system, and their own.
    """
    if isinstance(error, OSError | PoolTimeoutError):
        return "away"
    return passing(error) or _by_code(error)


def _by_code(error: Any) -> str | None:  # noqa: ANN401 - drivers' errors have no common type
    code = getattr(error, "sqlite_errorcode", None)
    if code is not None:
        return _SQLITE_PASSING.get(code & 0xFF)
    return _POSTGRES_PASSING.get(getattr(error, "sqlstate", None) or "")


def plain(error: BaseException) -> str:
    """Return the database's own words, without the statement and its parameters."""
    cause = error.orig if isinstance(error, StatementError) else None
    return str(cause or error)


def _sqlite(url: URL) -> AsyncEngine:
    engine = create_async_engine(
        url,
        json_serializer=_to_json,
        json_deserializer=msgspec.json.decode,
        connect_args={"timeout": BUSY_TIMEOUT_SECONDS, "async_creator_fn": connection_to},
    )

    @event.listens_for(engine.sync_engine, "connect")
    def _prepare(connection: Any, _record: object) -> None:  # noqa: ANN401 - a driver's connection has no common type
        # The driver's own transaction control begins too late for BEGIN IMMEDIATE; `_begin` does it instead.
        connection.isolation_level = None
        cursor = connection.cursor()
        try:
            for pragma in _SQLITE_PRAGMAS:
                cursor.execute(pragma)
        except BaseException:
            connection.close()  # the pool has not taken it yet, and its thread would stay
            raise
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get(WRITES, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def lock_schema(connection: Connection) -> None:
    """Keep other processes from migrating until this transaction ends; SQLite's write lock already does."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('fengsui.migrations'))"))


def _to_json(value: object) -> str:
    return msgspec.json.encode(value).decode()
