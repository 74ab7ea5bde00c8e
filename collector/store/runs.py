"""Runs of plans and the visits of their steps, as rows.

A run's row is the lock for its steps: who moves them holds it, so that two branches ending at the same
moment in two processes see each other at the join. A visit's row is only written by the holder, at the
fence it was read with.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa
from msgspec import Struct
from msgspec.structs import asdict
from sqlalchemy.ext.asyncio import AsyncConnection

from wire.vocabulary import Level

from .schema import incidents, run_steps, runs

RunState = Literal["running", "paused", "cancelling", "done", "failed", "cancelled"]
StepState = Literal["ready", "waiting", "done", "failed", "skipped", "cancelled"]
OPEN: tuple[StepState, ...] = ("ready", "waiting")
MOVING: tuple[RunState, ...] = ("running", "cancelling")
"""States of a run whose steps move; one that is given up moves the steps that take back what was done."""

Key = tuple[str, int]


class Run(Struct, frozen=True, kw_only=True):
    """A plan being carried out.

    Fields:
        plan_sha256: Of the content it was started with, whatever the plan's file says now.
        unit: Whose run it is.
        variables: What its steps have written.
        progress_at: When anything last moved.
        level: The response level it is carried out at; None: of a time before levels were kept.
        cause: What started it: `by` (class, hint, hand, warning), and its `warning` or `reason`.
        origin: What makes a run without incident one.
        resume_at: When a paused run goes on by itself.
    """

    id: str
    incident: str | None
    unit: str
    plan: str
    plan_sha256: str
    state: RunState
    variables: dict[str, Any]
    drill: bool
    started_at: datetime
    ended_at: datetime | None
    progress_at: datetime
    level: Level | None = None
    cause: dict[str, Any] | None = None
    origin: str | None = None
    resume_at: datetime | None = None


class StepRow(Struct, frozen=True, kw_only=True):
    """One visit of a step; an open one is where the run stands.

    Fields:
        parent: `step#visit` of the branching step it returns to; empty on the main line.
        wake_at: When to look at it again; None: a person or another row will wake it.
        deadline: By when it has to be over.
        why: Why it failed, was skipped, is late, or asks a person.
        actor: Who ended it.
        fence: Counts writes.
    """

    run: str
    step: str
    visit: int
    parent: str
    kind: str
    state: StepState
    owner_role: str | None
    out: dict[str, Any] | None
    why: str | None
    actor: str | None
    ready_at: datetime
    wake_at: datetime | None
    deadline: datetime | None
    ended_at: datetime | None
    fence: int = 0

    @property
    def key(self) -> Key:
        """The step and which visit of it."""
        return self.step, self.visit

    @property
    def name(self) -> str:
        """How rows below name this one as their parent."""
        return f"{self.step}#{self.visit}"

    @property
    def open(self) -> bool:
        """Whether the run stands here."""
        return self.state in OPEN

    @property
    def asks(self) -> bool:
        """Whether it waits for a person's choice."""
        return self.state == "waiting" and bool((self.out or {}).get("choices"))


class Pending(Struct, frozen=True, kw_only=True):
    """An incident for which a plan is to be found."""

    id: str
    unit: str
    asset: str | None
    klass: str
    level: str | None
    plan_hint: str | None
    drill: bool


_RUN = tuple(runs.c[name] for name in Run.__struct_fields__)
_STEP = tuple(run_steps.c[name] for name in StepRow.__struct_fields__)
# Spelled as in the partial index, else SQLite does not use it.
_IS_OPEN = sa.text("run_steps.state IN ('ready', 'waiting')")


async def due_runs(conn: AsyncConnection, now: datetime, limit: int) -> list[str]:
    """Return runs with a step to look at, those that wait longest first."""
    query = (
        sa.select(run_steps.c.run)
        .where(_IS_OPEN, run_steps.c.wake_at <= now)
        .order_by(run_steps.c.wake_at)
        .limit(limit)
    )
    return list(dict.fromkeys((await conn.execute(query)).scalars()))


async def next_wake(conn: AsyncConnection) -> datetime | None:
    """Return when a step is to be looked at next."""
    query = (
        sa.select(run_steps.c.wake_at)
        .where(_IS_OPEN, run_steps.c.wake_at.is_not(None))
        .order_by(run_steps.c.wake_at)
        .limit(1)
    )
    found: datetime | None = (await conn.execute(query)).scalar()
    return found


