from datetime import UTC, datetime

from collector.sealing import Head
from collector.store import journal
from collector.store.checkpoints import add_checkpoint, chain_ends, newest_key, read_checkpoints
from collector.store.engine import Store

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)


async def test_the_end_of_every_chain_is_told(state: Store, state_url: str) -> None:
    entry = journal.Entry(actor="system", action="a.b", subject="x:1")
    other = await Store.open(state_url)
    for store, count in ((state, 3), (other, 1)):
        async with store.write() as connection:
            await journal.write_all(connection, [entry] * count, NINE)
    async with state.read() as connection:
        ends = await chain_ends(connection)
        own = await chain_ends(connection, [state.journal_end.chain])
    await other.close()

    assert set(ends) == {state.journal_end, other.journal_end}
    assert own == [Head(state.journal_end.chain, 3, state.journal_end.hash)]


async def test_checkpoints_come_back_as_they_were_stored(state: Store) -> None:
    row = {"at": NINE, "owner": "p", "n": 1, "heads": [["a", 1, "h"]], "previous": "", "key": "k"}
    row |= {"signature": "s"}
    async with state.write() as connection:
        assert await newest_key(connection) == ""
        await add_checkpoint(connection, row)
    async with state.read() as connection:
        assert await read_checkpoints(connection) == [row]
        assert await newest_key(connection) == "k"
