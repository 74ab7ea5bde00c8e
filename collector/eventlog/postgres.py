"""The event log in a PostgreSQL database of its own; several collectors may append to it at once.

A collector has one writing connection. What waits is stored as one group, as on SQLite, but other collectors
do the same meanwhile. So a group is judged by what was held when it was read, and stored only if that still
holds:

    1  read the session rows of the group                       (no lock)
    2  judge every append by them
    3  take the append lock, hand out positions, insert the batches
    4  move the session rows that still stand where step 1 found them
    5  did all move? commit (the lock goes with it) : undo, and begin again at 1

The lock of step 3 is what makes positions show in their order (see `port.py`); step 1 and 2 of one collector
run beside 3 to 5 of another. Readers are woken by NOTIFY, which reaches every collector on the database.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import datetime
from typing import Any, NamedTuple

import asyncpg

from wire.session import DisorderError, Held, Refuse, Repeat, Slice, Take, receive

from ..errors import RetryableError
from ..tasks import OnDeath, spawn
from .port import Entry, Extent, StorageFullError

_GROUP_APPENDS = 512
_GROUP_BYTES = 8 * 1024 * 1024
_TRIM_SLICE = 500
_ATTEMPTS = 20
_TIMEOUT_SECONDS = 30
_LOOK_AGAIN_SECONDS = 1
_CHANNEL = "fengsui_eventlog"
_APPEND_LOCK = 0x66656E6773756900  # any number that nothing else in this database locks

SCHEMA = """
CREATE TABLE IF NOT EXISTS session (
  node text NOT NULL, epoch text NOT NULL,
  highest bigint NOT NULL, highest_id text NOT NULL, previous bigint NOT NULL,
  PRIMARY KEY (node, epoch)
);
CREATE TABLE IF NOT EXISTS batch (
  position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, node text NOT NULL, epoch text NOT NULL,
  floor bigint NOT NULL, last bigint NOT NULL, count bigint NOT NULL,
  received_at timestamptz NOT NULL, stored bytea NOT NULL
);
ALTER TABLE batch ALTER COLUMN stored SET STORAGE EXTERNAL;
"""
_HELD = """SELECT node, epoch, highest, highest_id FROM session
  JOIN unnest($1::text[], $2::text[]) AS wanted (node, epoch) USING (node, epoch)"""
_LOCK = f"SELECT pg_advisory_xact_lock({_APPEND_LOCK})"
_INSERT = """INSERT INTO batch (node, epoch, floor, last, count, received_at, stored)
  SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[],
                       $6::timestamptz[], $7::bytea[])"""
_ADVANCE = """INSERT INTO session (node, epoch, highest, highest_id, previous)
  SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::bigint[])
  ON CONFLICT (node, epoch) DO UPDATE SET highest = excluded.highest, highest_id = excluded.highest_id,
    previous = excluded.previous WHERE session.highest = excluded.previous
  RETURNING 1"""
_TRIM = """DELETE FROM batch WHERE position <= (
  SELECT max(position) FROM (
    SELECT position, bool_and(received_at < $2) OVER (ORDER BY position) AS old FROM batch
    WHERE position <= $1 AND position < (SELECT max(position) FROM batch) ORDER BY position LIMIT $3
  ) AS oldest WHERE old)"""

Answer = Take | Repeat | Refuse
Key = tuple[str, str]
Row = tuple[Any, ...]


class _Append(NamedTuple):
    node: str
    epoch: str
    batch: Slice
    body: bytes
    received_at: datetime
    answer: "asyncio.Future[Answer]"


class _OvertakenError(Exception):
    """Another collector moved a session row between step 1 and step 4."""


class PostgresLog:
    """An `EventLog`; made by `open`, used from one event loop."""

    def __init__(self, url: str, pool: "asyncpg.Pool", on_death: OnDeath) -> None:
        self._url = url
        self._pool = pool
        self._listener: asyncpg.Connection | None = None
        self._waiting: list[_Append] = []
        self._filled = asyncio.Event()
        self._news = asyncio.Event()
        self._closed = False
        self._writer = spawn("eventlog-write", self._write(), on_death)

    @classmethod
    async def open(cls, url: str, on_death: OnDeath) -> "PostgresLog":
        """Open the log, making its tables where there are none.

        Args:
            url: `postgresql://…`, a database with nothing else in it.
            on_death: Told when the writing task ends by a fault of ours.

        Raises:
            RetryableError: the server is away or refuses us.
        """
        with _typed():
            pool = await asyncpg.create_pool(
                url,
                min_size=2,
                max_size=6,
                command_timeout=_TIMEOUT_SECONDS,
                server_settings={"synchronous_commit": "on", "application_name": "fengsui eventlog"},
            )
            try:
                # Held until the tables show: of two that make them at once, one would be refused.
                async with pool.acquire() as connection, connection.transaction():
                    await connection.execute(_LOCK)
                    await connection.execute(SCHEMA)
            except BaseException:
                pool.terminate()
                raise
        return cls(url, pool, on_death)

    async def append(self, node: str, epoch: str, batch: Slice, body: bytes, received_at: datetime) -> Answer:
        """See `EventLog.append`."""
        self._check_open()
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Append(node, epoch, batch, body, received_at, answer))
        self._filled.set()
        return await answer

    async def held(self, node: str, epoch: str) -> Held:
        """See `EventLog.held`."""
        async with self._connection() as connection:
            return (await _held(connection, [(node, epoch)]))[node, epoch]

    async def read(self, after: int, limit_rows: int, limit_bytes: int) -> list[Entry]:
        """See `EventLog.read`."""
        sql = """SELECT position, node, epoch, floor, last, count, received_at, stored FROM (
            SELECT *, sum(octet_length(stored)) OVER (ORDER BY position) AS size,
              row_number() OVER (ORDER BY position) AS n
            FROM batch WHERE position > $1 ORDER BY position LIMIT $2
          ) AS page WHERE size <= $3 OR n = 1 ORDER BY position"""
        async with self._connection() as connection:
            return [Entry(**row) for row in await connection.fetch(sql, after, limit_rows, limit_bytes)]

    async def wait_for(self, after: int) -> None:
        """See `EventLog.wait_for`."""
        while True:
            self._news.clear()
            async with self._connection() as connection:
                if (await _extent(connection)).last > after:
                    return
            # A notice is lost with the connection it would have come by, so we look again by ourselves.
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_AGAIN_SECONDS):
                    await self._listen()
                    await self._news.wait()

    async def trim(self, up_to: int, older_than: datetime) -> int:
        """See `EventLog.trim`."""
        dropped = 0
        async with self._connection() as connection:
            while some := _count(await connection.execute(_TRIM, up_to, older_than, _TRIM_SLICE)):
                dropped += some
        return dropped

    async def extent(self) -> Extent:
        """See `EventLog.extent`."""
        async with self._connection() as connection:
            return await _extent(connection)

    async def close(self) -> None:
        """See `EventLog.close`."""
        if self._closed:
            return
        self._closed = True
        self._filled.set()
        await self._writer
        self._news.set()
        if self._listener is not None:
            await self._listener.close()
        await self._pool.close()

    def _check_open(self) -> None:
        if self._closed:
            raise RetryableError("the event log is closed")

    @asynccontextmanager
    async def _connection(self) -> "AsyncIterator[asyncpg.Connection]":
        self._check_open()
        with _typed():
            async with self._pool.acquire() as connection:
                yield connection

    async def _write(self) -> None:
        """Store group after group until closed and nothing is waiting."""
        while self._waiting or not self._closed:
            self._filled.clear()
            if not self._waiting:
                await self._filled.wait()
            if group := self._next_group():
                await self._store(group)

    def _next_group(self) -> list[_Append]:
        size = taken = 0
        for append in self._waiting[:_GROUP_APPENDS]:
            taken += 1
            size += len(append.body)
            if size >= _GROUP_BYTES:
                break
        group = self._waiting[:taken]
        del self._waiting[:taken]
        return group

    async def _store(self, group: list[_Append]) -> None:
        try:
            with _typed():
                answers = await self._until_stored(group)
        except Exception as error:  # noqa: BLE001 - the task's edge: the callers are told, it lives on
            answers = [error] * len(group)
        for append, answer in zip(group, answers, strict=True):
            if append.answer.done():
                continue
            if isinstance(answer, Exception):
                append.answer.set_exception(answer)
            else:
                append.answer.set_result(answer)
        self._news.set()

    async def _until_stored(self, group: list[_Append]) -> list[Answer | Exception]:
        keys = sorted({(append.node, append.epoch) for append in group})
        async with self._pool.acquire() as connection:
            for _ in range(_ATTEMPTS):
                held = await _held(connection, keys)
                answers, rows = _judge(group, held)
                if not rows:
                    return answers
                with suppress(_OvertakenError):
                    await _commit(connection, rows, held)
                    return answers
        raise RetryableError(f"other collectors moved the same sessions {_ATTEMPTS} times; try again")

    async def _listen(self) -> None:
        """Hear of commits, other collectors' too; a lost connection is replaced at the next call."""
        if self._listener is not None and not self._listener.is_closed():
            return
        with _typed():
            listener = await asyncpg.connect(self._url, timeout=_TIMEOUT_SECONDS)
            await listener.add_listener(_CHANNEL, lambda *_: self._news.set())
        self._listener = listener


