"""What persons do to an incident; clocks get later by their word alone."""

from datetime import timedelta

import pytest

from collector.casework import NeedsReasonError
from collector.escalation import read_policy
from collector.incident import IllegalMoveError
from tests.collector.casework.office_desk import FIRST, HOUR, MINUTE, NINE, REPORT, Desk

TWO = """
id: default
chains: {default: [{to: duty, after: 0s}]}
acknowledgements: {default: 2}
progress: {default: 1h}
"""


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
