"""The runner: incidents get their plan, and plans get to their end."""

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from collector.store.audits import Grace, find
from collector.store.runs import due_runs
from collector.store.schema import filings, incidents, notices, orders, run_steps, runs

if TYPE_CHECKING:
    from tests.collector.runs.conftest import PlanRoom

FIRST_MINUTE = {
    "start": "done",
    "tell-duty": "done",
    "first-hour": "waiting",
    "keep-evidence": "waiting",
    "static-notice": "waiting",
    "report": "done",
    "receipt": "waiting",
    "grave": "done",  # level IV: nobody above is asked for
}


async def test_an_incident_gets_its_plan_and_what_needs_no_people_is_done(
    room: "PlanRoom",
) -> None:
    incident = await room.open()

    await room.work()

    assert await room.states(incident) == FIRST_MINUTE
    run = await room.run_of(incident)
    step_notices = [key for key in await room.keys() if key.startswith(run.id)]
    assert step_notices == [f"{run.id}/tell-duty/1/wang/webhook"]
    assert await room.keys(filings) == [f"{incident}/cn-informatization/report"]
    assert await room.keys(orders) == [f"{run.id}/keep-evidence/1"]
    assert [row["plan_pending"] for row in await room.rows(incidents)] == [False]


async def test_a_plan_runs_from_detection_to_its_last_form(room: "PlanRoom") -> None:
    incident = await room.open()
    await room.work()

    await room.answer_order()
    await room.answer_filing()
    await room.complete(incident, "static-notice", confirmed=True)
    await room.work()
    assert (await room.states(incident))["restore"] == "waiting"
    await room.complete(incident, "restore", backup="2026-03-01", signature_checked="true")
    await room.work()
    await room.complete(incident, "cause", cause="weak password", remedy="changed")
    await room.work()

    run = await room.run_of(incident)
    assert run.state == "done"
    assert run.variables == {"confirmed": True, "cause": "weak password"}
    assert set((await room.states(incident)).values()) == {"done"}
    ended = await room.told("run.ended")
    assert [entry["state"] for entry in ended] == ["done"]


async def test_what_people_did_stands_in_the_journal_with_their_name(small_room: "PlanRoom") -> None:
    incident = await small_room.open()
    await small_room.work()

    await small_room.complete(incident, "static-notice", confirmed="true", comment="seen at the console")

    row = (await small_room.steps(incident))["static-notice"]
    assert (row.actor, row.out) == ("person:wang", {"confirmed": True, "comment": "seen at the console"})
    told = [entry for entry in await small_room.told("run.step") if entry["step"] == "static-notice"]
    assert [entry["state"] for entry in told] == ["waiting", "done"]


async def test_passing_again_changes_nothing(room: "PlanRoom") -> None:
    await room.open()
    await room.work()
    before = [await room.rows(table) for table in (runs, run_steps, notices, filings, orders)]

    moved = [await room.work() for _ in range(3)]

    assert moved == [0, 0, 0]
    assert [await room.rows(table) for table in (runs, run_steps, notices, filings, orders)] == before


async def test_two_runners_at_once_make_each_effect_once(room: "PlanRoom") -> None:
    for number in range(12):
        await room.open(fingerprint=f"f{number}")

    await asyncio.gather(*(room.runner().work() for _ in range(4)))
    await room.work()

    steps = await room.rows(run_steps)
    assert len(await room.rows(runs)) == 12
    assert len([row for row in steps if row["step"] == "tell-duty" and row["state"] == "done"]) == 12
    assert {row["visit"] for row in steps} == {1}
    assert len(await room.keys(filings)) == len(await room.keys(orders)) == 12


async def test_a_hint_wins_over_the_class(small_room: "PlanRoom") -> None:
    incident = await small_room.open(plan_hint="illegal-external-connection")

    await small_room.work()

    assert (await small_room.run_of(incident)).plan == "illegal-external-connection"
    assert [entry["by"] for entry in await small_room.told("run.started")] == ["hint"]


async def test_a_class_without_a_plan_is_told_once_and_left(small_room: "PlanRoom") -> None:
    await small_room.open(klass="NAAPT")

    await small_room.work()
    await small_room.work()

    assert await small_room.rows(runs) == []
    findings = await small_room.told("audit.finding")
    assert [entry["why"] for entry in findings] == ["no plan covers class NAAPT at level IV"]


async def test_a_plan_that_cannot_be_started_is_told_and_stops_no_other(small_room: "PlanRoom") -> None:
    small_room.put(
        """
id: calls
name: {zh: 调, en: calls}
classes: [NAWEBMOD]
steps:
  - {id: call, kind: playbook-action, plan: gone, title: {zh: 调, en: call}}
"""
    )
    await small_room.open()
    other = await small_room.open(fingerprint="other", klass="SHECONFIG")

    await small_room.work()

    assert (await small_room.run_of(other)).plan == "hidden-danger"
    (finding,) = await small_room.told("audit.finding")
    assert finding["why"].startswith("the plan calls cannot be started: expected one of the plans")


async def test_a_run_goes_on_with_the_plan_it_was_started_with(small_room: "PlanRoom") -> None:
    incident = await small_room.open()
    await small_room.work()
    small_room.put(
        """
id: page-tampering
name: {zh: 新, en: new}
classes: [NAWEBMOD, NALINK]
steps:
  - {id: only, kind: wait, owner: duty, for: 1m, title: {zh: 等, en: wait}}
"""
    )

    await small_room.complete(incident, "static-notice", confirmed=True)
    await small_room.work()

    assert (await small_room.states(incident))["static-notice"] == "done"
    other = await small_room.open(fingerprint="other")
    await small_room.work()
    assert set(await small_room.states(other)) == {"start", "only"}


