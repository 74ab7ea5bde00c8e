import sqlite3

import pytest
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection

from collector.store.dialects import make_engine, passing, plain, probe, unreachable
from collector.store.engine import Store


class DriverError(Exception):
    def __init__(self, text: str = "", *, sqlite: int | None = None, state: str | None = None) -> None:
        super().__init__(text)
        if sqlite is not None:
            self.sqlite_errorcode = sqlite
        if state is not None:
            self.sqlstate = state


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (DriverError(sqlite=5), "busy"),
        (DriverError(sqlite=261), "busy"),  # SQLITE_BUSY_RECOVERY
        (DriverError(sqlite=13), "disk full"),
        (DriverError(sqlite=19), None),  # a constraint
        (DriverError(state="40001"), "serialisation failure"),
        (DriverError(state="40P01"), "deadlock"),
        (DriverError(state="53100"), "disk full"),
        (DriverError(sqlite=10), "disk error"),
        (DriverError(sqlite=14), "cannot open"),  # no file descriptor is left
        (DriverError(state="57P01"), "server shutting down"),
        (DriverError(state="08006"), "connection lost"),
        (DriverError(state="23505"), None),  # a constraint
        (DriverError(), None),
    ],
)
def test_what_may_pass_is_told_from_what_will_not(error: DriverError, why: str | None) -> None:
    assert passing(OperationalError("UPDATE", {}, error)) == why


def test_a_lost_connection_may_come_back() -> None:
    assert passing(DBAPIError("UPDATE", {}, DriverError(), connection_invalidated=True)) == "connection lost"


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (ConnectionRefusedError(111, "refused"), "away"),
        (FileNotFoundError(2, "no socket"), "away"),
        (PoolTimeoutError("every connection is in use"), "away"),
        (DriverError(state="57P03"), "server starting"),  # the driver's own, before SQLAlchemy sees it
        (DriverError(state="28P01"), None),  # a wrong password
        (OperationalError("PRAGMA", {}, DriverError(sqlite=5)), "busy"),
        (ValueError("x"), None),
    ],
)
def test_a_database_that_is_away_is_told_from_one_that_will_never_be_there(
    error: Exception, why: str | None
) -> None:
    assert unreachable(error) == why


def test_an_error_of_ours_is_no_error_of_the_database() -> None:
    assert passing(ValueError("x")) is None


def test_people_read_the_databases_words_without_the_statement() -> None:
    secret = OperationalError("INSERT INTO api_tokens", {"secret": "s"}, DriverError("disk I/O error"))

    assert plain(secret) == "disk I/O error"


def test_a_database_that_needs_no_file_needs_no_probe() -> None:
    probe("postgresql://nobody@127.0.0.1:1/nothing")
    probe("sqlite://")


def test_a_probe_of_a_missing_folder_fails_at_once() -> None:
    with pytest.raises(sqlite3.OperationalError, match="unable to open"):
        probe("sqlite:////no/such/folder/state.db")


@pytest.mark.parametrize(
    ("url", "driver"),
    [
        ("sqlite:////tmp/x.db", "aiosqlite"),
        ("postgresql://u@h/d", "asyncpg"),
        ("postgresql+asyncpg://u@h/d", "asyncpg"),
    ],
)
async def test_an_address_without_a_driver_gets_the_asynchronous_one(url: str, driver: str) -> None:
    engine = make_engine(url)

    assert engine.dialect.driver == driver
    await engine.dispose()


async def test_json_keeps_chinese_and_times_readable(state: Store) -> None:
    async def check(connection: AsyncConnection) -> None:
        await connection.exec_driver_sql(
            "INSERT INTO node_facts (node, kind, body, observed_at, received_at) VALUES "
            "('n', 'asset', '{\"名\": [1, 2.5, null]}', '2026-03-02', '2026-03-02')"
        )

    async with state.write() as connection:
        await check(connection)
    async with state.read() as connection:
        from collector.store.schema import node_facts  # noqa: PLC0415 - beside its use

        body = (await connection.execute(node_facts.select())).mappings().one()["body"]

    assert body == {"名": [1, 2.5, None]}
