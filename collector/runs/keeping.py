"""Runs between the database and memory: loaded under their locks, written with their journal in one go."""

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from ..plans import Plan, unpin
from ..store import journal
from ..store.clocks import clocks_of
from ..store.incidents import get_incidents
from ..store.runs import (
    Run,
    StepRow,
    insert_steps,
    lock_runs,
    plan_bodies,
    update_runs,
    update_steps,
)
from .board import Board

_SILENT = ("start", "end")


class PinnedPlans:
    """The plans that open runs were started with, by content; the newest few hundred stay in memory."""

    def __init__(self, size: int = 256) -> None:
        self._size = size
        self._plans: OrderedDict[str, Plan] = OrderedDict()

    async def of(self, conn: AsyncConnection, runs: Iterable[Run]) -> dict[str, Plan]:
        """Return the plans of runs by SHA-256, reading those that are not at hand."""
        wanted = {run.plan_sha256: run.id for run in runs}
        found = {sha256: self._plans[sha256] for sha256 in wanted if sha256 in self._plans}
        missing = [run for sha256, run in wanted.items() if sha256 not in found]
        if missing:
            found |= {sha256: unpin(body) for sha256, body in (await plan_bodies(conn, missing)).items()}
        self._plans |= found
        for sha256 in found:
            self._plans.move_to_end(sha256)
        while len(self._plans) > self._size:
            self._plans.popitem(last=False)
        return found


async def load_boards(
    conn: AsyncConnection, keys: Iterable[str], pinned: PinnedPlans, *, movable_at: datetime | None = None
) -> list[Board]:
    """Return runs, locked until the transaction ends; see `store.runs.lock_runs`."""
    found = await lock_runs(conn, keys, movable_at=movable_at)
    plans = await pinned.of(conn, (run for run, _ in found))
    about = {run.incident for run, _ in found if run.incident is not None}
    incidents = {incident.id: incident for incident in await get_incidents(conn, about)} if about else {}
    bound = {
        run.incident for run, _ in found if run.incident is not None and _has_due(plans[run.plan_sha256])
    }
    limits: dict[str, dict[str, datetime]] = {}
    for clock in await clocks_of(conn, bound) if bound else []:
        if clock.due_at is not None:
            limits.setdefault(clock.incident, {})[clock.obligation] = clock.due_at
    return [
        Board(
            run,
            plans[run.plan_sha256],
            rows,
            incident=incidents.get(run.incident or ""),
            limits=limits.get(run.incident or ""),
        )
        for run, rows in found
    ]


def _has_due(plan: Plan) -> bool:
    return any(step.due is not None and step.due.obligation is not None for step in plan.steps.values())


async def save_boards(conn: AsyncConnection, boards: Sequence[Board], owner: str, now: datetime) -> None:
    """Write everything that moved, and the journal of it; `owner` is kept as who moved it last."""
    moved = [board for board in boards if board.new or board.changed or board.deeds]
    await update_steps(conn, [row for board in moved for row in board.changed], owner)
    await insert_steps(conn, [row for board in moved for row in board.new], owner)
    await update_runs(conn, [board.run for board in moved])
    await journal.write_all(conn, (entry for board in moved for entry in _entries(board)), now)


def _entries(board: Board) -> Iterator[journal.Entry]:
    run = board.run
    for deed in board.deeds:
        yield journal.Entry(
            actor=deed.actor,
            action=deed.action,
            subject=f"run:{run.id}",
            incident=run.incident,
            detail={"plan": run.plan, "drill": run.drill, **deed.detail},
        )
    for row in board.moves:
        if row.kind not in _SILENT:
            yield journal.Entry(
                actor=row.actor or "system",
                action="run.step",
                subject=f"run:{run.id}",
                incident=run.incident,
                detail=_told(board, row),
            )
    if board.was_open and run.ended_at is not None:
        yield journal.Entry(
            actor=board.moves[-1].actor or "system" if board.moves else "system",
            action="run.ended",
            subject=f"run:{run.id}",
            incident=run.incident,
            detail={"plan": run.plan, "state": run.state, "drill": run.drill},
        )


def _told(board: Board, row: StepRow) -> dict[str, object]:
    title = board.step_of(row).title
    return {
        "plan": board.run.plan,
        "step": row.step,
        "visit": row.visit,
        "kind": row.kind,
        "title": title.zh,
        "title_en": title.en,
        "state": row.state,
        "owner": row.owner_role,
        "why": row.why,
        "out": row.out,
        "deadline": row.deadline,
        "drill": board.run.drill,
    }
