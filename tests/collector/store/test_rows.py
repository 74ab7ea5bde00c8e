from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from collector.store import schema
from collector.store.engine import Store
from collector.store.rows import among, insert_rows

NINE = datetime(2026, 3, 2, 9, 0, 0, 1, tzinfo=UTC)
COLUMNS = ("name", "position")
MARKS = [("half", 5), ("due", 10), ("overdue_1", 2**62)]


async def stored(connection: Any, table: sa.Table) -> list[tuple[Any, ...]]:  # noqa: ANN401 - a connection
    return [tuple(row) for row in await connection.execute(sa.select(table))]


async def test_rows_are_stored_whatever_the_order_their_columns_are_named_in(state: Store) -> None:
    async with state.write() as connection:
        await insert_rows(connection, schema.cursors, COLUMNS, MARKS)
        await insert_rows(connection, schema.cursors, COLUMNS[::-1], [(7, "backwards")])
        found = await stored(connection, schema.cursors)

    assert sorted(found) == sorted([*MARKS, ("backwards", 7)])


async def test_no_rows_are_no_statement(sqlite_state: Store) -> None:
    async with sqlite_state.write() as connection:
        await insert_rows(connection, schema.cursors, COLUMNS, [])
        assert await stored(connection, schema.cursors) == []


@pytest.mark.parametrize("as_text", [set(), {"detail"}])
async def test_every_kind_of_value_comes_back_as_it_was_put(state: Store, as_text: set[str]) -> None:
    detail = (
        '{"at":"九点","half":0.5,"nothing":null}' if as_text else {"at": "九点", "half": 0.5, "nothing": None}
    )
    names = [column.name for column in schema.journal.c]
    rows = [(n, "c", n, NINE + n * timedelta(hours=1), *"abcd", detail, "e", "f") for n in (1, 2)]
    async with state.write() as connection:
        await insert_rows(connection, schema.journal, names, rows, as_text=as_text)
        found = await stored(connection, schema.journal)

    expected = {"at": "九点", "half": 0.5, "nothing": None}
    assert found == [(n, "c", n, NINE + n * timedelta(hours=1), *"abcd", expected, "e", "f") for n in (1, 2)]


async def test_a_time_without_a_zone_is_refused_here_too(sqlite_state: Store) -> None:
    names = [column.name for column in schema.journal.c]
    async with sqlite_state.write() as connection:
        with pytest.raises(ValueError, match="naive time"):
            await insert_rows(
                connection,
                schema.journal,
                names,
                [(1, "c", 1, NINE.replace(tzinfo=None), *"abcd", {}, "", "")],
            )


@pytest.mark.parametrize("count", [0, 1, 40_000])
async def test_any_number_of_keys_is_looked_up_at_once(state: Store, count: int) -> None:
    keys = [f"{number}" for number in range(count)]
    async with state.write() as connection:
        await insert_rows(connection, schema.cursors, COLUMNS, [("39999", 1), ("0", 2), ('it"s', 3)])
        query = sa.select(schema.cursors.c.name).where(
            among(connection, schema.cursors.c.name, [*keys, 'it"s'])
        )
        found = set((await connection.execute(query)).scalars())

    assert found == {'it"s', *({"0"} if count else set()), *({"39999"} if count > 1 else set())}
