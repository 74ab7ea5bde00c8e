"""Incidents and clocks are written here alone; a day at the office is in tests/acceptance/test_duty.py."""

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from msgspec.structs import replace

from collector.casework import NeedsReasonError, UnknownIncidentError
from collector.escalation import read_policy
from collector.incident import IllegalMoveError
from collector.store import clocks, journal, schema
from collector.store.clocks import Clock
from collector.store.engine import Store
from collector.store.incidents import Incident, get_incident

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.conftest import Office

NINE = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
REPORT = "cn-informatization/report"
FIRST = "cn-cac-2025/first"


class Desk:
    """The office's casework on a database; every call is a transaction of its own."""

    def __init__(self, store: Store, office: "Office") -> None:
        self.store = store
        self.office = office
        self.key = ""

    async def do(self, name: str, *args: Any, **options: Any) -> Any:  # noqa: ANN401 - any method of casework
        method: Callable[..., Awaitable[Any]] = getattr(self.office.casework, name)
        async with self.store.write() as connection:
            return await method(connection, *args, **options)

    async def report(self, at: datetime = NINE, now: datetime | None = None, **changes: Any) -> str:  # noqa: ANN401 - the fields of a finding
        finding = self.office.finding(NINE, **changes)
        self.key = await self.do("open", finding, at, now or at)
        return self.key

    async def held(self) -> Incident:
        async with self.store.read() as connection:
            found = await get_incident(connection, self.key)
        assert found is not None
        return found

    async def clocks(self) -> dict[str, Clock]:
        async with self.store.read() as connection:
            return {clock.obligation: clock for clock in await clocks.clocks_of(connection, [self.key])}

    async def told(self) -> list[journal.Row]:
        async with self.store.read() as connection:
            return await journal.of_incident(connection, self.key)


@pytest.fixture
def desk(sqlite_state: Store, office: "Office") -> Desk:
    return Desk(sqlite_state, office)


async def test_an_incident_opens_graded_with_its_clocks_and_its_journal(desk: Desk) -> None:
    await desk.report()
    held = await desk.held()

    assert (held.state, held.level, held.level_by, held.count) == ("open", "IV", "cn-cac-2025", 1)
    assert held.times["aware"] == held.times["graded"] == "2026-03-02T01:00:00Z"
    assert held.plan_pending
    assert set(await desk.clocks()) == {REPORT}
    assert [(row.action, row.actor) for row in await desk.told()] == [
        ("incident.opened", "node:node-1"),
        ("incident.graded", "system"),
        ("clock.opened", "system"),
    ]


@pytest.mark.parametrize("ahead", [timedelta(milliseconds=1), timedelta(days=2)])
async def test_a_receipt_from_a_collector_whose_clock_is_ahead_meets_the_clock(
    desk: Desk, ahead: timedelta
) -> None:
    await desk.report()
    clock = (await desk.clocks())[REPORT]
    at = NINE + MINUTE
    await desk.do("record_filing", clock.id, "filing", at, at + ahead, True, "system", at)

    met = (await desk.clocks())[REPORT]
    assert (met.state, met.met_by, met.met_at) == ("met", "filing", at + ahead)


async def test_a_clock_is_told_of_where_the_policy_says(desk: Desk) -> None:
    desk.office.policy = replace(desk.office.policy, warn_at=(25, 90))
    await desk.report()
    async with desk.store.read() as connection:
        armed = await clocks.armed_of(connection, [desk.key])

    assert {one.kind: one.at - NINE for one in armed if one.clock} == {
        "half": 15 * MINUTE,
        "four_fifths": 54 * MINUTE,
        "target": HOUR,
    }


async def test_the_level_by_the_standards_own_matrix_stands_beside_the_legal_one(desk: Desk) -> None:
    await desk.report()
    assert (await desk.held()).standard is None
    told = {"object_importance": "important", "business_loss": "especially_serious"}
    await desk.do("correct", desk.key, NINE + MINUTE, actor="user:wang", reason="judged", facts=told)

    held = await desk.held()
    assert held.level == "IV"
    assert held.standard is not None
    assert (held.standard["level"], held.standard["by"], held.standard["verified"]) == (
        "II",
        "GB/T 20986-2023",
        False,
    )
    graded = [row for row in await desk.told() if row.action == "incident.graded"]
    assert graded[-1].detail["standard"]["level"] == "II"
    moved = [row for row in await desk.told() if row.action == "incident.moved"]
    assert moved[-1].detail["unreadable_facts"] == []


async def test_a_number_too_large_for_the_journal_keeps_no_incident_from_opening(desk: Desk) -> None:
    await desk.report(facts={"loss_yuan": 2**60})
    opened, *_ = await desk.told()

    assert (await desk.held()).facts == {"loss_yuan": 2**60}
    assert opened.detail["facts"] == {"loss_yuan": str(2**60)}


