"""The duty office at work, hour by hour: what burns, who is woken, what is owed, what stops the clock."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from collector.casework.case import case_of
from collector.duty import DutyClock
from collector.incident import IllegalMoveError
from collector.regimes import explain
from collector.store import clocks, incidents, journal, schema
from collector.store.clocks import Clock
from collector.store.engine import Store
from collector.store.incidents import Incident
from collector.store.proofs import proofs_of
from collector.trust.journal_chain import verify

if TYPE_CHECKING:
    from tests.conftest import Office

NINE = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)  # nine o'clock in the county
FIRST = "cn-cac-2025/first"
REPORT = "cn-informatization/report"


class Day:
    """A day at the county's duty office; its clock goes only where the test sends it."""

    def __init__(self, store: Store, office: "Office") -> None:
        self.store = store
        self.office = office
        self.now = NINE
        self.steady = 0.0
        self.incident = ""
        self.clock = self.new_clock()

    def new_clock(self) -> DutyClock:
        return DutyClock(self.store, self.office.casework, wall=lambda: self.now, steady=lambda: self.steady)

    async def at(self, hour: int, minute: int = 0) -> None:
        """Let time pass minute by minute, as the duty clock lives it."""
        await self.clock.tick()
        while self.now < NINE.replace(hour=hour - 8, minute=minute):
            self.now += timedelta(minutes=1)
            self.steady += 60
            await self.clock.tick()

    async def a_page_is_tampered_with(self, **changes: object) -> None:
        async with self.store.write() as connection:
            finding = self.office.finding(self.now, **changes)
            self.incident = await self.office.casework.open(connection, finding, self.now, self.now)

    async def wang_moves_it_to(self, state: str) -> None:
        async with self.store.write() as connection:
            await self.office.casework.move(connection, self.incident, state, "user:wang", self.now)

    async def wang_confirms(self, **what: str) -> None:
        async with self.store.write() as connection:
            await self.office.casework.confirm(connection, self.incident, "user:wang", self.now, **what)

    async def is_filed(self, obligation: str, *, arrived: bool = True, complete: bool = True) -> None:
        clock = await self.owed(obligation)
        async with self.store.write() as connection:
            await connection.execute(
                sa.insert(schema.filings).values(
                    id=f"filing-{clock.id}",
                    key=f"{self.incident}/{obligation}",
                    incident=self.incident,
                    clock=clock.id,
                    obligation=obligation,
                    recipient=clock.recipient,
                    way="person",
                    state="receipted" if arrived else "waiting",
                    payload={"complete": complete},
                    created_at=self.now,
                    next_at=self.now,
                    filed_at=self.now,
                    receipt_at=self.now if arrived else None,
                )
            )
            await self.office.casework.record_filing(
                connection,
                clock.id,
                f"filing-{clock.id}",
                self.now,
                self.now if arrived else None,
                complete,
                "user:wang",
                self.now,
            )

    async def held(self) -> Incident:
        async with self.store.read() as connection:
            found = await incidents.get_incident(connection, self.incident)
        assert found is not None
        return found

    async def owed(self, obligation: str) -> Clock:
        async with self.store.read() as connection:
            found = await clocks.clocks_of(connection, [self.incident])
        return next(clock for clock in found if clock.obligation == obligation)

    async def told(self) -> list[str]:
        """Who was told what: `person kind` of every notice, in order."""
        async with self.store.read() as connection:
            rows = await connection.execute(
                sa.select(schema.notices.c.person, schema.notices.c.payload).order_by(
                    schema.notices.c.created_at, schema.notices.c.id
                )
            )
            return [f"{person} {payload['kind']}" for person, payload in rows]

    async def rows_say_what_the_law_says(self) -> None:
        async with self.store.read() as connection:
            rows = await clocks.clocks_of(connection, [self.incident])
            proofs = (await proofs_of(connection, [self.incident])).get(self.incident, [])
        names = {row.id: row.obligation for row in rows}
        case = case_of(await self.held(), self.office.registry, proofs, names)
        answer = explain(case, self.office.regimes, self.now)

        assert {(row.obligation, row.due_at, row.target_at, row.state_at(self.now)) for row in rows} == {
            (owed.id, owed.due_at, owed.target_at, owed.state) for owed in answer.obligations
        }

    async def actions(self) -> list[str]:
        async with self.store.read() as connection:
            return [row.action for row in await journal.of_incident(connection, self.incident)]


