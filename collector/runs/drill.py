"""A run without effects, on a simulated clock: the same transitions, in memory.

Time stands still while anything can move, then jumps to the next moment at which something would. What people
are asked is either confirmed for them, or left open until the plan has nothing more to do.
"""

from collections.abc import Awaitable, Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from wire.vocabulary import LEVELS

from ..actions.port import Done, Result, Skipped, Waiting
from ..plans import Plan
from ..plans.conditions import fill
from ..plans.model import (
    PERSONAL,
    Approve,
    Field,
    FileReport,
    HttpRequest,
    Manual,
    Notify,
    OrderAgent,
    Step,
    Wait,
)
from ..store.incidents import Incident
from ..store.runs import StepRow
from .advance import advance
from .board import Board, begin_run
from .course import cancel
from .keeping import PinnedPlans, load_boards, save_boards
from .machine import LATE, chosen, transition

MAX_JUMPS = 20_000
RECEIPT_AFTER = timedelta(minutes=1)
OUTCOME_AFTER = timedelta(seconds=30)
_PERSON = "person:drill"


class Drilled(Struct, frozen=True):
    """How a drill went.

    Fields:
        board: The run as it ended.
        ended: The simulated time at which nothing was left to do.
    """

    board: Board
    ended: datetime

    @property
    def ok(self) -> bool:
        """Whether the run came to its end well."""
        return self.board.run.state == "done"

    def document(self) -> dict[str, Any]:
        """Return the drill as `plan run --drill --json` prints it; steps in the order they began."""
        rows = list(self.board.rows.values())
        ends = [row.step for row in rows if row.kind == "end" and not row.parent and row.state == "done"]
        return {
            "ok": self.ok,
            "drill": True,
            "plan": self.board.run.plan,
            "sha256": self.board.run.plan_sha256,
            "state": self.board.run.state,
            "started": self.board.run.started_at.isoformat(),
            "ended": self.ended.isoformat(),
            "steps": [_step_document(self.board, row) for row in rows],
            "variables": self.board.run.variables,
            "end": ends[-1] if ends else None,
        }


def _step_document(board: Board, row: StepRow) -> dict[str, Any]:
    step = board.step_of(row)
    return {
        "id": row.step,
        "type": row.kind,
        "state": row.state,
        "started": row.ready_at.isoformat(),
        "ended": row.ended_at.isoformat() if row.ended_at else None,
        "out": row.out,
        "why": row.why,
        "visit": row.visit,
        "parent": row.parent or None,
        "owner": row.owner_role,
        "title": {"zh": fill(step.title.zh, board.scope), "en": fill(step.title.en, board.scope)},
    }


async def drill(
    plan: Plan, sha256: str, now: datetime, *, confirm_all: bool, performer: "Simulated | None" = None
) -> Drilled:
    """Run a plan through on a made-up incident of its first class.

    Args:
        plan: As pinned, so that called plans are in it.
        sha256: Of its content.
        now: When the simulated clock begins.
        confirm_all: Fill every form, give every approval, and take the first choice where a person decides
            (a loop is left).
        performer: Answers for the effects; by default all goes well and nobody is told.
    """
    performer = performer or Simulated()
    incident = made_up_incident(plan, now)
    board = begin_run(plan, run_id="drill", incident=incident, sha256=sha256, now=now, drill=True)
    for _ in range(MAX_JUMPS):
        await advance(board, performer, now)
        if confirm_all and _confirm(board, now):
            continue
        ahead = [row.wake_at for row in board.rows.values() if row.open and row.wake_at is not None]
        if board.run.state != "running" or not ahead:
            break
        now = max(now, min(ahead))
    return Drilled(board, now)


class Simulated:
    """Answers for every effect at once, as if all went well."""

    async def begin(self, board: Board, row: StepRow, now: datetime, /) -> Result:
        """Say what the step would have come to."""
        step = board.step_of(row)
        if isinstance(step, Wait):
            until = _wait_until(step, now)
            return Waiting(until) if until > now else Done(_outcome(step, now))
        if isinstance(step, OrderAgent):
            return Waiting(now + OUTCOME_AFTER)
        return Done(_outcome(step, now))

    async def poll(self, board: Board, row: StepRow, now: datetime, /) -> Result:
        """Say so once its simulated time has come."""
        return Done(_outcome(board.step_of(row), now))

    async def ask(self, board: Board, row: StepRow, now: datetime, /) -> None:
        """Ask nobody: `--confirm all` answers."""

    async def remind(self, board: Board, row: StepRow, now: datetime, /) -> None:
        """Tell nobody."""


def _wait_until(step: Wait, now: datetime) -> datetime:
    if step.length is not None:
        return now + step.length
    if step.until is not None:
        return step.until
    return now + RECEIPT_AFTER if step.receipt is not None else now


def _outcome(step: Step, now: datetime) -> dict[str, Any]:
    out: dict[str, Any] = {"simulated": True}
    if isinstance(step, Notify):
        return out | {"people": [step.to], "notices": 1}
    if isinstance(step, OrderAgent):
        return out | {"order": step.order, "state": "done", "detail": {}}
    if isinstance(step, FileReport):
        return out | {"filing": step.obligation}
    if isinstance(step, HttpRequest):
        return out | {"notice": step.url}
    if isinstance(step, Wait) and step.receipt is not None:
        return out | {"receipt_at": now.isoformat()}
    return out


