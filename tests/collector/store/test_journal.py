from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from collector.store import journal, schema
from collector.store.engine import Store
from collector.trust.journal_chain import verify

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)


def entry(number: int, incident: str | None = None) -> journal.Entry:
    detail = {"number": number, "at": NINE, "half": 0.5, "nothing": None, "词": ["一", "二"]}
    return journal.Entry(
        actor="system", action="a.b", subject=f"x:{number}", incident=incident, detail=detail
    )


async def test_entries_of_one_transaction_follow_each_other(sqlite_state: Store) -> None:
    async with sqlite_state.write() as connection:
        assert await journal.write_all(connection, [entry(1), entry(2)], NINE) == 2
        assert await journal.write(connection, entry(3), NINE + timedelta(seconds=1)) == 3
    async with sqlite_state.read() as connection:
        rows = [row async for row in journal.read_chains(connection)]

    assert [row.subject for row in rows] == ["x:1", "x:2", "x:3"]
    assert [row.previous for row in rows[1:]] == [row.hash for row in rows[:-1]]


async def test_nothing_to_write_writes_nothing(sqlite_state: Store) -> None:
    async with sqlite_state.write() as connection:
        assert await journal.write_all(connection, [], NINE) == 0


async def test_long_chains_are_read_to_their_end(
    sqlite_state: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "_PAGE", 3)
    async with sqlite_state.write() as connection:
        await journal.write_all(connection, [entry(number) for number in range(10)], NINE)
        rows = [row async for row in journal.read_chains(connection)]

    assert len(rows) == 10
    assert verify(rows) == []


@pytest.mark.parametrize("column", ["actor", "action", "subject", "incident", "detail", "at"])
async def test_no_field_of_an_entry_can_be_changed_unseen(state: Store, column: str) -> None:
    forged = {"detail": {}, "at": NINE + timedelta(microseconds=1)}.get(column, "somebody else")
    async with state.write() as connection:
        await journal.write_all(connection, [entry(number) for number in range(3)], NINE)
        await connection.execute(
            sa.update(schema.journal).where(schema.journal.c.n == 2).values({column: forged})
        )
    async with state.read() as connection:
        (found,) = verify([row async for row in journal.read_chains(connection)])

    assert (found.n, found.why) == (2, "hash")


async def test_an_incidents_entries_come_oldest_first(sqlite_state: Store) -> None:
    async with sqlite_state.write() as connection:
        await journal.write_all(connection, [entry(1, "i"), entry(2, "j"), entry(3, "i")], NINE)
    async with sqlite_state.read() as connection:
        rows = await journal.of_incident(connection, "i")

    assert [row.subject for row in rows] == ["x:1", "x:3"]
