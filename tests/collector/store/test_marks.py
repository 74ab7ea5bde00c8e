from datetime import UTC, datetime, timedelta

from collector.store.engine import Store
from collector.store.marks import raise_mark, read_mark

NINE = datetime(2026, 3, 2, 9, 0, 0, 123456, tzinfo=UTC)


async def test_a_mark_keeps_the_microsecond_and_only_rises(sqlite_state: Store) -> None:
    async with sqlite_state.write() as connection:
        assert await read_mark(connection, "flow") is None
        for at in (NINE, NINE - timedelta(days=1), NINE + timedelta(microseconds=1)):
            await raise_mark(connection, "flow", at)

        assert await read_mark(connection, "flow") == NINE + timedelta(microseconds=1)
        assert await read_mark(connection, "another") is None
