"""One store on SQLite or PostgreSQL: who may write, what a transaction promises, how flows are woken.

::

    read()   a snapshot; never waits for a writer
    write()  one at a time in this process; BEGIN IMMEDIATE on SQLite, so a second process waits at the door
             instead of failing half way; at exit the commit is on the disk, then `changed` wakes the flows

A write that the database refuses for a passing reason raises `StoreBusyError`; nothing of it happened, and
`run` tries it again. The journal's chain of this process has its end in memory: a write begins with it and
hands the new end back after the commit. Where a commit's fate is unknown, a new chain is begun, so that
no chain is ever continued from an end that is not in the database.
"""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from random import SystemRandom
from secrets import token_hex
from typing import Any, Self, TypeVar

from asyncpg import PostgresError
from msgspec import Struct
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from ..errors import PermanentError, RetryableError
from ..sealing import Head
from .dialects import WRITES, make_engine, passing, plain, probe, unreachable
from .migrations import migrate
from .signal import Signal
from .turns import Turns

T = TypeVar("T")
ATTEMPTS = 8
_FIRST_PAUSE = 0.02
_random = SystemRandom()


class StoreBusyError(RetryableError):
    """The database refused for now: another writer, a restart, a full disk. Nothing of the write happened."""


class StoreUnusableError(PermanentError):
    """The database cannot be opened at all: wrong address, no rights, not a database."""


class ChainEnd:
    """The end of this process's journal chain as one write transaction moves it on."""

    def __init__(self, head: Head) -> None:
        self.head = head


class WriteContext(Struct, frozen=True):
    """What travels with a write's connection, for `store.journal`."""

    end: ChainEnd


class Store:
    """The state database. Opened by `open`, which also brings the schema up to date.

    Attributes:
        incarnation: Random name of this process's run; the owner in leases and the prefix of its chain.
        changed: Fires after every committed write of this process.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self.incarnation = token_hex(8)
        self.changed = Signal()
        self._turns = Turns()
        self._chains = 0
        self._head = self._new_chain()

    @classmethod
    async def open(cls, url: str) -> Self:
        """Connect, migrate to the newest schema under a lock, and return the store.

        Args:
            url: `sqlite+aiosqlite:////path/state.db` or `postgresql+asyncpg://user@host/database`.

        Raises:
            StoreBusyError: The server is starting, stopping or full.
            StoreUnusableError: The address does not lead to a database that can be used.
        """
        engine = make_engine(url)
        where = engine.url.render_as_string(hide_password=True)
        store = cls(engine)
        try:
            await asyncio.to_thread(probe, url)
            await _reach(engine)
            await store.run(lambda connection: connection.run_sync(migrate))
        except (DBAPIError, sqlite3.Error, PostgresError, OSError) as error:
            await engine.dispose()
            raise StoreUnusableError(
                f"database {where}: {plain(error)}; check database.url and the rights"
            ) from error
        except BaseException:
            await engine.dispose()
            raise
        return store

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self.engine.dialect.name

    @property
    def journal_end(self) -> Head:
        """Where the chain that this process writes at present ends."""
        return self._head

    @contextlib.asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection whose statements all see one state of the database.

        Raises:
            StoreBusyError: The database refused for a passing reason.
        """
        isolation = "REPEATABLE READ" if self.dialect == "postgresql" else None
        with _typed():
            async with self._connected() as connection:
                if isolation:
                    await connection.execution_options(isolation_level=isolation, postgresql_readonly=True)
                async with connection.begin():
                    yield connection

    @contextlib.asynccontextmanager
    async def write(self, *, ahead: bool = False) -> AsyncIterator[AsyncConnection]:
        """Give a connection that commits at exit, or rolls back when the body raises.

        Args:
            ahead: Whether it goes ahead of those that wait already (`turns`).

        Raises:
            StoreBusyError: The database refused for a passing reason; try the whole body again.
        """
        with _typed():
            async with self._turns.turn(ahead=ahead), self._connected() as connection:
                end = ChainEnd(self._head)
                await connection.execution_options(**{WRITES: WriteContext(end)})
                transaction = await connection.begin()
                try:
                    yield connection
                except BaseException:
                    await transaction.rollback()
                    raise
                self._head = self._new_chain()  # holds if the commit's fate stays unknown
                try:
                    await transaction.commit()
                except BaseException:
                    await self._leave(connection)
                    raise
                self._head = end.head
        self.changed.fire()

    async def run(self, work: Callable[[AsyncConnection], Awaitable[T]], *, attempts: int = ATTEMPTS) -> T:
        """Run `work` in a write transaction, again while the database is busy; `work` must bear repeating.

        Raises:
            StoreBusyError: Still busy after `attempts`.
        """
        for attempt in range(1, attempts + 1):
            try:
                async with self.write() as connection:
                    return await work(connection)
            except StoreBusyError:
                if attempt == attempts:
                    raise
                await asyncio.sleep(_random.uniform(0, _FIRST_PAUSE * 2**attempt))
        raise AssertionError(attempts)

    @contextlib.asynccontextmanager
    async def _connected(self) -> AsyncIterator[AsyncConnection]:
        async with contextlib.AsyncExitStack() as stack:
            try:
                connection = await stack.enter_async_context(self.engine.connect())
            except Exception as error:
                why = unreachable(error)
                if why is None:
                    raise
                raise StoreBusyError(f"database {why}: {plain(error)}; the same may work later") from error
            yield connection

    async def close(self) -> None:
        """Give all connections back; the store cannot be used afterwards."""
        await self.engine.dispose()

    async def _leave(self, connection: AsyncConnection) -> None:
        """Get a connection out of a transaction whose commit failed; the driver may still be inside it."""
        if connection.invalidated:
            return  # cancelled in the middle: SQLAlchemy has let go of it already, and takes no more of it
        if self.dialect == "sqlite":
            raw = await connection.get_raw_connection()
            driver: Any = raw.driver_connection
            await driver.rollback()
        else:
            await connection.invalidate()

    def _new_chain(self) -> Head:
        self._chains += 1
        return Head(f"{self.incarnation}-{self._chains}")


async def _reach(engine: AsyncEngine) -> None:
    """Connect once, so that a wrong address is told from a database that is away for a while.

    Raises:
        StoreBusyError: The server is starting, stopping or full.
    """
    try:
        async with engine.connect():
            pass
    except PostgresError as error:
        why = unreachable(error)
        if why is None:
            raise
        raise StoreBusyError(f"database {why}: {plain(error)}; the same may work later") from error


def chain_end(connection: AsyncConnection) -> ChainEnd:
    """Return the journal's end for a connection that `Store.write` gave.

    Raises:
        RuntimeError: The connection is only for reading.
    """
    context = connection.sync_connection and connection.sync_connection.get_execution_options().get(WRITES)
    if not isinstance(context, WriteContext):
        raise RuntimeError("this connection reads only; take one from Store.write()")  # noqa: TRY004 - a wrong use
    return context.end


@contextlib.contextmanager
def _typed() -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        why = passing(error)
        if why is None:
            raise
        raise StoreBusyError(f"database {why}: {plain(error)}; the same may work later") from error
