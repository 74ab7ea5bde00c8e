"""The state database as one SQLite file, and back: what backups are made of (docs/decisions/0005-backups.md).

PostgreSQL is read in one REPEATABLE READ transaction, row by row through the schema's own types, so that the
copy is of one moment; a copy goes back in one transaction, or not at all.
"""

import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiosqlite
import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from ..errors import PermanentError
from .dialects import make_engine, plain, unreachable
from .engine import Store, StoreBusyError, StoreUnusableError
from .migrations import NEWEST, migrate, version_of
from .schema import metadata

ROWS = 1000
Allow = Callable[[bool, int], None]
"""Told whether a database holds records, and how many collectors' connections it has; raises to refuse."""

Tell = Callable[[int, int], None]
"""Told how many rows are done, and how many there are."""


def sqlite_url(path: Path) -> str:
    """Return the address of a state database in a file."""
    return URL.create("sqlite+aiosqlite", database=str(path)).render_as_string(hide_password=False)


@asynccontextmanager
async def read_only(path: Path) -> AsyncIterator[AsyncConnection]:
    """Open an SQLite file that nobody writes to without touching it or making anything beside it.

    Raises:
        sqlite3.Error: It is not there or no database.
    """
    uri = _unchanging(path)
    sqlite3.connect(uri, uri=True).close()  # the driver's thread would not survive failing at it
    engine = create_async_engine(
        "sqlite+aiosqlite://",
        async_creator=lambda: aiosqlite.connect(uri, uri=True),
        json_deserializer=msgspec.json.decode,
    )
    try:
        async with engine.connect() as connection:
            yield connection
    finally:
        await engine.dispose()


def _unchanging(path: Path) -> str:
    """An address by which SQLite neither locks a file nor makes another beside it."""
    return f"{path.absolute().as_uri()}?mode=ro&immutable=1"


async def copy_out(url: str, target: Path, tell: Tell) -> None:
    """Copy a PostgreSQL state database, as it stands at one moment, into a new SQLite file.

    Raises:
        PermanentError: It has another schema than this version of the program.
        StoreBusyError, StoreUnusableError: It cannot be read.
    """
    copied = await Store.open(sqlite_url(target))
    try:
        async with _transaction(url, "REPEATABLE READ") as source, copied.write() as into:
            found = await source.run_sync(version_of)
            if found != NEWEST:
                raise PermanentError(
                    f"the state database has schema {found or 'none'}, this version of Fengsui has {NEWEST}; "
                    "use the version that wrote it, or start the collector once"
                )
            await _pour(source, into, tell)
    finally:
        await copied.close()


async def look(url: str, allow: Allow) -> None:
    """Let `allow` judge a PostgreSQL state database by what it holds and who is connected.

    Raises:
        StoreBusyError, StoreUnusableError: It cannot be read.
    """
    async with _transaction(url, "READ COMMITTED") as connection:
        await _look(connection, allow)


async def copy_in(source: Path, url: str, allow: Allow, tell: Tell) -> None:
    """Copy an SQLite file of the newest schema into a PostgreSQL database, whole or not at all.

    Args:
        source: Made by `copy_out`, or an SQLite state database.
        url: Where to.
        allow: Judges what is there; where it raises not, that is let go of.
        tell: Told how far it is.

    Raises:
        StoreBusyError, StoreUnusableError: It cannot be written.
    """
    async with read_only(source) as reading, _transaction(url, "READ COMMITTED") as into:
        await _look(into, allow)
        await into.run_sync(metadata.drop_all)
        await into.execute(sa.text("DROP TABLE IF EXISTS alembic_version"))
        await into.run_sync(migrate)
        await _pour(reading, into, tell)
        await _raise_sequences(into)


async def _look(connection: AsyncConnection, allow: Allow) -> None:
    sessions = sa.text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND application_name LIKE 'fengsui%' AND pid <> pg_backend_pid()"
    )
    connections = (await connection.execute(sessions)).scalar_one()
    there = await connection.run_sync(lambda sync: sa.inspect(sync).has_table("journal"))
    one = sa.text("SELECT 1 FROM journal LIMIT 1")
    allow(there and (await connection.execute(one)).first() is not None, connections)


@asynccontextmanager
async def _transaction(url: str, isolation: str) -> AsyncIterator[AsyncConnection]:
    engine = make_engine(url)
    where = engine.url.render_as_string(hide_password=True)
    try:
        async with engine.connect() as connection:
            await connection.execution_options(isolation_level=isolation)
            async with connection.begin():
                yield connection
    except (DBAPIError, OSError) as error:
        why = unreachable(error)
        if why is None:
            raise StoreUnusableError(f"database {where}: {plain(error)}") from error
        raise StoreBusyError(f"database {why}: {plain(error)}; the same may work later") from error
    finally:
        await engine.dispose()


async def _pour(source: AsyncConnection, into: AsyncConnection, tell: Tell) -> None:
    """Copy every row of every table, and count them on both sides."""
    counts = {
        table.name: (await source.execute(sa.select(sa.func.count()).select_from(table))).scalar_one()
        for table in metadata.sorted_tables
    }
    total, done = sum(counts.values()), 0
    for table in metadata.sorted_tables:
        result = await source.stream(sa.select(table), execution_options={"yield_per": ROWS})
        async for rows in result.mappings().partitions(ROWS):
            await into.execute(sa.insert(table), [dict(row) for row in rows])
            done += len(rows)
            tell(done, total)
        written = (await into.execute(sa.select(sa.func.count()).select_from(table))).scalar_one()
        if written != counts[table.name]:
            raise PermanentError(
                f"{table.name}: wrote {written} rows of {counts[table.name]}; nothing was kept"
            )


async def _raise_sequences(connection: AsyncConnection) -> None:
    """Let numbers that PostgreSQL gives out go on behind those that were copied."""
    for table in metadata.sorted_tables:
        column: sa.Column[Any] | None = table.autoincrement_column
        if column is None:
            continue
        statement = sa.text(
            "SELECT setval(s, (SELECT max(v) FROM (SELECT "  # noqa: S608 - names of our own schema
            f'max("{column.name}") AS v FROM "{table.name}") AS m))'
            f" FROM pg_get_serial_sequence('{table.name}', '{column.name}') AS s"
            f' WHERE s IS NOT NULL AND EXISTS (SELECT 1 FROM "{table.name}")'
        )
        await connection.execute(statement)
