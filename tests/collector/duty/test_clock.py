"""The duty clock on real databases; a whole day of it is in tests/acceptance/test_duty.py."""

import asyncio
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from collector.duty import DutyClock
from collector.duty import clock as clock_module
from collector.store import clocks, journal, schema
from collector.store.engine import Store, StoreBusyError
from collector.store.marks import read_mark
from collector.tasks import spawn

if TYPE_CHECKING:
    from tests.conftest import Office

NINE = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
DEADLINE = 10


class Host:
    """A host whose clocks go where the test sends them."""

    def __init__(self) -> None:
        self.now = NINE
        self.steady = 0.0

    def clock(self, store: Store, office: "Office", **options: Any) -> DutyClock:  # noqa: ANN401 - as DutyClock takes them
        return DutyClock(store, office.casework, wall=lambda: self.now, steady=lambda: self.steady, **options)

    def wait(self, length: timedelta) -> None:
        self.now += length
        self.steady += length.total_seconds()


@pytest.fixture
def host() -> Host:
    return Host()


async def open_incidents(store: Store, office: "Office", count: int) -> list[str]:
    async with store.write() as connection:
        return [
            await office.casework.open(
                connection,
                office.finding(NINE, fingerprint=str(number), facts={"declared_level": "III"}),
                NINE,
                NINE,
            )
            for number in range(count)
        ]


async def entries(store: Store, action: str) -> list[journal.Row]:
    async with store.read() as connection:
        return [row async for row in journal.read_chains(connection) if row.action == action]


async def ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_a_tick_fires_what_is_due_and_says_when_to_come_back(
    sqlite_state: Store, office: "Office", host: Host
) -> None:
    await open_incidents(sqlite_state, office, 1)
    clock = host.clock(sqlite_state, office)

    assert await clock.tick() == timedelta(seconds=1)
    assert (clock.fired, clock.last_tick) == (1, NINE)
    host.wait(timedelta(minutes=14, seconds=59, milliseconds=750))
    assert await clock.tick() == timedelta(milliseconds=250)
    host.wait(timedelta(milliseconds=250))
    await clock.tick()
    assert clock.fired == 2


async def test_a_batch_is_a_transaction_and_all_batches_are_one_tick(
    sqlite_state: Store, office: "Office", host: Host
) -> None:
    await open_incidents(sqlite_state, office, 7)
    clock = host.clock(sqlite_state, office, batch=2)
    before = sqlite_state.changed.count
    await clock.tick()

    assert clock.fired == 7
    assert sqlite_state.changed.count - before == 4


async def test_two_processes_on_one_database_fire_each_alarm_once(
    state: Store, state_url: str, office: "Office", host: Host
) -> None:
    await open_incidents(state, office, 40)
    other = await Store.open(state_url)
    host.wait(5 * HOUR)
    pair = [host.clock(store, office, batch=3) for store in (state, other)]
    await asyncio.gather(*(clock.tick() for clock in pair))
    await asyncio.gather(*(clock.tick() for clock in pair))
    await other.close()

    fired = [row.subject for row in await entries(state, "clock.fired")]
    queued = [one["key"] for row in await entries(state, "notice.queued") for one in row.detail["notices"]]
    assert len(fired) == len(set(fired)) == sum(clock.fired for clock in pair)
    assert len(queued) == len(set(queued))
    async with state.read() as connection:
        assert await clocks.due_incidents(connection, host.now, 1) == []


async def test_an_alarm_sounds_within_a_second_of_its_time(state: Store, office: "Office") -> None:
    begin = datetime.now(UTC)  # noqa: TID251 - this test is about the real clock
    soon = begin + timedelta(seconds=1.5)
    async with state.write() as connection:
        key = await office.casework.open(connection, office.finding(begin), begin, begin)
        await clocks.arm(
            connection,
            [clocks.Alarm(id="a", incident=key, clock="", generation=9, kind="escalate_0", at=soon)],
        )
    clock = DutyClock(
        state,
        office.casework,
        wall=lambda: datetime.now(UTC),  # noqa: TID251 - this test is about the real clock
        steady=time.monotonic,
    )
    died: list[BaseException] = []
    task = spawn("duty.clock", clock.run(), lambda _, error: died.append(error))
    async with asyncio.timeout(DEADLINE):
        while clock.fired < 2:
            await state.changed.wait(state.changed.count)
    await ended(task)
    async with state.read() as connection:
        fired = next(one for one in await clocks.alarms_of(connection, key) if one.id == "a")

    assert not died
    assert fired.fired_at is not None
    assert timedelta(0) <= fired.fired_at - soon < timedelta(seconds=1)


async def test_a_new_alarm_wakes_the_clock_at_once(sqlite_state: Store, office: "Office", host: Host) -> None:
    clock = host.clock(sqlite_state, office)
    task = spawn("duty.clock", clock.run(), lambda _name, _error: None)
    async with asyncio.timeout(DEADLINE):
        while clock.last_tick is None:
            await sqlite_state.changed.wait(sqlite_state.changed.count)
        await open_incidents(sqlite_state, office, 1)
        while clock.fired < 1:
            await sqlite_state.changed.wait(sqlite_state.changed.count)
    await ended(task)