@pytest.fixture
def day(sqlite_state: Store, office: "Office") -> Day:
    return Day(sqlite_state, office)


async def test_a_tampered_home_page_from_the_first_minute_to_the_receipt(day: Day) -> None:
    await day.a_page_is_tampered_with()

    held = await day.held()
    assert (held.level, held.next_level and held.next_level["level"]) == ("IV", "III")
    assert (await day.owed(REPORT)).state == "no_number"
    assert (await day.owed(REPORT)).target_at == NINE + timedelta(minutes=60)

    await day.at(9, 29)
    assert await day.told() == ["wang escalate_0"]

    await day.at(9, 30)
    assert (await day.held()).level == "III"
    assert (await day.owed(FIRST)).due_at == NINE + timedelta(hours=4)
    await day.rows_say_what_the_law_says()

    await day.wang_moves_it_to("acknowledged")
    await day.at(12, 30)
    await day.is_filed(FIRST)
    await day.is_filed(REPORT)
    first = await day.owed(FIRST)
    assert (first.state, first.met_at) == ("met", day.now)
    assert (await day.owed(REPORT)).state == "met"
    await day.rows_say_what_the_law_says()

    await day.at(17)
    assert await day.told() == [
        "wang escalate_0",
        "wang escalate_0",  # the level rose
        "wang half",  # of the house target
        "wang four_fifths",
        "zhao four_fifths",
        "wang target",
        "zhao target",
        "wang half",  # 11:00, half of four hours
        "wang four_fifths",  # 12:12
        "zhao four_fifths",
    ]


async def test_nobody_files_and_the_clock_goes_on_telling(day: Day) -> None:
    await day.a_page_is_tampered_with()
    await day.at(13)
    assert (await day.owed(FIRST)).state_at(day.now) == "open"
    await day.rows_say_what_the_law_says()

    await day.at(13, 31)
    assert (await day.owed(FIRST)).state == "overdue"
    told = await day.told()
    assert told[-9:] == [
        "wang due",
        "zhao due",
        "li due",
        "wang overdue_1",
        "zhao overdue_1",
        "li overdue_1",
        "wang overdue_2",
        "zhao overdue_2",
        "li overdue_2",
    ]

    await day.is_filed(FIRST)
    first = await day.owed(FIRST)
    assert first.state == "met_late"
    await day.at(16)
    assert (await day.told())[-1] == "li overdue_2"


async def test_what_is_sent_but_has_not_arrived_stops_no_clock(day: Day) -> None:
    await day.a_page_is_tampered_with()
    await day.at(9, 31)
    await day.is_filed(FIRST, arrived=False)

    assert (await day.owed(FIRST)).state == "open"
    await day.rows_say_what_the_law_says()


async def test_a_first_report_with_open_items_begins_the_supplement(day: Day) -> None:
    await day.a_page_is_tampered_with()
    await day.at(9, 31)
    assert (await day.owed("cn-cac-2025/supplement")).state == "not_yet"
    await day.is_filed(FIRST, complete=False)

    assert (await day.owed("cn-cac-2025/supplement")).state == "no_number"
    await day.rows_say_what_the_law_says()


