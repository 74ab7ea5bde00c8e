"""What the event log does on PostgreSQL beyond its contract (tests/contracts/test_eventlog.py)."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime

import asyncpg

from collector.errors import RetryableError
from collector.eventlog.postgres import _LOCK, PostgresLog
from wire.session import Held, Repeat, Slice, Take

NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)
ONE = Slice(0, "", (1,), ("a",))


def fail(name: str, error: BaseException) -> None:
    raise AssertionError(f"task {name} died") from error


async def test_collectors_that_start_together_on_an_empty_database_both_find_its_tables(
    postgres_url: str,
) -> None:
    """What two of them make at once, PostgreSQL refuses one of them, whatever IF NOT EXISTS says."""
    for _ in range(5):
        logs = await asyncio.gather(*(PostgresLog.open(postgres_url, fail) for _ in range(4)))
        assert {await log.held("n", "e") for log in logs} == {Held()}
        for log in logs:
            await log.close()
        other = await asyncpg.connect(postgres_url)
        await other.execute("DROP TABLE batch, session")
        await other.close()


async def test_a_reader_never_passes_a_position_that_is_not_committed_yet(postgres_url: str) -> None:
    """Another collector holds a lower position uncommitted: ours waits for it and shows after it."""
    log = await PostgresLog.open(postgres_url, fail)
    other = await asyncpg.connect(postgres_url)
    transaction = other.transaction()
    await transaction.start()
    await other.execute(_LOCK)
    lower = await other.fetchval(
        """INSERT INTO batch (node, epoch, floor, last, count, received_at, stored)
           VALUES ('slow', 'e', 0, 1, 1, now(), '{}') RETURNING position"""
    )

    append = asyncio.ensure_future(log.append("quick", "e", ONE, b"{}", NOON))  # noqa: TID251 - a test's own
    done, _ = await asyncio.wait([append], timeout=0.3)
    assert not done
    assert await log.read(0, 10, 1000) == []

    await transaction.commit()
    assert isinstance(await append, Take)
    entries = await log.read(0, 10, 1000)
    assert [entry.node for entry in entries] == ["slow", "quick"]
    assert entries[0].position == lower < entries[1].position
    await other.close()
    await log.close()


async def test_a_lost_connection_loses_no_append(postgres_url: str) -> None:
    log = await PostgresLog.open(postgres_url, fail)
    await log.append("n", "e", ONE, b"{}", NOON)
    other = await asyncpg.connect(postgres_url)
    await other.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
        " AND datname = current_database()"
    )

    second = Slice(1, "a", (2,), ("b",))
    answer = None
    while answer is None:
        with suppress(RetryableError):
            answer = await log.append("n", "e", second, b"{}", NOON)
    assert isinstance(answer, Take | Repeat)
    assert [entry.last for entry in await log.read(0, 10, 1000)] == [1, 2]
    await other.close()
    await log.close()
