"""The calendar table is kept, and what could not be computed is computed once its year is known."""

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa

from collector.casework import Casework
from collector.duty import Auditor
from collector.duty.calendars import CalendarKeeper
from collector.regimes import Calendars, read_regime
from collector.store import schema
from collector.store.calendars import read_years
from collector.workdays import CalendarFile, read_calendar

if TYPE_CHECKING:
    from collector.store.engine import Store
    from tests.conftest import Office

LAW = """
id: xx-own
name: {zh: 自定, en: own}
source: house rule
applies: {when: unit.country == "CN", source: Art. 1, verified: true}
stages:
  - id: report
    name: {zh: 报告, en: report}
    recipients: [police]
    limit: 5wd
    source: Art. 2
    verified: true
    content: {items: [{zh: 甲, en: A}], source: Art. 2, verified: true}
"""
DECREED = "region: CN\nyear: 2027\nsource: decree\noff: [{from: 2027-01-01, until: 2027-01-03}]\n"
DECEMBER = datetime(2026, 12, 29, 1, tzinfo=UTC)  # Tuesday, 09:00 in China


class Bureau:
    """A duty office whose own rule counts working days, with a keeper of the calendar."""

    def __init__(self, store: "Store", office: "Office", now: datetime) -> None:
        self.store, self.office, self.now = store, office, now
        law, _ = read_regime(LAW, "own.yaml")
        self.files: tuple[CalendarFile, ...] = ()
        self.casework = Casework(
            registry=lambda: office.registry,
            regimes=lambda: (*office.regimes, law),
            policy=lambda: office.policy,
            calendars=self.in_force,
        )
        self.keeper = CalendarKeeper(
            store,
            regions=lambda: {unit.region for unit in office.registry.units.values()},
            files=lambda: self.files,
            regrade=self.casework.regrade,
            now=lambda: self.now,
        )

    def in_force(self) -> Calendars:
        return self.keeper.in_force()

    async def open(self) -> None:
        finding = self.office.finding(self.now)
        await self.store.run(lambda conn: self.casework.open(conn, finding, self.now, self.now))

    async def clock(self) -> tuple[str, datetime | None]:
        query = sa.select(schema.clocks.c.state, schema.clocks.c.due_at).where(
            schema.clocks.c.obligation == "xx-own/report"
        )
        async with self.store.read() as connection:
            state, due_at = (await connection.execute(query)).one()
        return state, due_at


async def test_a_limit_is_counted_over_make_up_days_and_holidays(
    sqlite_state: "Store", office: "Office"
) -> None:
    # Aware on Wednesday 30 September 2026; 1-7 October are off, Saturday 10 October is worked.
    bureau = Bureau(sqlite_state, office, datetime(2026, 9, 30, 1, tzinfo=UTC))
    await bureau.keeper.keep()
    await bureau.open()

    assert await bureau.clock() == ("open", datetime(2026, 10, 13, 1, tzinfo=UTC))


async def test_over_the_year_s_end_it_is_not_guessed_and_computed_once_the_year_is_decreed(
    state: "Store", office: "Office"
) -> None:
    bureau = Bureau(state, office, DECEMBER)
    await bureau.keeper.keep()
    await bureau.open()
    assert await bureau.clock() == ("cannot_compute", None)

    bureau.files = (read_calendar(DECREED, "CN-2027.yaml"),)
    (written,) = await bureau.keeper.keep()

    # 30, 31 December, 4, 5, 6 January.
    assert (written.year, written.confirmed) == (2027, True)
    assert await bureau.clock() == ("open", datetime(2027, 1, 6, 1, tzinfo=UTC))


async def test_another_process_s_calendar_is_taken_over_from_the_table(
    sqlite_state: "Store", office: "Office"
) -> None:
    newer, older = (Bureau(sqlite_state, office, DECEMBER) for _ in range(2))
    newer.files = (read_calendar(DECREED, "CN-2027.yaml"),)
    await newer.keeper.keep()
    await older.keeper.keep()

    assert older.in_force() == newer.in_force()
    assert date(2027, 1, 4) in older.in_force().by_region["CN"].days[2027]


async def test_a_start_takes_over_the_table_before_anything_is_graded(
    sqlite_state: "Store", office: "Office"
) -> None:
    before, after = (Bureau(sqlite_state, office, DECEMBER) for _ in range(2))
    await before.keeper.keep()

    assert await after.keeper.load()
    assert not await after.keeper.load()
    assert after.in_force() == before.in_force() != Calendars()


async def test_a_pass_that_finds_nothing_new_writes_nothing(sqlite_state: "Store", office: "Office") -> None:
    bureau = Bureau(sqlite_state, office, DECEMBER)

    assert len(await bureau.keeper.keep()) == 3
    assert await bureau.keeper.keep() == []


async def told(store: "Store", office: "Office", now: datetime) -> list[str]:
    """What the auditor tells people of the calendar at a time."""
    await Bureau(store, office, now).keeper.keep()
    auditor = Auditor(store, lambda: office.registry, "city", now=lambda: now)
    await auditor.audit()
    async with store.read() as connection:
        payloads = (await connection.execute(sa.select(schema.notices.c.payload))).scalars().all()
    return [each["body"] for each in payloads if each["kind"] == "calendar_missing"]


async def test_from_november_on_a_next_year_that_nobody_decreed_wakes_people_once(
    state: "Store", office: "Office"
) -> None:
    assert await told(state, office, datetime(2026, 10, 31, 23, tzinfo=UTC)) == []

    (body,) = await told(state, office, datetime(2026, 11, 1, 1, tzinfo=UTC))
    assert "calendar:CN/2027" in body
    assert "fengsui-collector calendar import FILE" in body
    assert len(await told(state, office, datetime(2026, 11, 9, 1, tzinfo=UTC))) == 1


async def test_a_year_that_is_here_and_not_decreed_is_told_in_any_month(
    sqlite_state: "Store", office: "Office"
) -> None:
    (body,) = await told(sqlite_state, office, datetime(2027, 3, 1, 1, tzinfo=UTC))

    assert "calendar:CN/2027, 2027-01-01" in body


async def test_a_decreed_year_is_no_finding(sqlite_state: "Store", office: "Office") -> None:
    now = datetime(2026, 11, 5, 1, tzinfo=UTC)
    bureau = Bureau(sqlite_state, office, now)
    bureau.files = (read_calendar(DECREED, "CN-2027.yaml"),)
    await bureau.keeper.keep()

    assert await told(sqlite_state, office, now) == []
    async with sqlite_state.read() as connection:
        assert (await read_years(connection))["CN", 2027].source == "decree"
