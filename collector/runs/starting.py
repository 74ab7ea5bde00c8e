"""How runs begin: by rule for an incident, by hand, by a warning from above. One incident has one open run.

A plan that is called for while another runs for the same incident joins that run as a line aside, so that
there is one timeline, one set of variables and one thing to pause or give up; the same plan twice is the run
that is there. What began a run stands in its `cause`.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from wire.ids import uuid7
from wire.vocabulary import Level

from ..errors import PermanentError
from ..plans import Plan, unpin
from ..plans.load import fingerprint, joined
from ..plans.model import WarningColour
from ..plans.warned import Warned
from ..store import journal
from ..store.incidents import Incident, get_incidents, lock_incident
from ..store.runs import (
    Pending,
    Run,
    clear_pending,
    insert_runs,
    join_plan,
    pending_incidents,
    run_from,
    runs_about,
    wake_all,
)
from .board import SIDE, Board, begin_run
from .choosing import choose, choose_for_warning
from .keeping import PinnedPlans, load_boards, save_boards
from .pinning import Pins

LEVEL_OF: Mapping[WarningColour, Level] = {"red": "I", "orange": "II", "yellow": "III", "blue": "IV"}


class StartRefusedError(PermanentError):
    """A run that cannot begin, and why."""


class Starter:
    """Begins runs of the plans in force.

    Args:
        plans: Plans by id; looked up at each use.
        asset_role: Role of an asset.
    """

    def __init__(
        self,
        plans: Callable[[], Mapping[str, Plan]],
        asset_role: Callable[[str], str | None] = lambda _: None,
    ) -> None:
        self._plans = plans
        self._asset_role = asset_role
        self._pins = Pins()

    async def look(self, conn: AsyncConnection, now: datetime, limit: int) -> tuple[int, int]:
        """Look at some incidents that wait for a plan; returns how many, and how many runs began."""
        pending = await pending_incidents(conn, limit)
        keys = [incident.id for incident in pending]
        if not keys:
            return 0, 0
        about = {incident.id: incident for incident in await get_incidents(conn, keys)}
        known: dict[str, list[Run]] = {}
        for run in await runs_about(conn, keys):
            known.setdefault(run.incident or "", []).append(run)
        boards: list[Board] = []
        entries: list[journal.Entry] = []
        for incident in pending:
            plan = self._choose(incident)
            cause = {"by": "hint" if plan is not None and incident.plan_hint == plan.id else "class"}
            runs = known.get(incident.id, [])
            if plan is None or (runs and plan.id in {run.plan for run in runs}):
                entries += [_no_run(incident)] if plan is None and not runs else []
                continue
            try:
                if not await self._join(conn, runs, plan, cause, "system", now):
                    boards.append(self._board(plan, about[incident.id], cause, now))
            except ValueError as error:
                entries.append(_no_run(incident, f"the plan {plan.id} cannot be started: expected {error}"))
        await self._insert(conn, boards, "system", now)
        await wake_all(conn, known, now)  # what was open then may stand at another level now
        await clear_pending(conn, keys)
        await journal.write_all(conn, entries, now)
        return len(pending), len(boards)

    async def by_hand(
        self,
        conn: AsyncConnection,
        plan: str,
        *,
        incident: str | None,
        unit: str,
        roles: frozenset[str],
        actor: str,
        reason: str,
        now: datetime,
    ) -> str:
        """Begin a run on a person's word; returns it, or the one that is there and now holds the plan.

        Args:
            conn: A write transaction.
            plan: Id of a plan in force.
            incident: What it shall be about, if about one.
            unit: Whose run it is where it is about no incident.
            roles: What the person bears for that unit.
            actor: Who, as the journal names them.
            reason: Why.
            now: When.

        Raises:
            StartRefusedError: There is no such plan or incident, or the person may not start it so.
        """
        wanted = self._plans().get(plan)
        if wanted is None:
            known = ", ".join(sorted(self._plans()))
            raise StartRefusedError(f"plan: found {plan!r}, expected one of {known}")
        about = await lock_incident(conn, incident) if incident is not None else None
        if incident is not None and (about is None or about.state == "closed"):
            raise StartRefusedError(f"incident: found {incident!r}, expected one that is open")
        level: Level = (about.level if about is not None else None) or "IV"
        if missing := may_not_start(wanted, level, roles):
            raise StartRefusedError(missing)
        cause = {"by": "hand", "who": actor, "reason": reason}
        try:
            if about is None:
                board = self._board(wanted, None, cause, now, unit=unit, level=level)
                return (await self._insert(conn, [board], actor, now))[0]
            runs = await runs_about(conn, [about.id])
            for run in runs:
                if run.plan == wanted.id:
                    return run.id
            if found := await self._join(conn, runs, wanted, cause, actor, now):
                return found
            return (await self._insert(conn, [self._board(wanted, about, cause, now)], actor, now))[0]
        except ValueError as error:
            raise StartRefusedError(f"the plan {plan} cannot be started: expected {error}") from error

    async def by_warning(self, conn: AsyncConnection, warned: Warned, unit: str, now: datetime) -> str | None:
        """Begin the run that a warning asks of a unit, once a warning; None where no plan is for it."""
        plan = choose_for_warning(self._plans().values(), colour=warned.colour, klass=warned.klass)
        if plan is None:
            return None
        origin = f"warning/{unit}/{warned.id}/{plan.id}"
        if found := await run_from(conn, origin):
            return found
        cause = {"by": "warning", "warning": msgspec.to_builtins(warned)}
        board = self._board(plan, None, cause, now, unit=unit, level=LEVEL_OF[warned.colour], origin=origin)
        return (await self._insert(conn, [board], "system", now))[0]

    def _choose(self, incident: Pending) -> Plan | None:
        return choose(
            self._plans(),
            klass=incident.klass,
            level=incident.level,
            asset_role=self._asset_role(incident.asset) if incident.asset is not None else None,
            hint=incident.plan_hint,
        )

    def _board(
        self,
        plan: Plan,
        incident: Incident | None,
        cause: Mapping[str, Any],
        now: datetime,
        *,
        unit: str = "",
        level: Level | None = None,
        origin: str | None = None,
    ) -> Board:
        _, sha256 = self._pins.of(plan, self._plans())
        drill = incident is not None and incident.drill
        return begin_run(
            plan,
            run_id=uuid7(now),
            incident=incident,
            sha256=sha256,
            now=now,
            drill=drill,
            unit=unit,
            level=level,
            cause=cause,
            origin=origin,
        )

    async def _insert(
        self, conn: AsyncConnection, boards: Sequence[Board], actor: str, now: datetime
    ) -> list[str]:
        first = [row for board in boards for row in board.new]
        bodies = {board.run.plan_sha256: self._pins.of(board.plan, self._plans())[0] for board in boards}
        await insert_runs(conn, [board.run for board in boards], bodies, first)
        await journal.write_all(conn, [_run_started(board, actor) for board in boards], now)
        return [board.run.id for board in boards]

    async def _join(  # noqa: PLR0917 - what a plan that joins has to bring
        self,
        conn: AsyncConnection,
        runs: Sequence[Run],
        plan: Plan,
        cause: Mapping[str, Any],
        actor: str,
        now: datetime,
    ) -> str | None:
        """Let a plan join the open run of its incident; returns that run, None where none is open."""
        still = [run.id for run in runs if run.state in {"running", "paused"}]
        for board in await load_boards(conn, still[:1], PinnedPlans()) if still else ():
            if board.run.state not in {"running", "paused"}:
                continue
            if plan.id not in board.plan.steps:
                pinned, _ = self._pins.of(plan, self._plans())
                await _put_in(conn, board, unpin(pinned), now)
                board.tell("run.joined", actor, joined=plan.id, sha256=board.run.plan_sha256, **cause)
                await save_boards(conn, [board], actor, now)
            return board.run.id
        return None


async def _put_in(conn: AsyncConnection, board: Board, plan: Plan, now: datetime) -> None:
    """Pin the run to both plans, and begin the second as a line aside."""
    board.plan = joined(board.plan, plan)
    body: dict[str, Any] = msgspec.to_builtins(board.plan)
    kept = {name: value.value for name, value in plan.variables.items()} | board.run.variables
    board.run = msgspec.structs.replace(board.run, plan_sha256=fingerprint(body), variables=kept)
    await join_plan(conn, board.run.id, body)
    row = board.rows[board.enter(plan.id, SIDE, now)]
    if board.run.resume_at is not None:
        board.put(msgspec.structs.replace(row, wake_at=board.run.resume_at))


def may_not_start(plan: Plan, level: Level, roles: frozenset[str]) -> str | None:
    """Return why somebody with these roles may not start a plan at a level, or set a run to it."""
    wanted = plan.may_start.get(level, "duty")
    if wanted in roles:
        return None
    borne = ", ".join(sorted(roles)) or "no role"
    return f"at level {level} the plan {plan.id} is started by the role {wanted!r}, found {borne}"


def _run_started(board: Board, actor: str) -> journal.Entry:
    run = board.run
    return journal.Entry(
        actor=actor,
        action="run.started",
        subject=f"run:{run.id}",
        incident=run.incident,
        detail={
            "plan": run.plan,
            "name": board.plan.name.zh,
            "name_en": board.plan.name.en,
            "sha256": run.plan_sha256,
            "level": run.level,
            "drill": run.drill,
            **(run.cause or {}),
        },
    )


def _no_run(incident: Pending, why: str = "") -> journal.Entry:
    why = why or f"no plan covers class {incident.klass} at level {incident.level or 'IV'}"
    return journal.Entry(
        actor="system",
        action="audit.finding",
        subject=f"incident:{incident.id}",
        incident=incident.id,
        detail={"finding": "no_plan", "why": why, "hint": incident.plan_hint},
    )
