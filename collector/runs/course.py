"""What becomes of a whole run: paused, resumed, given up, tried again, carried out at another level.

::

    running --pause--> paused --resume, or its time is over--> running
    running, paused --cancel--> cancelling (proposals to take back) --> cancelled
    failed, running --retry--> running: a new visit of the step, and the branching steps above it open again

A pause stops no clock of the law: what a step owes by `due` it owes as before; only the plan's own timeouts
move on by the length of the pause. Pure, like `machine`.
"""

from datetime import datetime

from msgspec.structs import replace

from wire.vocabulary import Level

from ..plans.model import REGRADE, Step
from ..store.runs import Key, StepRow
from .board import SIDE, Board
from .machine import LATE, chosen, end_all, transition

UNDO = ("undo", "leave")


class NotPossibleError(Exception):
    """The run does not stand where this could be done to it; the text says why."""


def pause(board: Board, until: datetime, why: str, now: datetime, actor: str) -> None:
    """Let nothing begin or run out of time until a person resumes the run, or `until` comes.

    Raises:
        NotPossibleError: It does not run.
    """
    _expect(board, "running")
    for row in _open(board):
        board.put(replace(row, wake_at=until))
    board.run = replace(board.run, state="paused", resume_at=until, progress_at=now)
    board.tell("run.paused", actor, why=why, until=until)


def resume(board: Board, now: datetime, actor: str) -> None:
    """Go on with a paused run.

    Raises:
        NotPossibleError: It is not paused.
    """
    _expect(board, "paused")
    length = now - board.run.progress_at  # nothing has moved since the pause began
    for row in _open(board):
        step = board.step_of(row)
        deadline = row.deadline
        if deadline is not None and step.timeout is not None and row.why != LATE:
            deadline = min([deadline + length, *board.lawful(step)])
        board.put(replace(row, deadline=deadline, wake_at=now))
    board.run = replace(board.run, state="running", resume_at=None, progress_at=now)
    board.tell("run.resumed", actor, paused_for=length.total_seconds())


def cancel(board: Board, why: str, now: datetime, actor: str) -> list[str]:
    """Give up a run with all that is open in it; returns the steps proposed to take back what was done.

    Each proposal is open beside the main line and asks a person; the newest deed is taken back first.

    Raises:
        NotPossibleError: It is over, or given up already.
    """
    _expect(board, "running", "paused")
    end_all(board, why, now, actor)
    board.run = replace(board.run, state="cancelling", resume_at=None, progress_at=now)
    done = [row for row in board.rows.values() if row.state == "done" and board.step_of(row).undo]
    proposed: list[str] = []
    for row in sorted(done, key=lambda row: (row.ended_at or now, row.visit), reverse=True):
        undo = board.step_of(row).undo or ""
        asked = board.rows[board.enter(undo, SIDE, now)]
        out = {"choices": list(UNDO), "takes_back": row.name}
        board.put(replace(asked, state="waiting", out=out, wake_at=None, deadline=None, why="proposed"))
        proposed.append(undo)
    board.tell("run.cancelled", actor, why=why, undo=proposed)
    if not proposed:
        board.run = replace(board.run, state="cancelled", ended_at=now)
    return proposed


def retry(board: Board, key: Key, why: str, now: datetime, actor: str) -> Key:
    """Do a failed step once more, in a new visit; returns it.

    Raises:
        NotPossibleError: The visit has not failed, or the run has gone on from it.
    """
    _expect(board, "running", "failed")
    row = board.rows[key]
    above = _above(board, row)
    gone_on = [each for each in (row, *above) if board.step_of(each).on_failure is not None]
    if row.state != "failed" or row.visit != board.visits(row.step):
        raise NotPossibleError(f"{row.name} is {row.state}; a newest visit that has failed can be retried")
    if gone_on or any(each.state not in {"failed", "waiting"} for each in above):
        over = gone_on[0].name if gone_on else above[-1].name
        raise NotPossibleError(f"the run has gone on from {over}; what follows there stands in its place")
    reason = row.why
    for each in above:
        failures = [told for told in (each.out or {}).get("failures", []) if told != reason]
        reason = each.why
        out = {**(each.out or {}), "failures": failures} if each.out else None
        deadline = _fresh(board.step_of(each), now) if each.state == "failed" else each.deadline
        again = replace(each, state="waiting", out=out, why=None, actor=None, ended_at=None)
        board.put(replace(again, deadline=deadline, wake_at=deadline))
    board.run = replace(board.run, state="running", ended_at=None, progress_at=now)
    new = board.enter(row.step, row.parent, now)
    entered = board.rows[new]
    if entered.deadline is not None and entered.deadline <= now:
        board.put(replace(entered, deadline=_fresh(board.step_of(entered), now)))
    board.tell("run.retried", actor, why=why, step=row.step, visit=new[1])
    return new


def set_level(board: Board, level: Level, why: str, now: datetime, actor: str) -> None:
    """Set the response level on a person's word, as a step of its own.

    Raises:
        NotPossibleError: It does not run, stands at this level, or was begun before levels were kept.
    """
    _expect(board, "running")
    if REGRADE not in board.plan.steps or board.run.level == level:
        raise NotPossibleError(f"the run's response level is {board.run.level} already")
    newest = board.newest(REGRADE)
    if newest is None or not newest.open:
        newest = board.rows[_enter_level(board, now)]
    board.put(replace(newest, why=why))
    transition(board, newest.key, chosen(board, newest.key, level), now, actor)


def follow_level(board: Board, now: datetime) -> None:
    """Open the step aside that looks at the response level, where the incident's has changed since."""
    newest, level = board.newest(REGRADE), board.level_now
    seen = (newest.out or {}).get("incident") if newest is not None else board.run.level
    changed = None not in {level, seen} and seen != level
    looks = newest is not None and newest.open
    if changed and not looks and board.run.state == "running" and REGRADE in board.plan.steps:
        _enter_level(board, now)


def follow_clocks(board: Board) -> None:
    """Let the deadlines of open steps come earlier, where the clock of a report was opened or moved since."""
    for row in _open(board):
        lawful = board.lawful(board.step_of(row))
        if lawful and (row.deadline is None or lawful[0] < row.deadline) and row.why != LATE:
            wakes = [lawful[0], *([row.wake_at] if row.wake_at is not None else [])]
            board.put(replace(row, deadline=lawful[0], wake_at=min(wakes)))


def _enter_level(board: Board, now: datetime) -> Key:
    key = board.enter(REGRADE, SIDE, now)
    board.put(replace(board.rows[key], out={"incident": board.level_now}))
    return key


def _expect(board: Board, *states: str) -> None:
    if board.run.state not in states:
        raise NotPossibleError(f"run {board.run.id} is {board.run.state}, not {' or '.join(states)}")


def _open(board: Board) -> list[StepRow]:
    return [row for row in board.rows.values() if row.open]


def _above(board: Board, row: StepRow) -> list[StepRow]:
    """The branching visits that a visit belongs to, the nearest first."""
    above: list[StepRow] = []
    while row.parent not in {"", SIDE}:
        name, _, visit = row.parent.rpartition("#")
        row = board.rows[name, int(visit)]
        above.append(row)
    return above


def _fresh(step: Step, now: datetime) -> datetime | None:
    return now + step.timeout if step.timeout is not None else None