async def lock_runs(
    conn: AsyncConnection, keys: Iterable[str], *, movable_at: datetime | None = None
) -> list[tuple[Run, list[StepRow]]]:
    """Return runs with their steps, and keep every other transaction from moving them.

    Args:
        conn: A write transaction.
        keys: Ids of runs.
        movable_at: Only those that may move at this time, and none that another process holds; None: every
            one of them, waiting for who holds it.
    """
    query = sa.select(*_RUN).where(runs.c.id.in_(sorted(keys))).order_by(runs.c.id)
    if movable_at is not None:
        over = sa.and_(runs.c.state == "paused", runs.c.resume_at <= movable_at)
        query = query.where(sa.or_(runs.c.state.in_(MOVING), over))
    query = query.with_for_update(skip_locked=movable_at is not None)
    found = [Run(**row) for row in (await conn.execute(query)).mappings()]
    steps: dict[str, list[StepRow]] = {run.id: [] for run in found}
    if found:
        rows = await conn.execute(sa.select(*_STEP).where(run_steps.c.run.in_(steps)))
        for row in rows.mappings():
            steps[row["run"]].append(StepRow(**row))
    return [(run, steps[run.id]) for run in found]


async def get_run(conn: AsyncConnection, key: str) -> Run | None:
    """Return a run as it stands."""
    row = (await conn.execute(sa.select(*_RUN).where(runs.c.id == key))).mappings().first()
    return Run(**row) if row else None


async def steps_of_run(conn: AsyncConnection, key: str) -> list[StepRow]:
    """Return a run's steps in the order they became ready."""
    query = (
        sa.select(*_STEP)
        .where(run_steps.c.run == key)
        .order_by(run_steps.c.ready_at, run_steps.c.visit, run_steps.c.step)
    )
    return [StepRow(**row) for row in (await conn.execute(query)).mappings()]


