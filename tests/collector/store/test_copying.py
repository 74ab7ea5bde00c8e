"""A copy of the state database has every row of it, as it was, on either kind of database."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from collector.errors import PermanentError
from collector.store.copying import copy_in, copy_out, look, read_only, sqlite_url
from collector.store.engine import Store, StoreUnusableError
from collector.store.schema import metadata
from tests.conftest import Office

NINE = datetime(2026, 3, 2, 1, tzinfo=UTC)


async def rows_of(store: Store) -> dict[str, list[tuple[object, ...]]]:
    async with store.read() as connection:
        return {
            table.name: sorted((tuple(row) for row in await connection.execute(sa.select(table))), key=repr)
            for table in metadata.sorted_tables
        }


def tell(done: int, total: int) -> None:
    assert 0 < done <= total


def allow(filled: bool, connections: int) -> None:  # noqa: FBT001 - as `Allow` has it
    assert (filled, connections) == (False, 0)


async def test_rows_go_out_of_postgres_and_in_again_unchanged(
    postgres_url: str, tmp_path: Path, office: Office
) -> None:
    store = await Store.open(postgres_url)
    async with store.write() as connection:
        await office.casework.open(connection, office.finding(NINE), NINE, NINE)
    before = await rows_of(store)
    await store.close()

    await copy_out(postgres_url, tmp_path / "copy.db", tell)
    copied = await Store.open(sqlite_url(tmp_path / "copy.db"))
    assert await rows_of(copied) == before
    await copied.close()

    seen = []

    def replace(filled: bool, connections: int) -> None:  # noqa: FBT001 - as `Allow` has it
        seen.append((filled, connections))

    await copy_in(tmp_path / "copy.db", postgres_url, replace, tell)
    again = await Store.open(postgres_url)
    assert await rows_of(again) == before
    await again.close()
    assert seen == [(True, 0)]


async def test_what_is_not_allowed_changes_nothing(
    postgres_url: str, sqlite_url: str, tmp_path: Path
) -> None:
    store = await Store.open(postgres_url)
    await (await Store.open(sqlite_url)).close()

    def refuse(filled: bool, connections: int) -> None:  # noqa: FBT001 - as `Allow` has it
        raise PermanentError(f"{filled} {connections}")

    async with store.read():
        with pytest.raises(PermanentError, match="False 1"):
            await copy_in(tmp_path / "state.db", postgres_url, refuse, tell)
    await store.close()
    await look(postgres_url, allow)


async def test_a_database_of_an_older_schema_is_refused_by_name(postgres_url: str, tmp_path: Path) -> None:
    store = await Store.open(postgres_url)
    async with store.write() as connection:
        await connection.execute(sa.text("UPDATE alembic_version SET version_num = '0001'"))
    await store.close()
    with pytest.raises(PermanentError, match="has schema 0001, this version of Fengsui has"):
        await copy_out(postgres_url, tmp_path / "copy.db", tell)


async def test_a_database_that_is_not_there_is_told(tmp_path: Path, postgres_url: str) -> None:
    nowhere = postgres_url.replace("/test_", "/none_")
    with pytest.raises(StoreUnusableError, match="does not exist"):
        await copy_out(nowhere, tmp_path / "copy.db", tell)


async def test_reading_makes_nothing_beside_the_file(sqlite_url: str, tmp_path: Path) -> None:
    await (await Store.open(sqlite_url)).close()
    async with read_only(tmp_path / "state.db") as connection:
        alone = list(tmp_path.iterdir())  # noqa: ASYNC240 - a test's own folder
        (count,) = (await connection.execute(sa.text("SELECT count(*) FROM journal"))).one()
    assert count == 0
    assert [path.name for path in alone] == ["state.db"]
