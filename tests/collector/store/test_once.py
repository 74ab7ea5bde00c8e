from collector.store import schema
from collector.store.engine import Store
from collector.store.once import insert_once


async def test_a_row_is_inserted_unless_its_key_is_there(state: Store) -> None:
    async with state.write() as conn:
        first = await insert_once(conn, schema.cursors, {"name": "c", "position": 1})
        again = await insert_once(conn, schema.cursors, {"name": "c", "position": 2})

    assert (first, again) == (True, False)