async def test_a_report_of_the_same_thing_attaches_and_is_told_once_in_ten_seconds(desk: Desk) -> None:
    await desk.report()
    for seconds in range(1, 25):
        at = NINE + timedelta(seconds=seconds)
        await desk.report(at, count=2, last_seen=at, evidence=({"n": seconds},))
    held = await desk.held()

    assert (held.count, held.last_seen) == (49, NINE + timedelta(seconds=24))
    assert [one["n"] for one in held.evidence] == list(range(5, 25))
    told = [row.detail["count"] for row in await desk.told() if row.action == "incident.attached"]
    assert told == [21, 41]


async def test_the_earliest_receipt_counts_as_aware_and_makes_clocks_earlier(desk: Desk) -> None:
    await desk.report(NINE + HOUR)
    await desk.report(NINE, NINE + HOUR)

    clock = (await desk.clocks())[REPORT]
    assert (clock.anchor_at, clock.target_at, clock.generation) == (NINE, NINE + HOUR, 2)
    await desk.report(NINE + 2 * HOUR)
    assert (await desk.clocks())[REPORT] == clock


async def test_new_facts_raise_the_level_and_open_what_is_owed_by_it(desk: Desk) -> None:
    await desk.report()
    await desk.report(NINE + MINUTE, facts={"declared_level": "II"})

    assert (await desk.held()).level == "II"
    assert (await desk.clocks())[FIRST].due_at == NINE + 4 * HOUR


async def test_facts_without_the_words_of_the_law_are_kept_and_named(desk: Desk) -> None:
    await desk.report(facts={"views": "many", "files": ["index.html"]})

    assert (await desk.held()).facts == {"views": "many", "files": ["index.html"]}
    assert (await desk.told())[0].detail["unreadable_facts"] == ["views", "files"]


async def test_an_ending_is_evidence_and_ends_the_growth_but_moves_nothing(desk: Desk) -> None:
    await desk.report()
    facts = {"homepage_tampered_minutes": 10}
    found = await desk.do("note", (await desk.held()).fingerprint, {"restored": True}, NINE + HOUR / 6, facts)
    held = await desk.held()

    assert found == desk.key
    assert (held.state, held.facts, held.next_level) == ("open", facts, None)
    assert held.evidence == [{"restored": True}]
    async with desk.store.read() as connection:
        armed = await clocks.armed_of(connection, [desk.key])
    assert "regrade" not in {alarm.kind for alarm in armed}


async def test_the_ending_of_what_nobody_knows_is_nothing(desk: Desk) -> None:
    assert await desk.do("note", "unheard of", {}, NINE) is None


async def test_an_illegal_move_is_refused_and_changes_nothing(desk: Desk) -> None:
    await desk.report()
    await desk.do("move", desk.key, "contained", "user:wang", NINE, "unplugged")
    before = await desk.held()
    with pytest.raises(IllegalMoveError, match="'contained', asked for 'acknowledged'"):
        await desk.do("move", desk.key, "acknowledged", "user:li", NINE)

    assert await desk.held() == before
    assert (before.acknowledged_by, before.times["contained"]) == ("user:wang", "2026-03-02T01:00:00Z")


async def test_a_closed_incident_still_owes_its_reports(desk: Desk) -> None:
    await desk.report(facts={"declared_level": "III"})
    await desk.do("move", desk.key, "closed", "user:wang", NINE + HOUR, "false alarm")
    await desk.do("fire_due", NINE + 4 * HOUR)

    assert (await desk.held()).closed_at == NINE + HOUR
    assert (await desk.clocks())[FIRST].state == "overdue"
    assert (await desk.clocks())["cn-cac-2025/summary"].due_at == NINE + HOUR + timedelta(days=30)


async def test_grading_anew_by_the_system_takes_facts_only_upward(desk: Desk) -> None:
    await desk.report(facts={"views": 100})
    await desk.do("regrade", desk.key, NINE, {"views": 10, "reposts": 3})

    assert (await desk.held()).facts == {"views": 100, "reposts": 3}


@pytest.mark.parametrize(("actor", "reason"), [("system", "why not"), ("user:wang", ""), ("node:1", "so")])
async def test_a_correction_needs_a_named_person_and_a_reason(desk: Desk, actor: str, reason: str) -> None:
    await desk.report()
    with pytest.raises(NeedsReasonError, match="expected a named person and a reason"):
        await desk.do("correct", desk.key, NINE, actor=actor, reason=reason, facts={"views": 1})