async def test_one_incident_that_cannot_be_handled_does_not_silence_the_others(
    sqlite_state: Store, office: "Office", host: Host
) -> None:
    keys = await open_incidents(sqlite_state, office, 5)
    async with sqlite_state.write() as connection:
        await connection.execute(
            sa.update(schema.alarms)
            .where(schema.alarms.c.incident == keys[2], schema.alarms.c.kind == "escalate_0")
            .values(kind="escalate_nonsense")
        )
    clock = host.clock(sqlite_state, office)
    await clock.tick()
    await clock.tick()

    assert {row.incident for row in await entries(sqlite_state, "clock.fired")} == {*keys} - {keys[2]}
    (found,) = await entries(sqlite_state, "audit.finding")
    assert (found.detail["finding"], found.incident) == ("alarm_failed", keys[2])
    assert clock.failures == 2

    async with sqlite_state.write() as connection:
        await connection.execute(
            sa.update(schema.alarms)
            .where(schema.alarms.c.kind == "escalate_nonsense")
            .values(kind="escalate_0")
        )
    host.wait(timedelta(minutes=1))
    await clock.tick()
    assert {row.incident for row in await entries(sqlite_state, "clock.fired")} == {*keys}


async def test_a_database_that_is_away_ends_no_clock(
    sqlite_state: Store, office: "Office", host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock_module, "TICK", timedelta(milliseconds=10))
    await open_incidents(sqlite_state, office, 1)
    clock = host.clock(sqlite_state, office)
    away = [StoreBusyError("away")] * 3
    real = sqlite_state.run

    async def run(work: Any, *, attempts: int = 8) -> Any:  # noqa: ANN401 - as Store.run
        if away:
            raise away.pop()
        return await real(work, attempts=attempts)

    sqlite_state.run = run  # type: ignore[method-assign] - the far side of a network
    task = spawn("duty.clock", clock.run(), lambda _name, _error: None)
    async with asyncio.timeout(DEADLINE):
        while not clock.fired:
            await sqlite_state.changed.wait(sqlite_state.changed.count)
    await ended(task)

    assert clock.failures == 3


async def test_the_mark_is_raised_though_nothing_fires(
    sqlite_state: Store, office: "Office", host: Host
) -> None:
    clock = host.clock(sqlite_state, office)
    for _ in range(25):
        await clock.tick()
        host.wait(timedelta(seconds=1))
    async with sqlite_state.read() as connection:
        assert await read_mark(connection, clock_module.MARK) == NINE + timedelta(seconds=20)


async def test_a_wall_clock_that_jumps_or_goes_back_is_a_finding(
    sqlite_state: Store, office: "Office", host: Host
) -> None:
    clock = host.clock(sqlite_state, office)
    await clock.tick()
    host.now += HOUR
    await clock.tick()
    host.now -= 3 * HOUR
    for _ in range(3):
        host.wait(timedelta(seconds=1))
        await clock.tick()

    rows = await entries(sqlite_state, "audit.finding")
    found = [(row.detail["finding"], row.detail["by_seconds"]) for row in rows]
    assert found == [("clock_jumped", 3600.0), ("clock_set_back", 3 * 3600.0)]


@pytest.mark.parametrize("looks", range(1, 8))
async def test_a_jump_is_seen_whenever_in_a_tick_it_happens(
    sqlite_state: Store, office: "Office", looks: int
) -> None:
    keys = await open_incidents(sqlite_state, office, 3)
    wall = iter([NINE] * looks)
    clock = DutyClock(
        sqlite_state,
        office.casework,
        wall=lambda: next(wall, NINE + 9 * HOUR),
        steady=lambda: 0.0,
        batch=1,
    )
    for _ in range(4):
        await clock.tick()
    async with sqlite_state.read() as connection:
        due = [one for one in await clocks.clocks_of(connection, keys) if one.due_at]

    assert [(one.state, one.doubted_at is not None) for one in due] == [("open", True)] * 3
    assert [row.detail["finding"] for row in await entries(sqlite_state, "audit.finding")] == ["clock_jumped"]


async def test_the_last_batch_of_many_knows_how_late_it_is(
    sqlite_state: Store, office: "Office", host: Host
) -> None:
    await open_incidents(sqlite_state, office, 3)
    clock = host.clock(sqlite_state, office, batch=1)
    fire = office.casework.fire_due

    async def slow(*args: Any, **options: Any) -> Any:  # noqa: ANN401 - as Casework.fire_due
        host.wait(timedelta(seconds=1))
        return await fire(*args, **options)

    office.casework.fire_due = slow  # type: ignore[method-assign] - a slow disk
    await clock.tick()

    late = [row.detail["late_by_seconds"] for row in await entries(sqlite_state, "clock.fired")]
    assert late == [0.0, 1.0, 2.0]