def _judge(group: list[_Append], held: dict[Key, Held]) -> tuple[list[Answer | Exception], list[Row]]:
    now = dict(held)
    answers: list[Answer | Exception] = []
    rows: list[Row] = []
    for node, epoch, batch, body, received_at, _ in group:
        before = now[node, epoch]
        try:
            answer = receive(before, batch)
        except DisorderError as error:
            answers.append(error)
            continue
        answers.append(answer)
        if isinstance(answer, Take):
            now[node, epoch] = answer.held
            last, last_id = answer.held.highest, answer.held.highest_id
            rows.append((node, epoch, before.highest, last, answer.fresh, received_at, body, last_id))
    return answers, rows


async def _held(connection: "asyncpg.Connection", keys: list[Key]) -> dict[Key, Held]:
    rows = await connection.fetch(_HELD, [node for node, _ in keys], [epoch for _, epoch in keys])
    found = {(node, epoch): Held(highest, last) for node, epoch, highest, last in rows}
    return {key: found.get(key, Held()) for key in keys}


async def _commit(connection: "asyncpg.Connection", rows: list[Row], held: dict[Key, Held]) -> None:
    """Steps 3 to 5; raises `_OvertakenError` after undoing them."""
    last = {(row[0], row[1]): row for row in rows}
    moves = [(*key, row[3], row[7], held[key].highest) for key, row in sorted(last.items())]
    async with connection.transaction():
        await connection.execute(_LOCK)
        await connection.execute(_INSERT, *map(list, zip(*(row[:7] for row in rows), strict=True)))
        moved = await connection.fetch(_ADVANCE, *map(list, zip(*moves, strict=True)))
        if len(moved) != len(moves):
            raise _OvertakenError
        await connection.execute(f"NOTIFY {_CHANNEL}")


async def _extent(connection: "asyncpg.Connection") -> Extent:
    sql = """SELECT coalesce(min(position), 0) AS first, coalesce(max(position), 0) AS last,
        pg_total_relation_size('batch') + pg_total_relation_size('session') AS bytes FROM batch"""
    return Extent(**await connection.fetchrow(sql))


def _count(status: str) -> int:
    """Number of rows in a command tag like `DELETE 3`."""
    return int(status.rpartition(" ")[2])


@contextmanager
def _typed() -> Iterator[None]:
    """Say what a database error means for the sender: all of them are worth another try later."""
    try:
        yield
    except asyncpg.DiskFullError as error:
        raise StorageFullError(f"PostgreSQL has no room: {error}; senders hold what they have") from error
    except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError) as error:
        raise RetryableError(f"PostgreSQL: {error}") from error