async def test_a_person_may_make_a_clock_later_and_the_journal_keeps_the_reason(desk: Desk) -> None:
    await desk.report(facts={"declared_level": "III"})
    await desk.do(
        "correct",
        desk.key,
        NINE,
        actor="person:wang",
        reason="the report was of a drill before",
        times={"aware": NINE + 2 * HOUR},
        facts={"declared_level": None, "views": 1_000_000},
    )

    clock = (await desk.clocks())[REPORT]
    assert (clock.anchor_at, clock.target_at) == (NINE + 2 * HOUR, NINE + 3 * HOUR)
    assert (await desk.held()).facts == {"views": 1_000_000}
    moved = [row for row in await desk.told() if row.action in {"incident.moved", "clock.moved"}]
    assert {row.detail["reason"] for row in moved} == {"the report was of a drill before"}
    assert {row.actor for row in moved} == {"person:wang"}


async def test_a_receipt_meets_the_clock_in_time_by_when_it_was_filed(desk: Desk) -> None:
    await desk.report(facts={"declared_level": "III"})
    clock = (await desk.clocks())[FIRST]
    filed, arrived = NINE + 3 * HOUR, NINE + 5 * HOUR
    await desk.do("record_filing", clock.id, "f", filed, arrived, True, "system", arrived)

    met = (await desk.clocks())[FIRST]
    assert (met.state, met.met_by, met.met_at) == ("met", "f", arrived)


async def test_what_is_not_there_is_named(desk: Desk) -> None:
    with pytest.raises(UnknownIncidentError, match="incident nothing: there is none"):
        await desk.do("move", "nothing", "closed", "user:wang", NINE)
    with pytest.raises(UnknownIncidentError, match="clock nothing: there is none"):
        await desk.do("record_filing", "nothing", "f", NINE, NINE, True, "system", NINE)


async def test_a_reload_counts_at_the_next_call(desk: Desk) -> None:
    await desk.report(facts={"declared_level": "III"})
    desk.office.regimes = tuple(one for one in desk.office.regimes if one.id != "cn-cac-2025")
    await desk.report(fingerprint="another", facts={"declared_level": "III"})

    assert set(await desk.clocks()) == {REPORT}


async def test_firing_leaves_out_what_it_is_told_to(desk: Desk) -> None:
    first = await desk.report(fingerprint="1")
    second = await desk.report(fingerprint="2")
    skipped = await desk.do("fire_due", NINE, skip=[first])
    only = await desk.do("fire_due", NINE, only=first)

    assert [alarm.incident for alarm in skipped.alarms] == [second]
    assert [alarm.incident for alarm in only.alarms] == [first]


@pytest.mark.slow
async def test_a_thousand_alarms_of_one_second_are_fired_within_five(desk: Desk) -> None:
    async with desk.store.write() as connection:
        for number in range(1000):
            finding = desk.office.finding(NINE, fingerprint=str(number), facts={"declared_level": "III"})
            await desk.office.casework.open(connection, finding, NINE, NINE)
    began = time.monotonic()
    while (await desk.do("fire_due", NINE)).alarms:
        pass
    took = time.monotonic() - began
    async with desk.store.read() as connection:
        notices = (
            await connection.execute(sa.select(sa.func.count()).select_from(schema.notices))
        ).scalar_one()

    assert notices == 1000
    assert took < 5


TWO = """
id: default
chains: {default: [{to: duty, after: 0s}]}
acknowledgements: {default: 2}
progress: {default: 1h}
"""


async def test_where_two_are_needed_two_different_people_end_the_chain(desk: Desk) -> None:
    desk.office.policy = read_policy(TWO, "own.yaml")
    await desk.report()

    assert await desk.do("acknowledge", desk.key, "person:wang", NINE) == 1
    assert ((await desk.held()).state, (await desk.held()).acknowledged_by) == ("open", "person:wang")
    with pytest.raises(IllegalMoveError, match="it needs 1 more of other people"):
        await desk.do("move", desk.key, "acknowledged", "person:wang", NINE)

    await desk.do("move", desk.key, "acknowledged", "user:zhao", NINE + MINUTE)
    assert ((await desk.held()).state, (await desk.held()).acknowledged_by) == ("acknowledged", "person:wang")
    with pytest.raises(IllegalMoveError):
        await desk.do("acknowledge", desk.key, "person:li", NINE + MINUTE)


async def test_an_acknowledgement_lapses_unless_a_person_does_something(desk: Desk) -> None:
    desk.office.policy = read_policy(TWO.replace("default: 2", "default: 1"), "own.yaml")
    await desk.report()
    await desk.do("acknowledge", desk.key, "person:wang", NINE)
    await desk.do("regrade", desk.key, NINE + 30 * MINUTE, {"views": 5}, "user:wang")

    await desk.do("fire_due", NINE + HOUR)
    assert (await desk.held()).state == "acknowledged"
    await desk.do("fire_due", NINE + 90 * MINUTE)
    assert (await desk.held()).state == "open"
    assert await desk.do("acknowledge", desk.key, "person:wang", NINE + 91 * MINUTE) == 0
