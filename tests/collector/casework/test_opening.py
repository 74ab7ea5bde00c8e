"""Findings open incidents or join them; what is over is told and moves nothing."""

from datetime import timedelta

from collector.store import clocks
from tests.collector.casework.office_desk import FIRST, HOUR, MINUTE, NINE, REPORT, Desk


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
