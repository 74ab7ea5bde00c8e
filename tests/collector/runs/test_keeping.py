"""Runs between database and memory."""

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from collector.plans.model import REGRADE
from collector.runs.keeping import PinnedPlans, load_boards, save_boards
from collector.store.runs import update_steps
from collector.store.schema import clocks, run_steps, runs

if TYPE_CHECKING:
    from tests.collector.runs.conftest import PlanRoom


async def one_run(room: "PlanRoom") -> str:
    incident = await room.open()
    await room.work()
    return (await room.run_of(incident)).id


async def test_a_run_comes_back_as_it_was_written(room: "PlanRoom") -> None:
    run = await one_run(room)

    async with room.store.write() as conn:
        (board,) = await load_boards(conn, [run, "no-run"], PinnedPlans())

    plan = room.plans["page-tampering"]
    assert {name: step for name, step in board.plan.steps.items() if name != REGRADE} == plan.steps
    assert board.plan.steps[REGRADE].kind == "regrade"
    assert board.incident is not None
    assert board.incident.title == "门户网站首页被篡改"
    assert {row.name for row in board.rows.values() if row.open} == {
        "first-hour#1",
        "keep-evidence#1",
        "static-notice#1",
        "receipt#1",
    }
    assert (board.new, board.changed) == ([], [])


async def test_a_run_that_is_over_is_not_moved(small_room: "PlanRoom") -> None:
    run = await one_run(small_room)
    async with small_room.store.write() as conn:
        await conn.execute(runs.update().values(state="cancelled"))

        assert await load_boards(conn, [run], PinnedPlans(), movable_at=small_room.now) == []


async def test_nothing_moved_is_nothing_written(small_room: "PlanRoom") -> None:
    run = await one_run(small_room)
    before = await small_room.rows(run_steps)

    async with small_room.store.write() as conn:
        boards = await load_boards(conn, [run], PinnedPlans())
        await save_boards(conn, boards, "test", small_room.now)

    assert await small_room.rows(run_steps) == before


async def test_who_moved_a_step_without_its_lock_is_caught_by_the_fence(small_room: "PlanRoom") -> None:
    run = await one_run(small_room)
    async with small_room.store.write() as conn:
        (board,) = await load_boards(conn, [run], PinnedPlans())
        row = replace(board.rows["receipt", 1], why="mine")
        await update_steps(conn, [row], "first")

        with pytest.raises(RuntimeError, match="1 steps were moved without their run's lock"):
            await update_steps(conn, [row], "second")


async def test_a_deadline_bound_to_a_report_is_read_from_its_clock(small_room: "PlanRoom") -> None:
    small_room.put(
        """
id: bound
name: {zh: 限, en: bound}
classes: [NAWEBMOD]
steps:
  - id: fill
    kind: manual
    owner: duty
    due: {obligation: cn-cac-2025/first, ahead: 10m}
    title: {zh: 填, en: fill}
"""
    )
    incident = await small_room.open(facts={"declared_level": "II"})

    await small_room.work()

    (clock,) = [row for row in await small_room.rows(clocks) if row["obligation"] == "cn-cac-2025/first"]
    step = (await small_room.steps(incident))["fill"]
    assert step.deadline == clock["due_at"] - timedelta(minutes=10)


async def test_a_deadline_follows_the_clock_that_opens_or_moves_after_the_step_began(
    room: "PlanRoom",
) -> None:
    room.put(
        """
id: bound
name: {zh: 限, en: bound}
classes: [NAWEBMOD]
steps:
  - {id: fill, kind: manual, owner: duty, due: {obligation: cn-cac-2025/first}, title: {zh: 填, en: fill}}
"""
    )
    incident = await room.open()
    await room.work()
    assert (await room.steps(incident))["fill"].deadline is None, "nothing is owed at level IV"

    async with room.store.write() as conn:
        await room.office.casework.regrade(conn, incident, room.now, {"declared_level": "II"})
    await room.work()

    (clock,) = [row for row in await room.rows(clocks) if row["obligation"] == "cn-cac-2025/first"]
    step = (await room.steps(incident))["fill"]
    assert step.deadline == step.wake_at == clock["due_at"]


async def test_only_the_newest_plans_stay_in_memory(small_room: "PlanRoom") -> None:
    pinned = PinnedPlans(size=1)
    for number in range(3):
        text = "id: p\nname: {zh: 一, en: one}\nclasses: [NAWEBMOD]\nsteps:\n"
        small_room.put(
            text + f"  - {{id: a, kind: wait, owner: duty, for: {number + 1}m, title: {{zh: 等, en: w}}}}\n"
        )
        incident = await small_room.open(fingerprint=str(number))
        await small_room.work()
        async with small_room.store.write() as conn:
            run = await small_room.run_of(incident)
            (board,) = await load_boards(conn, [run.id], pinned)
        assert board.plan.steps["a"].length == timedelta(minutes=number + 1)  # type: ignore[union-attr]
    assert len(pinned._plans) == 1