async def plan_bodies(conn: AsyncConnection, keys: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return the pinned content of these runs' plans by its SHA-256."""
    query = sa.select(runs.c.plan_sha256, runs.c.plan_body).where(runs.c.id.in_(list(keys)))
    return {row.plan_sha256: row.plan_body for row in await conn.execute(query)}


async def insert_runs(
    conn: AsyncConnection,
    new: Sequence[Run],
    bodies: Mapping[str, Mapping[str, Any]],
    first: Sequence[StepRow],
) -> None:
    """Add runs with their pinned content (by SHA-256) and first steps."""
    if new:
        await conn.execute(
            sa.insert(runs), [asdict(run) | {"plan_body": bodies[run.plan_sha256]} for run in new]
        )
        await insert_steps(conn, first)


async def insert_steps(conn: AsyncConnection, new: Sequence[StepRow], owner: str | None = None) -> None:
    """Add visits; one that is already there is a mistake of ours and raises IntegrityError."""
    if new:
        await conn.execute(sa.insert(run_steps), [asdict(row) | {"lease_owner": owner} for row in new])


async def update_steps(conn: AsyncConnection, changed: Sequence[StepRow], owner: str | None = None) -> None:
    """Write visits that their holder has moved, each at the fence it was read with.

    Raises:
        RuntimeError: One was moved without the run's lock.
    """
    if not changed:
        return
    fields = ("state", "out", "why", "actor", "wake_at", "deadline", "ended_at")
    statement = (
        sa.update(run_steps)
        .where(
            run_steps.c.run == sa.bindparam("b_run"),
            run_steps.c.step == sa.bindparam("b_step"),
            run_steps.c.visit == sa.bindparam("b_visit"),
            run_steps.c.fence == sa.bindparam("b_fence"),
        )
        .values(
            {name: sa.bindparam(f"b_{name}") for name in fields}
            | {"fence": run_steps.c.fence + 1, "lease_owner": owner, "lease_until": None}
        )
    )
    wanted = ("run", "step", "visit", "fence", *fields)
    done = await conn.execute(
        statement, [{f"b_{name}": getattr(row, name) for name in wanted} for row in changed]
    )
    # asyncpg does not count the rows of many statements; there the lock alone has to hold.
    if done.rowcount not in {-1, len(changed)}:
        raise RuntimeError(f"{len(changed) - done.rowcount} steps were moved without their run's lock")


async def update_runs(conn: AsyncConnection, changed: Sequence[Run]) -> None:
    """Write runs that their holder has moved."""
    if changed:
        fields = ("state", "variables", "ended_at", "progress_at", "level", "resume_at", "plan_sha256")
        await conn.execute(
            sa.update(runs)
            .where(runs.c.id == sa.bindparam("b_id"))
            .values({name: sa.bindparam(f"b_{name}") for name in fields}),
            [{f"b_{name}": getattr(run, name) for name in ("id", *fields)} for run in changed],
        )


async def wake_step(conn: AsyncConnection, key: str, now: datetime) -> None:
    """Have the visit with this effect key (`run/step/visit`) looked at; any other key is nobody's."""
    run, _, rest = key.partition("/")
    step, _, visit = rest.rpartition("/")
    if visit.isdecimal():
        place = sa.and_(run_steps.c.step == step, run_steps.c.visit == int(visit))
        await _wake(conn, runs.c.id == run, place, now)


async def wake_runs(conn: AsyncConnection, incident: str, now: datetime) -> None:
    """Have the steps that wait on an incident or its reports looked at, after a change of either."""
    await _wake(conn, runs.c.incident == incident, run_steps.c.kind == "wait", now)


async def wake_all(conn: AsyncConnection, keys: Iterable[str], now: datetime) -> None:
    """Have everything that is open in incidents' runs looked at: their level may be another now."""
    if about := list(keys):
        await _wake(conn, runs.c.incident.in_(about), sa.true(), now)


async def _wake(
    conn: AsyncConnection, which: sa.ColumnElement[bool], steps: sa.ColumnElement[bool], now: datetime
) -> None:
    # Without the run's lock, a holder that looked before this change would write over the wake-up.
    locked = sa.select(runs.c.id).where(which, runs.c.state.in_(MOVING)).with_for_update()
    held = list((await conn.execute(locked)).scalars())
    if held:
        waiting = (run_steps.c.run.in_(held), steps, run_steps.c.state == "waiting")
        await conn.execute(sa.update(run_steps).where(*waiting).values(wake_at=now))


async def hold(conn: AsyncConnection, run: str, until: datetime, why: str, now: datetime) -> None:
    """Put off a run whose steps could not be moved, so that it does not keep the others from moving.

    Until they move, `lease_until` stands in their rows: by that the auditor knows a run that only seems
    to wait.
    """
    await conn.execute(
        sa.update(run_steps)
        .where(run_steps.c.run == run, _IS_OPEN, run_steps.c.wake_at <= now)
        .values(wake_at=until, lease_until=until, why=why[:500])
    )


async def pending_incidents(conn: AsyncConnection, limit: int) -> list[Pending]:
    """Return, locked, incidents that wait for a plan and that no other process looks at; oldest first."""
    columns = (incidents.c[name.replace("klass", "class")].label(name) for name in Pending.__struct_fields__)
    query = (
        sa.select(*columns)
        .where(incidents.c.plan_pending.is_(sa.true()))
        .order_by(incidents.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [Pending(**row) for row in (await conn.execute(query)).mappings()]


async def any_pending(conn: AsyncConnection) -> bool:
    """Return whether an incident waits for a plan."""
    query = sa.select(incidents.c.id).where(incidents.c.plan_pending.is_(sa.true())).limit(1)
    return (await conn.execute(query)).first() is not None


async def clear_pending(conn: AsyncConnection, keys: Iterable[str]) -> None:
    """Write down that a plan was looked for."""
    await conn.execute(sa.update(incidents).where(incidents.c.id.in_(list(keys))).values(plan_pending=False))


async def runs_about(conn: AsyncConnection, keys: Iterable[str]) -> list[Run]:
    """Return the runs of these incidents, oldest first."""
    query = sa.select(*_RUN).where(runs.c.incident.in_(list(keys))).order_by(runs.c.id)
    return [Run(**row) for row in (await conn.execute(query)).mappings()]


async def run_from(conn: AsyncConnection, origin: str) -> str | None:
    """Return the id of the run that began with this, if there is one."""
    found: str | None = (await conn.execute(sa.select(runs.c.id).where(runs.c.origin == origin))).scalar()
    return found


async def join_plan(conn: AsyncConnection, run: str, body: Mapping[str, Any]) -> None:
    """Set the content a run is pinned to, after another plan has joined it."""
    await conn.execute(sa.update(runs).where(runs.c.id == run).values(plan_body=body))
