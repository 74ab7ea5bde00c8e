"""The address in the settings chooses the event log."""

from pathlib import Path

import pytest

from collector.eventlog.opening import open_log
from collector.eventlog.postgres import PostgresLog
from collector.eventlog.sqlite import SqliteLog


def fail(name: str, error: BaseException) -> None:
    raise AssertionError(f"task {name} died") from error


async def test_a_file_address_opens_sqlite(tmp_path: Path) -> None:
    log = await open_log(f"sqlite+aiosqlite:///{tmp_path / 'events.db'}", fail)
    assert isinstance(log, SqliteLog)
    assert (tmp_path / "events.db").exists()
    await log.close()


async def test_a_server_address_opens_postgresql(postgres_url: str) -> None:
    log = await open_log(postgres_url.replace("postgresql:", "postgresql+asyncpg:"), fail)
    assert isinstance(log, PostgresLog)
    await log.close()


@pytest.mark.parametrize("url", ["sqlite+aiosqlite://", "mysql://host/db"])
async def test_any_other_address_is_named_in_the_error(url: str) -> None:
    with pytest.raises(ValueError, match=r"database\.events is .*expected"):
        await open_log(url, fail)
