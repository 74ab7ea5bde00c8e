"""Runs and their steps as rows: due, locked, woken, put off."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from msgspec.structs import replace

from collector.store import runs
from collector.store.engine import Store
from collector.store.runs import Run, StepRow
from collector.store.schema import run_steps

NOW = datetime(2026, 3, 2, 1, 10, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def run(name: str, incident: str | None = None) -> Run:
    return Run(
        id=name,
        incident=incident,
        unit="county",
        plan="p",
        plan_sha256="s",
        state="running",
        variables={"n": 1},
        drill=False,
        started_at=NOW,
        ended_at=None,
        progress_at=NOW,
    )


def step(
    of: str, name: str, *, wake_at: datetime | None = NOW, kind: str = "wait", state: str = "waiting"
) -> StepRow:
    return StepRow(
        run=of,
        step=name,
        visit=1,
        parent="",
        kind=kind,
        state=state,  # type: ignore[arg-type]
        owner_role="duty",
        out=None,
        why=None,
        actor=None,
        ready_at=NOW,
        wake_at=wake_at,
        deadline=None,
        ended_at=None,
    )


async def put(store: Store, found: Sequence[Run], steps: Sequence[StepRow]) -> None:
    async with store.write() as conn:
        await runs.insert_runs(conn, found, {"s": {"id": "p"}}, steps)


async def wakes(store: Store) -> dict[str, datetime | None]:
    async with store.read() as conn:
        rows = await conn.execute(sa.select(run_steps.c.step, run_steps.c.wake_at))
        return {row.step: row.wake_at for row in rows}


async def test_a_run_comes_back_as_it_was_written(state: Store) -> None:
    await put(state, [run("r", "i")], [step("r", "a")])

    async with state.write() as conn:
        assert await runs.get_run(conn, "r") == run("r", "i")
        assert await runs.get_run(conn, "x") is None
        assert await runs.steps_of_run(conn, "r") == [step("r", "a")]
        assert await runs.lock_runs(conn, ["r", "x"]) == [(run("r", "i"), [step("r", "a")])]
        assert await runs.plan_bodies(conn, ["r"]) == {"s": {"id": "p"}}
        assert await runs.runs_about(conn, ["i", "j"]) == [run("r", "i")]
        assert await runs.run_from(conn, "warning/1/p") is None


async def test_what_waits_longest_is_due_first_and_what_is_over_or_not_yet_is_not(state: Store) -> None:
    steps = [
        step("b", "x", wake_at=NOW - MINUTE),
        step("a", "x", wake_at=NOW),
        step("a", "y", wake_at=NOW - 2 * MINUTE),
        step("c", "x", wake_at=NOW + MINUTE),
        step("d", "x", wake_at=NOW, state="done"),
        step("e", "x", wake_at=None),
    ]
    await put(state, [run(name) for name in "abcde"], steps)

    async with state.read() as conn:
        assert await runs.due_runs(conn, NOW, 10) == ["a", "b"]
        assert await runs.due_runs(conn, NOW, 1) == ["a"]
        assert await runs.next_wake(conn) == NOW - 2 * MINUTE


async def test_looking_for_what_is_due_uses_the_index_on_sqlite(sqlite_state: Store) -> None:
    async with sqlite_state.read() as conn:
        plan = await conn.execute(
            sa.text(
                "EXPLAIN QUERY PLAN SELECT run FROM run_steps WHERE run_steps.state IN ('ready', 'waiting') "
                "AND wake_at <= '2026-01-01' ORDER BY wake_at LIMIT 5"
            )
        )
        assert "ix_run_steps_open" in str(plan.all())


async def test_a_run_that_another_process_moves_is_left_to_it(postgres_state_url: str) -> None:
    first, second = await Store.open(postgres_state_url), await Store.open(postgres_state_url)
    await put(first, [run("a"), run("b")], [step("a", "x"), step("b", "x")])

    async with first.write() as one, second.write() as other:
        assert [each.id for each, _ in await runs.lock_runs(one, ["a"], movable_at=NOW)] == ["a"]
        assert [each.id for each, _ in await runs.lock_runs(other, ["a", "b"], movable_at=NOW)] == ["b"]
    await first.close()
    await second.close()


async def test_only_a_run_that_may_move_is_moved(sqlite_state: Store) -> None:
    states = {
        "running": None,
        "cancelling": None,
        "paused": NOW + MINUTE,
        "rested": NOW,
        "done": None,
        "failed": None,
    }
    await put(
        sqlite_state,
        [
            replace(run(name), state="paused" if name == "rested" else name, resume_at=until)
            for name, until in states.items()
        ],
        [],
    )

    async with sqlite_state.write() as conn:
        movable = [each.id for each, _ in await runs.lock_runs(conn, states, movable_at=NOW)]
        every = [each.id for each, _ in await runs.lock_runs(conn, states)]

    assert movable == ["cancelling", "rested", "running"]
    assert every == sorted(states)


async def held_up(store: Store) -> bool:
    """Whether a transaction waits for another one's lock."""
    async with store.read() as conn:
        return bool((await conn.execute(sa.text("SELECT count(*) FROM pg_locks WHERE NOT granted"))).scalar())


async def test_a_wake_up_waits_for_who_is_moving_the_run_and_is_not_written_over(
    postgres_state_url: str,
) -> None:
    mover, waker = await Store.open(postgres_state_url), await Store.open(postgres_state_url)
    await put(mover, [run("a")], [step("a", "x", wake_at=None)])

    async def wake() -> None:
        async with waker.write() as conn:
            await runs.wake_step(conn, "a/x/1", NOW)

    async with mover.write() as conn:
        ((_, (row,)),) = await runs.lock_runs(conn, ["a"])
        waking = asyncio.get_running_loop().create_task(wake())
        async with asyncio.timeout(10):
            while not await held_up(waker):
                pass
        await runs.update_steps(conn, [row], "mover")
    await waking

    assert await wakes(mover) == {"x": NOW}
    await mover.close()
    await waker.close()


async def test_an_incidents_change_wakes_the_waits_of_its_runs_alone(state: Store) -> None:
    steps = [
        step("a", "of-it", wake_at=None),
        step("a", "person", wake_at=None, kind="manual"),
        step("b", "of-another", wake_at=None),
    ]
    await put(state, [run("a", "i"), run("b", "j")], steps)

    async with state.write() as conn:
        await runs.wake_runs(conn, "i", NOW)

    assert await wakes(state) == {"of-it": NOW, "person": None, "of-another": None}


@pytest.mark.parametrize(
    ("key", "woken"), [("r/a/b/1", True), ("r/a/b/2", False), ("x", False), ("r/a/b/c", False)]
)
async def test_an_effects_key_wakes_its_own_visit(state: Store, key: str, woken: bool) -> None:  # noqa: FBT001 - the answer
    await put(state, [run("r")], [step("r", "a/b", wake_at=None)])

    async with state.write() as conn:
        await runs.wake_step(conn, key, NOW)

    assert await wakes(state) == {"a/b": NOW if woken else None}


async def test_a_run_is_put_off_with_the_reason(state: Store) -> None:
    await put(state, [run("r")], [step("r", "due"), step("r", "later", wake_at=NOW + 5 * MINUTE)])

    async with state.write() as conn:
        await runs.hold(conn, "r", NOW + MINUTE, "broken", NOW)

    assert await wakes(state) == {"due": NOW + MINUTE, "later": NOW + 5 * MINUTE}
