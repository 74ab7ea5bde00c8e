"""A copy of an event log on PostgreSQL has every batch and session, and goes back with its positions."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from collector.errors import PermanentError, RetryableError
from collector.eventlog.copying import copy_in, copy_out, look
from collector.eventlog.postgres import PostgresLog
from collector.eventlog.sqlite import SqliteLog
from wire.session import Held, Slice, Take

NOON = datetime(2026, 3, 2, 4, 0, 0, 123456, tzinfo=UTC)


def died(name: str, error: BaseException) -> None:
    raise AssertionError(name) from error


def tell(done: int, total: int) -> None:
    assert 0 < done <= total


async def test_batches_and_sessions_go_out_and_in_again_unchanged(postgres_url: str, tmp_path: Path) -> None:
    log = await PostgresLog.open(postgres_url, died)
    for n in range(1, 6):
        batch = Slice(n - 1, f"r{n - 1}" if n > 1 else "", (n,), (f"r{n}",))
        await log.append("n", "e", batch, bytes([0, n, 255]), NOON + timedelta(seconds=n))
    await log.trim(2, NOON + timedelta(days=1))
    before = await log.read(0, 100, 100_000)
    await log.close()

    await copy_out(postgres_url, tmp_path / "copy.db", tell)
    copied = await SqliteLog.open(tmp_path / "copy.db")
    assert await copied.read(0, 100, 100_000) == before
    assert await copied.held("n", "e") == Held(5, "r5")
    await copied.close()

    seen: list[tuple[bool, int]] = []
    await copy_in(tmp_path / "copy.db", postgres_url, lambda *found: seen.append(found), tell)
    again = await PostgresLog.open(postgres_url, died)
    after = await again.read(0, 100, 100_000)
    answer = await again.append("n", "e", Slice(5, "r5", (6,), ("r6",)), b"{}", NOON)
    last = (await again.extent()).last
    await again.close()
    assert after == before
    assert isinstance(answer, Take)
    assert (seen, last) == ([(True, 0)], 6)


async def test_what_is_refused_stays_as_it_was(postgres_url: str, tmp_path: Path) -> None:
    await (await SqliteLog.open(tmp_path / "copy.db")).close()
    log = await PostgresLog.open(postgres_url, died)

    def refuse(filled: bool, connections: int) -> None:  # noqa: FBT001 - as `Allow` has it
        raise PermanentError(f"{filled} {connections > 0}")

    with pytest.raises(PermanentError, match="False True"):
        await look(postgres_url, refuse)
    with pytest.raises(PermanentError, match="False True"):
        await copy_in(tmp_path / "copy.db", postgres_url, refuse, tell)
    assert isinstance(await log.append("n", "e", Slice(0, "", (1,), ("a",)), b"{}", NOON), Take)
    await log.close()


async def test_a_server_that_is_not_there_is_worth_another_try(tmp_path: Path) -> None:
    with pytest.raises(RetryableError, match="PostgreSQL"):
        await copy_out("postgresql+asyncpg://x@127.0.0.1:1/x", tmp_path / "copy.db", tell)