async def test_handling_ends_the_growth_and_begins_the_summary(day: Day) -> None:
    await day.a_page_is_tampered_with()
    await day.at(9, 40)
    await day.wang_moves_it_to("handled")

    held = await day.held()
    assert held.facts == {"homepage_tampered_minutes": 40}
    assert held.next_level is None
    assert (await day.owed("cn-cac-2025/summary")).due_at == day.now + timedelta(days=30)
    await day.rows_say_what_the_law_says()


async def test_an_unacknowledged_incident_climbs_to_the_superior(day: Day) -> None:
    await day.a_page_is_tampered_with(facts={"declared_level": "III"})
    await day.at(9, 31)

    assert [line for line in await day.told() if "escalate" in line] == [
        "wang escalate_0",
        "zhao escalate_1",
        "li escalate_2",
    ]


async def test_an_acknowledgement_ends_the_chain(day: Day) -> None:
    await day.a_page_is_tampered_with(facts={"declared_level": "III"})
    await day.at(9, 5)
    await day.wang_moves_it_to("acknowledged")
    await day.at(10)

    assert [line for line in await day.told() if "escalate" in line] == ["wang escalate_0"]


async def test_where_nobody_is_on_duty_the_leader_is_woken_at_once(day: Day) -> None:
    await day.a_page_is_tampered_with(unit="lonely", asset=None)
    await day.at(9, 1)

    assert await day.told() == ["qian escalate_1"]
    async with day.store.read() as connection:
        found = await journal.of_incident(connection, day.incident)
    holes = [row.detail["what"] for row in found if row.action == "audit.finding"]
    assert holes == ["nobody is registered as duty of lonely"]


async def test_after_downtime_each_clock_speaks_once_and_says_since_when_nobody_ran(day: Day) -> None:
    await day.a_page_is_tampered_with(facts={"declared_level": "III"})
    await day.at(9, 5)
    await day.wang_moves_it_to("acknowledged")
    before = await day.told()
    day.now = NINE + timedelta(hours=6, minutes=7)
    day.clock = day.new_clock()
    await day.clock.tick()

    assert sorted((await day.told())[len(before) :]) == [
        "li due",
        "wang due",
        "wang target",
        "zhao due",
        "zhao target",
    ]
    async with day.store.read() as connection:
        rows = await connection.execute(sa.select(schema.notices.c.payload))
        body = next(payload["body"] for (payload,) in rows if payload["kind"] == "due")
    assert "迟发 02:07:00" in body
    assert "2026-03-02 09:05:00 +08:00 - 2026-03-02 15:07:00 +08:00" in body


async def test_a_clock_that_is_set_back_wakes_nobody_twice(day: Day) -> None:
    await day.a_page_is_tampered_with(facts={"declared_level": "III"})
    await day.at(13, 1)
    told = await day.told()
    day.now -= timedelta(hours=5)
    await day.clock.tick()
    day.clock = day.new_clock()
    await day.clock.tick()

    assert await day.told() == told
    async with day.store.read() as connection:
        rows = [row async for row in journal.read_chains(connection)]
    findings = [row.detail["finding"] for row in rows if row.action == "audit.finding"]
    assert "clock_set_back" in findings
    assert verify(rows) == []


async def test_a_handled_incident_that_is_reported_again_burns_again(day: Day) -> None:
    await day.a_page_is_tampered_with()
    await day.at(9, 40)
    await day.wang_moves_it_to("handled")
    summary = await day.owed("cn-cac-2025/summary")
    day.now += timedelta(minutes=20)
    await day.a_page_is_tampered_with()
    await day.at(10, 1)

    held = await day.held()
    assert (held.state, held.count) == ("open", 2)
    assert (await day.told()).count("wang escalate_0") == 3
    assert await day.owed("cn-cac-2025/summary") == summary


async def test_critical_infrastructure_owes_two_reports_within_the_hour(day: Day) -> None:
    await day.a_page_is_tampered_with(
        unit="power", asset="grid", klass="NADOS", facts={"declared_level": "II"}
    )

    for recipient in ("cii_protection_department", "police"):
        assert (await day.owed(f"{FIRST}/{recipient}")).due_at == NINE + timedelta(hours=1)
    await day.rows_say_what_the_law_says()


