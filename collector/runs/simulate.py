"""What a plan would do from a given moment on: a drill whose wake-ups are written down. No effects."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct

from ..actions.port import Result
from ..plans import Plan
from ..plans.conditions import fill
from ..plans.model import PERSONAL, Notify
from ..store.runs import StepRow
from .board import Board
from .drill import Drilled, Simulated, drill

LEADER = "leader"
Directory = Callable[[str, datetime], Sequence[str]]


class Moment(Struct, frozen=True, kw_only=True):
    """One thing that would happen.

    Fields:
        what: `begins`, `asks` (a person's step is open), `wakes` (notices go out), `overdue` (its
            deadline has passed, the leader is told), `ends`.
        role: Whom it concerns, for asks, wakes and overdue.
        people: Whom the role means then; empty where no register was named or nobody bears it.
        state: Of the step once it has ended.
    """

    at: datetime
    what: str
    step: str
    type: str
    title: dict[str, str]
    role: str | None = None
    people: tuple[str, ...] = ()
    state: str | None = None


class Simulation(Struct, frozen=True):
    """What would happen, in the order of time."""

    drilled: Drilled
    moments: Sequence[Moment]

    def document(self, at: datetime) -> dict[str, Any]:
        """Return it as `plan simulate --json` prints it."""
        run = self.drilled.board.run
        return {
            "ok": True,
            "plan": run.plan,
            "at": at.isoformat(),
            "state": run.state,
            "until": self.drilled.ended.astimezone(at.tzinfo).isoformat(),
            "moments": [
                {
                    "at": each.at.astimezone(at.tzinfo).isoformat(),
                    "what": each.what,
                    "step": each.step,
                    "type": each.type,
                    "title": each.title,
                    "role": each.role,
                    "people": list(each.people),
                    "state": each.state,
                }
                for each in self.moments
            ],
        }


class _Watching(Simulated):
    def __init__(self) -> None:
        self.woken: list[tuple[datetime, str, StepRow, str]] = []

    async def begin(self, board: Board, row: StepRow, now: datetime, /) -> Result:
        step = board.step_of(row)
        if isinstance(step, Notify):
            self.woken.append((now, "wakes", row, step.to))
        return await super().begin(board, row, now)

    async def remind(self, board: Board, row: StepRow, now: datetime, /) -> None:  # noqa: ARG002 - the port's form
        self.woken.append((now, "overdue", row, LEADER))


async def simulate(
    plan: Plan, sha256: str, at: datetime, directory: Directory, *, confirm_all: bool = False
) -> Simulation:
    """Run a plan through from a moment on.

    Args:
        plan: As pinned.
        sha256: Of its content.
        at: When the incident opens.
        directory: Whom a role means at a time; a role without people falls to the leader.
        confirm_all: People do at once what they are asked; otherwise nobody does anything.
    """
    watching = _Watching()
    drilled = await drill(plan, sha256, at, confirm_all=confirm_all, performer=watching)
    board = drilled.board
    told = [(at, what, row, role) for at, what, row, role in watching.woken]
    for row in board.rows.values():
        asked = isinstance(board.step_of(row), PERSONAL)
        told.append(
            (row.ready_at, "asks" if asked else "begins", row, (row.owner_role or "") if asked else "")
        )
        if row.ended_at is not None:
            told.append((row.ended_at, "ends", row, ""))
    order = {"begins": 0, "asks": 0, "wakes": 1, "overdue": 2, "ends": 3}
    told.sort(key=lambda each: (each[0], list(board.rows).index(each[2].key), order[each[1]]))
    return Simulation(drilled, [_moment(board, directory, each) for each in told])


def _moment(board: Board, directory: Directory, told: tuple[datetime, str, StepRow, str]) -> Moment:
    at, what, row, role = told
    step = board.step_of(row)
    people = (directory(role, at) or directory(LEADER, at)) if role else ()
    return Moment(
        at=at,
        what=what,
        step=row.step,
        type=row.kind,
        title={"zh": fill(step.title.zh, board.scope), "en": fill(step.title.en, board.scope)},
        role=role or None,
        people=tuple(people),
        state=row.state if what == "ends" else None,
    )
