import asyncio

from collector.store.cursors import move_cursor, read_cursor
from collector.store.engine import Store


async def test_a_cursor_moves_only_from_where_it_was_found(state: Store) -> None:
    async with state.write() as conn:
        assert await read_cursor(conn, "c") == 0
        assert await move_cursor(conn, "c", 0, 5)
        assert not await move_cursor(conn, "c", 0, 6)
        assert not await move_cursor(conn, "c", 4, 6)
        assert await move_cursor(conn, "c", 5, 7)
        assert await read_cursor(conn, "c") == 7


async def test_of_two_processes_that_begin_at_once_one_moves_it(state: Store) -> None:
    async def begin() -> bool:
        async with state.write() as conn:
            return await move_cursor(conn, "c", 0, 5)

    assert sorted(await asyncio.gather(begin(), begin())) == [False, True]