async def test_a_classified_system_is_graded_by_nobody_here_and_its_people_are_woken_once(day: Day) -> None:
    await day.a_page_is_tampered_with(asset="secret")
    await day.at(9, 5)
    await day.wang_moves_it_to("acknowledged")
    await day.at(10)

    assert (await day.held()).level is None
    assert await day.told() == ["wang escalate_0"]


async def test_everything_that_happened_stands_in_the_journal(day: Day) -> None:
    await day.a_page_is_tampered_with()
    await day.at(9, 31)
    await day.wang_moves_it_to("acknowledged")
    await day.is_filed(FIRST)
    actions = await day.actions()

    assert actions[:3] == ["incident.opened", "incident.graded", "clock.opened"]
    assert {"clock.fired", "notice.queued", "incident.moved", "clock.met"} <= set(actions)
    async with day.store.read() as connection:
        assert verify([row async for row in journal.read_chains(connection)]) == []


async def test_a_level_on_unverified_figures_is_proposed_until_a_person_confirms_it(day: Day) -> None:
    await day.a_page_is_tampered_with()
    await day.at(9, 31)
    held = await day.held()
    assert (held.level, held.proposed) == ("III", not all(one["verified"] for one in held.reasons))
    assert held.proposed
    assert (await day.owed(FIRST)).state == "open"  # the clock runs all the same

    with pytest.raises(IllegalMoveError, match="II is to be confirmed, but III"):
        await day.wang_confirms(level="II")
    await day.wang_confirms(level="III")
    await day.at(10)
    held = await day.held()
    assert (held.level, held.proposed, held.confirmed_by) == ("III", False, "user:wang")
    with pytest.raises(IllegalMoveError, match="is final"):
        await day.wang_confirms(level="III")
    async with day.store.read() as connection:
        graded = [
            row
            for row in await journal.of_incident(connection, day.incident)
            if row.action == "incident.graded"
        ]
    assert [row.detail["proposed"] for row in graded] == [False, True, False]
    assert graded[-1].actor == "user:wang"


async def test_a_clock_missed_by_a_jump_warns_at_once_and_waits_for_a_persons_word(day: Day) -> None:
    await day.a_page_is_tampered_with(facts={"declared_level": "III"})
    await day.at(9, 5)
    await day.wang_moves_it_to("acknowledged")
    before = len(await day.told())
    day.now += timedelta(hours=6)  # the host's clock jumped
    await day.clock.tick()

    assert "wang due" in (await day.told())[before:]
    first = await day.owed(FIRST)
    assert (first.state, first.doubted_at, first.state_at(day.now)) == ("open", day.now, "overdue")
    await day.at(15, 40)
    assert (await day.told())[-1] == "li overdue_10"
    assert (await day.owed(FIRST)).state == "open"
    async with day.store.write() as connection:
        await day.office.casework.regrade(connection, day.incident, day.now)
    assert (await day.owed(FIRST)).state == "open"

    await day.wang_confirms(clock=first.id)
    confirmed = await day.owed(FIRST)
    assert (confirmed.state, confirmed.doubted_at) == ("overdue", None)
    with pytest.raises(IllegalMoveError, match="overdue"):
        await day.wang_confirms(clock=first.id)
    await day.at(16)
    assert (await day.owed(FIRST)).state == "overdue"


async def test_a_clock_in_doubt_that_was_filed_in_time_is_met(day: Day) -> None:
    await day.a_page_is_tampered_with(facts={"declared_level": "III"})
    await day.at(9, 5)
    day.now += timedelta(hours=6)
    await day.clock.tick()
    day.now -= timedelta(hours=6)  # somebody has put it right
    await day.is_filed(FIRST)

    first = await day.owed(FIRST)
    assert (first.state, first.doubted_at) == ("met", None)