def _confirm(board: Board, now: datetime) -> bool:
    """Do the first thing that waits for a person; False where nothing does."""
    for row in list(board.rows.values()):
        if not row.open or row.state != "waiting":
            continue
        step = board.step_of(row)
        if isinstance(step, PERSONAL):
            transition(board, row.key, Done(_confirmed(step, now)), now, _PERSON)
            return True
        choices: list[str] = (row.out or {}).get("choices", [])
        if choices:
            choice = "false" if row.kind == "while-condition" else choices[0]
            transition(board, row.key, chosen(board, row.key, choice), now, _PERSON)
            return True
    return False


def _confirmed(step: Manual | Approve, now: datetime) -> dict[str, Any]:
    if isinstance(step, Manual):
        return {"simulated": True} | {name: _example(field, now) for name, field in step.form.items()}
    by = [f"{_PERSON}-{number}" for number in range(1, step.quorum + 1)]
    return {"simulated": True, "decision": "approved", "by": by, "comments": [""] * step.quorum}


def _example(field: Field, now: datetime) -> object:
    examples: dict[str, object] = {
        "text": "演练 drill",
        "number": 0,
        "bool": True,
        "time": now.isoformat(),
        "choice": next(iter(field.choices), ""),
    }
    return examples[field.type]


def made_up_incident(plan: Plan, now: datetime) -> Incident:
    """Return an incident for a drill: of the plan's first class, at the least level it is for."""
    code = plan.classes[0] if plan.classes else "DRILL"
    level = max(plan.levels, key=list(LEVELS).index, default=None)
    return Incident(
        id="drill",
        fingerprint="drill",
        unit="drill",
        asset=None,
        node="drill",
        klass=code,
        level=level,
        level_by=None,
        reasons=[],
        next_level=None,
        state="open",
        acknowledged_by=None,
        title=f"【演练】{plan.name.zh}",
        title_en=f"[DRILL] {plan.name.en}",
        facts={},
        times={},
        evidence=[],
        count=1,
        first_seen=now,
        last_seen=now,
        opened_at=now,
        updated_at=now,
        closed_at=None,
        late=False,
        plan_hint=plan.id,
        plan_pending=False,
        drill=True,
        version=1,
    )


def still_open(drilled: Drilled) -> list[StepRow]:
    """Return what waits for a person at the end of a drill, with the late ones marked by `why`."""
    rows = [
        row
        for row in drilled.board.rows.values()
        if row.open and isinstance(drilled.board.step_of(row), PERSONAL)
    ]
    return sorted(rows, key=lambda row: (row.why != LATE, row.ready_at))


async def end_drill_run(conn: AsyncConnection, run: str, actor: str, reason: str, now: datetime) -> None:
    """Cancel the run of a drill that is over; what its steps did was nothing, so nothing is taken back.

    A run that is over already stays as it is.
    """
    for board in await load_boards(conn, [run], PinnedPlans()):
        if board.run.state in {"running", "paused"}:
            cancel(board, reason, now, actor)
        for row in list(board.rows.values()):
            if row.open and board.run.state == "cancelling":
                transition(board, row.key, Skipped("a drill leaves nothing to take back"), now, actor)
        await save_boards(conn, [board], actor, now)


class Word(Protocol):
    """`runs.complete_step`."""

    def __call__(  # noqa: PLR0917 - as `complete_step` has it
        self,
        conn: AsyncConnection,
        run: str,
        step: str,
        actor: str,
        out: Mapping[str, Any],
        now: datetime,
        roles: frozenset[str],
        /,
    ) -> Awaitable[None]:
        """Take a person's word."""
        ...


async def word_for(  # noqa: PLR0917 - which step, when, by what
    conn: AsyncConnection, run: str, step: str, row: StepRow, now: datetime, word: Word
) -> None:
    """Answer a step that waits for a person as a drill's people would.

    Forms are filled, approvals given, each somebody's own, the first choice is taken, a loop is left.
    """
    (board,) = await load_boards(conn, [run], PinnedPlans())
    wanted = board.step_of(row)
    if isinstance(wanted, Manual):
        out = {name: _example(field, now) for name, field in wanted.form.items()}
        await word(conn, run, step, _PERSON, out, now, frozenset({row.owner_role or "duty"}))
    elif isinstance(wanted, Approve):
        roles = frozenset({row.owner_role or "", wanted.deputy or ""})
        for number in range(1, wanted.quorum + 1):
            out = {"decision": "approve", "comment": "drill"}
            await word(conn, run, step, f"{_PERSON}-{number}", out, now, roles)
    else:
        choices: list[str] = (row.out or {}).get("choices", [])
        choice = "false" if row.kind == "while-condition" else choices[0]
        roles = frozenset({"duty", "leader", row.owner_role or ""})
        await word(conn, run, step, _PERSON, {"decision": choice}, now, roles)