async def test_a_step_that_stays_open_past_its_deadline_tells_the_leader_once(small_room: "PlanRoom") -> None:
    incident = await small_room.open()
    await small_room.work()

    await small_room.work(after=timedelta(minutes=31))
    await small_room.work(after=timedelta(minutes=1))

    row = (await small_room.steps(incident))["static-notice"]
    assert (row.state, row.why) == ("waiting", "late")
    late = [key for key in await small_room.keys() if "/late/" in key]
    assert late == [f"{row.run}/static-notice/1/late/zhao/webhook"]


async def test_an_order_without_an_outcome_expires_and_the_plan_goes_on(room: "PlanRoom") -> None:
    incident = await room.open()
    await room.work()

    await room.work(after=timedelta(minutes=10))

    assert [row["state"] for row in await room.rows(orders)] == ["expired"]
    row = (await room.steps(incident))["keep-evidence"]
    assert (row.state, "expired" in row.why) == ("failed", True)
    await room.complete(incident, "static-notice", confirmed=True)
    await room.answer_filing()
    await room.work()
    assert (await room.states(incident))["restore"] == "waiting"  # on_branch_failure: continue


async def test_a_run_that_cannot_be_moved_is_put_off_and_the_others_go_on(small_room: "PlanRoom") -> None:
    broken, whole = await small_room.open(), await small_room.open(fingerprint="other")
    await small_room.work()
    run = await small_room.run_of(broken)
    async with small_room.store.write() as conn:
        await conn.execute(
            run_steps.update()
            .where(run_steps.c.run == run.id, run_steps.c.step == "static-notice")
            .values(step="a-step-no-plan-has", wake_at=small_room.now)
        )
    await small_room.answer_order()

    runner = small_room.runner()
    await small_room.complete(whole, "static-notice", confirmed=True)
    await runner.work()

    assert runner.held >= 1
    assert (await small_room.states(whole))["static-notice"] == "done"
    async with small_room.store.read() as conn:
        assert await due_runs(conn, small_room.now, 10) == []  # put off, not spinning
    told = await small_room.told("run.step")
    assert any("could not be moved" in (entry.get("why") or "") for entry in told)


async def test_the_auditor_finds_a_run_that_is_put_off_again_and_again(small_room: "PlanRoom") -> None:
    incident = await small_room.open()
    await small_room.work()
    run = await small_room.run_of(incident)
    async with small_room.store.write() as conn:
        await conn.execute(
            run_steps.update()
            .where(run_steps.c.run == run.id, run_steps.c.step == "receipt")
            .values(step="a-step-no-plan-has", wake_at=small_room.now)
        )

    for _ in range(3):
        await small_room.work(after=timedelta(minutes=6))

    async with small_room.store.read() as conn:
        found = await find(conn, small_room.now, Grace(), 100)
    assert f"run:{run.id}" in {each.subject for each in found if each.kind == "run_without_progress"}


async def test_a_drill_incident_tells_people_so_and_asks_a_node_for_a_dry_run_alone(
    small_room: "PlanRoom",
) -> None:
    incident = await small_room.open()
    async with small_room.store.write() as conn:
        await conn.execute(incidents.update().values(drill=True))

    await small_room.work()

    states = await small_room.states(incident)
    assert (states["report"], states["keep-evidence"]) == ("done", "waiting")
    run = await small_room.run_of(incident)
    sent = [row for row in await small_room.rows(notices) if row["key"].startswith(run.id)]
    assert [row["drill"] for row in sent] == [True]
    assert sent[0]["payload"]["subject"].startswith("【演练】通知值班员")
    assert [row["dry_run"] for row in await small_room.rows(orders)] == [True]


async def test_the_flow_is_woken_by_the_incident_itself(small_room: "PlanRoom") -> None:
    flow = asyncio.get_running_loop().create_task(small_room.runner().run())
    try:
        async with asyncio.timeout(20):
            seen = small_room.store.changed.count
            await small_room.open()
            while not await small_room.rows(filings):
                seen = await small_room.store.changed.wait(seen)
    finally:
        flow.cancel()


@pytest.mark.parametrize("state", ["acknowledged", "handled"])
async def test_a_wait_for_the_incident_ends_when_it_gets_there_or_further(
    small_room: "PlanRoom", state: str
) -> None:
    small_room.put(
        """
id: waits
name: {zh: 等, en: waits}
classes: [NAWEBMOD]
steps:
  - {id: seen, kind: wait, owner: duty, incident: acknowledged, title: {zh: 等, en: wait}}
"""
    )
    incident = await small_room.open()
    await small_room.work()
    assert (await small_room.states(incident))["seen"] == "waiting"

    async with small_room.store.write() as conn:
        await small_room.office.casework.move(conn, incident, state, "person:wang", small_room.now)
    await small_room.work()

    assert (await small_room.run_of(incident)).state == "done"


async def test_no_open_run_holds_a_claim_after_its_transaction(small_room: "PlanRoom") -> None:
    await small_room.open()
    await small_room.work()

    rows = await small_room.rows(run_steps)

    assert {row["lease_until"] for row in rows} == {None}
    assert {row["lease_owner"] for row in rows} == {small_room.store.incarnation}
    async with small_room.store.read() as conn:
        count = await conn.execute(sa.select(sa.func.count()).select_from(run_steps))
        assert count.scalar() == len(FIRST_MINUTE)
