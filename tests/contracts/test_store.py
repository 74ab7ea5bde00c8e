"""What the state store promises, on SQLite and on PostgreSQL alike."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from collector.incident import IllegalMoveError
from collector.store import clocks, incidents, journal, migrations, schema
from collector.store.engine import Store
from collector.store.marks import raise_mark, read_mark
from collector.store.notice_batch import NewNotice, add_notices
from collector.trust.journal_chain import verify

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from tests.conftest import Office

NINE = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


async def test_the_migrations_give_exactly_the_schema(state: Store) -> None:
    def differences(connection: sa.Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, schema.metadata))

    def indexes(connection: sa.Connection) -> set[str]:
        inspector = sa.inspect(connection)
        return {str(one["name"]) for table in schema.metadata.tables for one in inspector.get_indexes(table)}

    async with state.read() as connection:
        found = await connection.run_sync(differences)
        there = await connection.run_sync(indexes)

    assert found == []
    assert {str(one.name) for table in schema.metadata.tables.values() for one in table.indexes} <= there


async def test_the_newest_step_is_the_last_in_the_folder(sqlite_state: Store) -> None:
    async with sqlite_state.read() as connection:
        settings = await connection.run_sync(migrations.settings)

    assert ScriptDirectory.from_config(settings).get_current_head() == migrations.NEWEST


async def test_two_processes_that_start_together_both_find_the_schema(empty_url: str) -> None:
    stores = await asyncio.gather(*(Store.open(empty_url) for _ in range(4)))

    for store in stores:
        async with store.read() as connection:
            assert (
                await connection.execute(sa.select(sa.func.count()).select_from(schema.nodes))
            ).scalar() == 0
        await store.close()


async def test_what_is_committed_is_durable_before_the_commit_returns(state: Store) -> None:
    async with state.read() as connection:
        if state.dialect == "sqlite":
            settings = [
                (await connection.execute(sa.text(f"PRAGMA {name}"))).scalar()
                for name in ("journal_mode", "synchronous", "foreign_keys")
            ]
            assert settings == ["wal", 2, 1]
        else:
            assert (await connection.execute(sa.text("SHOW synchronous_commit"))).scalar() == "on"


async def test_a_body_that_raises_leaves_nothing_behind(state: Store) -> None:
    entry = journal.Entry(actor="system", action="collector.started", subject="collector:1")

    async def break_off(connection: "AsyncConnection") -> None:
        await journal.write(connection, entry, NINE)
        await raise_mark(connection, "flow", NINE)
        raise IllegalMoveError

    with pytest.raises(IllegalMoveError):
        await state.run(break_off)

    async with state.write() as connection:
        assert await read_mark(connection, "flow") is None
        assert await journal.write(connection, entry, NINE) == 1


async def test_a_read_sees_one_state_while_another_process_writes(state: Store, state_url: str) -> None:
    other = await Store.open(state_url)
    async with state.read() as reading:
        before = await read_mark(reading, "flow")
        async with other.write() as writing:
            await raise_mark(writing, "flow", NINE)
        during = await read_mark(reading, "flow")
    async with state.read() as reading:
        after = await read_mark(reading, "flow")
    await other.close()

    assert (before, during, after) == (None, None, NINE)


async def test_flows_wake_after_a_commit_and_not_before(state: Store) -> None:
    seen = state.changed.count
    async with state.write() as connection:
        await raise_mark(connection, "flow", NINE)
        assert state.changed.count == seen

    assert await asyncio.wait_for(state.changed.wait(seen), 1) == seen + 1


async def test_writers_of_one_process_take_turns(state: Store) -> None:
    async def count_on() -> None:
        async def work(connection: "AsyncConnection") -> None:
            mark = await read_mark(connection, "flow") or NINE
            await raise_mark(connection, "flow", mark + timedelta(seconds=1))

        await state.run(work)

    await asyncio.gather(*(count_on() for _ in range(20)))

    async with state.read() as connection:
        assert await read_mark(connection, "flow") == NINE + timedelta(seconds=20)


async def test_times_come_back_as_they_went_in(state: Store) -> None:
    shanghai = NINE.astimezone().replace(microsecond=123456)
    async with state.write() as connection:
        await journal.write(connection, journal.Entry(actor="system", action="a", subject="b"), shanghai)
    async with state.read() as connection:
        (row,) = [row async for row in journal.read_chains(connection)]

    assert row.at == shanghai
    assert row.at.tzinfo is UTC


async def test_a_mark_never_goes_back(state: Store) -> None:
    async with state.write() as connection:
        await raise_mark(connection, "flow", NINE)
        await raise_mark(connection, "flow", NINE - timedelta(hours=1))

        assert await read_mark(connection, "flow") == NINE


async def test_a_notice_is_queued_once_a_key_and_says_so_in_the_journal(state: Store) -> None:
    notice = NewNotice(key="k/1", incident=None, person="wang", channel="webhook", payload={"subject": "火"})
    async with state.write() as connection:
        first = await add_notices(connection, [notice, notice], NINE)
        second = await add_notices(connection, [notice], NINE)
        rows = [row async for row in journal.read_chains(connection)]

    assert (first, second) == (["k/1"], [])
    assert [row.action for row in rows] == ["notice.queued"]


async def test_people_who_are_told_the_same_stand_in_one_entry_of_the_journal(state: Store) -> None:
    def told(key: str, incident: str, payload: dict[str, str]) -> NewNotice:
        return NewNotice(key=key, incident=incident, person=key, channel="sms", payload=payload)

    fire = {"subject": "火"}
    notices = [told("li", "a", fire), told("wang", "a", fire), told("zhao", "b", fire), told("wu", "a", {})]
    async with state.write() as connection:
        await add_notices(connection, notices, NINE)
        rows = [row async for row in journal.read_chains(connection)]

    assert [[one["person"] for one in row.detail["notices"]] for row in rows] == [
        ["li", "wang"],
        ["zhao"],
        ["wu"],
    ]
    assert [(row.incident, row.detail["subject"]) for row in rows] == [("a", "火"), ("b", "火"), ("a", None)]
    assert [row.subject for row in rows] == [f"notice:{row.detail['notices'][0]['id']}" for row in rows]


async def test_one_live_incident_stands_for_a_fingerprint(state: Store, office: "Office") -> None:
    async with state.write() as connection:
        first = await office.casework.open(connection, office.finding(NINE), NINE, NINE)
        again = await office.casework.open(connection, office.finding(NINE), NINE, NINE)
        await office.casework.move(connection, first, "closed", "user:wang", NINE, "done")
        new = await office.casework.open(connection, office.finding(NINE), NINE, NINE)

    assert first == again != new


async def test_processes_that_find_the_same_thing_open_one_incident(
    state: Store, state_url: str, office: "Office"
) -> None:
    stores = [state, *[await Store.open(state_url) for _ in range(3)]]

    async def find(store: Store) -> str:
        return await store.run(
            lambda connection: office.casework.open(connection, office.finding(NINE), NINE, NINE)
        )

    found = set(await asyncio.gather(*(find(store) for store in stores)))
    async with state.read() as connection:
        held = await incidents.get_incident(connection, next(iter(found)))
    for store in stores[1:]:
        await store.close()

    assert len(found) == 1
    assert held is not None
    assert held.count == 4


async def test_a_clock_comes_back_as_it_was_written(state: Store, office: "Office") -> None:
    async with state.write() as connection:
        incident = await office.casework.open(connection, office.finding(NINE), NINE, NINE)
    async with state.read() as connection:
        (clock,) = await clocks.clocks_of(connection, [incident])
        armed = await clocks.armed_of(connection, [incident])

    assert (clock.obligation, clock.state) == ("cn-informatization/report", "no_number")
    assert clock.target_at == NINE + timedelta(minutes=60)
    assert sorted(alarm.kind for alarm in armed) == ["escalate_0", "four_fifths", "half", "regrade", "target"]
    assert await _next(state) == NINE


async def test_every_process_writes_a_chain_that_verifies(state: Store, state_url: str) -> None:
    other = await Store.open(state_url)
    for number in range(3):
        for store in (state, other):
            async with store.write() as connection:
                entry = journal.Entry(
                    actor="system", action="a", subject="s", detail={"n": number, "at": NINE, "名": "值"}
                )
                await journal.write_all(connection, [entry, entry], NINE)
    async with state.read() as connection:
        rows = [row async for row in journal.read_chains(connection)]
    await other.close()

    assert verify(rows) == []
    assert len({row.chain for row in rows}) == 2
    assert [row.n for row in rows] == [1, 2, 3, 4, 5, 6] * 2


async def _next(state: Store) -> datetime | None:
    async with state.read() as connection:
        return await clocks.next_alarm_at(connection)
