"""How runs begin: by rule, by hand, by a warning; one open run an incident."""

from typing import TYPE_CHECKING

import pytest

from collector.plans.warned import Warned
from collector.runs.starting import Starter, StartRefusedError
from collector.store.runs import get_run, steps_of_run
from collector.store.schema import runs

if TYPE_CHECKING:
    from tests.collector.runs.conftest import PlanRoom

LEADER, DUTY = frozenset({"duty", "leader"}), frozenset({"duty"})
TWO = """
id: {id}
name: {{zh: 一, en: {id}}}
classes: {classes}
{more}
steps:
  - {{id: {id}-work, kind: manual, owner: duty, timeout: 1h, title: {{zh: 办, en: work}}}}
"""


def plan(name: str, classes: str = "[NAWEBMOD]", more: str = "") -> str:
    return TWO.format(id=name, classes=classes, more=more)


async def by_hand(
    room: "PlanRoom",
    name: str,
    *,
    incident: str | None = None,
    unit: str = "county",
    roles: frozenset[str] = DUTY,
) -> str:
    starter = Starter(lambda: room.plans)
    async with room.store.write() as conn:
        return await starter.by_hand(
            conn,
            name,
            incident=incident,
            unit=unit,
            roles=roles,
            actor="person:wang",
            reason="ordered",
            now=room.now,
        )


async def test_a_plan_begins_by_hand_with_who_and_why(room: "PlanRoom") -> None:
    room.put(plan("one"))
    incident = await room.open()
    await room.work()
    run = await room.run_of(incident)
    room.put(plan("two", "[]"))

    assert await by_hand(room, "one", incident=incident) == run.id, "it runs for the incident already"
    assert await by_hand(room, "two", incident=incident) == run.id, "it joins the run that is there"
    assert await by_hand(room, "two", incident=incident) == run.id
    await room.work()

    states = await room.states(incident)
    assert (states["one-work"], states["two/two-work"]) == ("waiting", "waiting")
    assert len(await room.rows(runs)) == 1
    [told] = await room.told("run.joined")
    assert (told["joined"], told["by"], told["reason"]) == ("two", "hand", "ordered")
    assert (await room.run_of(incident)).plan_sha256 == told["sha256"] != run.plan_sha256


async def test_a_run_with_two_plans_is_over_when_both_are(small_room: "PlanRoom") -> None:
    small_room.put(plan("one"))
    incident = await small_room.open()
    await small_room.work()
    small_room.put(plan("two", "[]"))
    await by_hand(small_room, "two", incident=incident)
    await small_room.work()

    await small_room.complete(incident, "one-work")
    await small_room.work()
    assert (await small_room.run_of(incident)).state == "running"
    await small_room.complete(incident, "two/two-work")
    await small_room.work()
    assert (await small_room.run_of(incident)).state == "done"


async def test_who_may_start_a_plan_hangs_on_the_level(small_room: "PlanRoom") -> None:
    small_room.put(plan("one", "[]", "may_start: {IV: leader}"))
    incident = await small_room.open()

    with pytest.raises(StartRefusedError, match="plan one is started by the role 'leader', found duty"):
        await by_hand(small_room, "one", incident=incident)
    with pytest.raises(StartRefusedError, match="found no role"):
        await by_hand(small_room, "one", incident=incident, roles=frozenset())
    assert await by_hand(small_room, "one", incident=incident, roles=LEADER)
    with pytest.raises(StartRefusedError, match="found 'nix', expected one of"):
        await by_hand(small_room, "nix", incident=incident)
    with pytest.raises(StartRefusedError, match="incident: found 'x'"):
        await by_hand(small_room, "one", incident="x")


async def test_a_plan_begins_for_a_unit_without_an_incident(room: "PlanRoom") -> None:
    room.put(plan("guard", "[]"))

    run = await by_hand(room, "guard")
    await room.work()

    async with room.store.read() as conn:
        found = await get_run(conn, run)
        steps = {row.step: row.state for row in await steps_of_run(conn, run)}
    assert found is not None
    assert (found.unit, found.incident, steps["guard-work"]) == ("county", None, "waiting")


async def test_a_warning_begins_one_run_of_the_plan_that_is_for_it(room: "PlanRoom") -> None:
    room.put(plan("patch", "[SHEVULN]", "warnings: [orange, red]"))
    starter = Starter(lambda: room.plans)
    warned = Warned(id="w-1", colour="orange", klass="SHEVULN", title="高危漏洞", title_en="grave flaw")

    async with room.store.write() as conn:
        first = await starter.by_warning(conn, warned, "county", room.now)
        again = await starter.by_warning(conn, warned, "county", room.now)
        blue = await starter.by_warning(
            conn, Warned(id="w-2", colour="blue", klass="SHEVULN", title="低"), "county", room.now
        )
    await room.work()

    async with room.store.read() as conn:
        found = await get_run(conn, first or "")
    assert found is not None
    assert (again, blue, found.level, found.unit) == (first, None, "II", "county")
    assert (found.cause or {})["warning"]["title"] == "高危漏洞"
    assert [entry["by"] for entry in await room.told("run.started")] == ["warning"]


async def test_an_incident_that_becomes_graver_raises_its_run_and_brings_the_plan_for_that_level(
    room: "PlanRoom",
) -> None:
    little = room.put(plan("little", "[NAWEBMOD]", "levels: [IV]"))
    room.put(plan("grave", "[NAWEBMOD]", "levels: [I, II, III]"))
    room.plans |= {"little": little}
    incident = await room.open()
    await room.work()
    assert (await room.run_of(incident)).level == "IV"

    async with room.store.write() as conn:
        await room.office.casework.regrade(conn, incident, room.now, {"declared_level": "II"})
    await room.work()

    run, steps = await room.run_of(incident), await room.steps(incident)
    assert (run.plan, run.level, steps["grave/grave-work"].state) == ("little", "II", "waiting")
    assert (steps["response-level"].out or {})["to"] == "II"
