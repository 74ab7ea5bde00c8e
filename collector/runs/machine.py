"""How a run moves: one transition function over the visits of steps. Pure; nothing here waits or writes.

A visit is open (`ready`, `waiting`) or over (`done`, `failed`, `skipped`, `cancelled`). The open visits are
where the run stands; each belongs to a branch, named by the visit of the branching step it returns to::

    visit             parent         state
    start#1                          done
    first-hour#1                     waiting      a branching visit waits until nothing below it is open
    evidence#1        first-hour#1   waiting      an order to a node
    switch-page#1     first-hour#1   waiting      a person
    report#1          first-hour#1   done
    receipt#1         first-hour#1   done         its branch ends: first-hour#1 looks whether others are open

Beside the main line may run what belongs to no branch of it (parent `@`): the answer to a changed response
level, a plan that joined, what takes a given-up run's steps back. A run is over when both are.

An event is what became of an open visit. `transition` ends it, writes what its out-args take, and opens
what follows: the next step, the branches, or the branching step's own end, and so on up. An event for a
visit that is over changes nothing, so whoever comes late does no harm. The caller writes all that changed in
one transaction.

>>> from datetime import UTC, datetime
>>> from collector.runs.board import begin_run
>>> from collector.plans.model import End, Plan, Start, Text, Wait
>>> from datetime import timedelta
>>> title = Text(zh="一", en="one")
>>> steps = {"start": Start(title=title, next="rest"), "end": End(title=title),
...          "rest": Wait(title=title, length=timedelta(minutes=5), next="end")}
>>> now = datetime(2026, 3, 2, 1, 10, tzinfo=UTC)
>>> board = begin_run(Plan(id="p", name=title, steps=steps), run_id="r", incident=None, sha256="", now=now)
>>> transition(board, ("start", 1), flow_event(board, ("start", 1)), now)
>>> [(row.name, row.state) for row in board.rows.values()]
[('start#1', 'done'), ('rest#1', 'ready')]
>>> transition(board, ("rest", 1), Done(), now)
>>> transition(board, ("end", 1), flow_event(board, ("end", 1)), now)
>>> board.run.state
'done'
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from ..actions.port import Done, Failed, Skipped, Waiting
from ..plans.conditions import decide, value_of
from ..plans.model import (
    BRANCHING,
    CONTINUE,
    PERSONAL,
    End,
    If,
    Parallel,
    PlaybookAction,
    Regrade,
    Start,
    Switch,
    While,
    branches_of,
)
from ..plans.truth import Unknown
from ..store.runs import MOVING, Key, RunState, StepRow
from .board import SIDE, Board

LEVELS = ("I", "II", "III", "IV")
MAX_VISITS = 10_001
LOOK_AGAIN = timedelta(seconds=1)
LATE = "late"


class Take(Struct, frozen=True):
    """A branching step takes these branches; none: it is done. `taken` is kept in its result."""

    branches: tuple[str, ...]
    taken: Mapping[str, Any] = {}


class Ask(Struct, frozen=True):
    """A branching step cannot decide by itself: a person takes one of the choices."""

    why: str
    choices: tuple[str, ...]


class Late(Struct, frozen=True):
    """The visit's deadline has passed."""


class Begin(Struct, frozen=True):
    """A person wants what was only proposed."""


Event = Done | Failed | Skipped | Waiting | Take | Ask | Late | Begin


def flow_event(board: Board, key: Key) -> Event:  # noqa: PLR0911 - one for each kind that steers
    """Return what becomes of a ready visit of a step that only steers; its condition is decided here."""
    row = board.rows[key]
    step = board.plan.steps[row.step]
    if isinstance(step, Start | End):
        return Done()
    if isinstance(step, Regrade):
        return _level_event(board, key, step)
    if isinstance(step, Parallel | PlaybookAction):
        return Take(branches_of(step)) if branches_of(step) else Failed("it leads to no branch")
    if isinstance(step, If | While):
        answer = decide(step.condition, board.scope)
        if isinstance(answer, Unknown):
            return Ask(answer.why, ("true", "false"))
        return chosen(board, key, "true" if answer else "false")
    if isinstance(step, Switch):
        value = value_of(step.value, board.scope)
        if isinstance(value, Unknown):
            return Ask(value.why, tuple(step.cases) + (("default",) if step.default else ()))
        return chosen(board, key, as_case(value))
    raise TypeError(f"{row.name} of run {row.run} is a {row.kind} and does not steer")


def _level_event(board: Board, key: Key, step: Regrade) -> Event:
    """Raise the response level at once; lower it, or decide it by the owner alone, on a person's word."""
    was, now = board.run.level, board.level_now
    if step.decide == "owner":
        return Ask("the owner decides on the response level", LEVELS)
    if was is None or now is None or was == now:
        return Take((), {"from": was, "to": was})
    if LEVELS.index(now) < LEVELS.index(was):
        return chosen(board, key, now)
    return Ask(f"the incident's level is {now} now, less grave than the response level {was}", (was, now))


def chosen(board: Board, key: Key, choice: str) -> Event:
    """Return what a branching visit does on a choice, made by its condition or by a person."""
    row = board.rows[key]
    step = board.plan.steps[row.step]
    taken: dict[str, Any] = {"branch": choice}
    branch: str | None = None
    if isinstance(step, If):
        branch = step.then if choice == "true" else step.otherwise
    elif isinstance(step, Switch):
        branch = step.cases.get(choice, step.default)
    elif isinstance(step, While):
        rounds = int((row.out or {}).get("rounds", 0)) + (choice == "true")
        if rounds > step.at_most:
            return Failed(f"the condition still holds after {step.at_most} rounds")
        branch = step.do if choice == "true" else None
        taken["rounds"] = rounds
    elif isinstance(step, Regrade):
        was = board.run.level or "IV"
        graver = LEVELS.index(choice) < LEVELS.index(was)
        branch = None if choice == was else step.raised if graver else step.lowered
        taken = {"from": board.run.level, "to": choice}
    return Take((branch,) if branch is not None else (), taken)


def as_case(value: object) -> str:
    """Return a switch's value as its cases spell it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def transition(board: Board, key: Key, event: Event, now: datetime, actor: str = "system") -> None:
    """Move the run on by what became of one of its open visits."""
    row = board.rows[key]
    if not row.open or board.run.state not in MOVING:
        return
    if row.state == "ready" or not isinstance(event, Waiting):  # looking once more is no progress
        board.run = replace(board.run, progress_at=now)
    if isinstance(event, Waiting):
        _wait(board, row, event, now)
    elif isinstance(event, Ask):
        out = {**(row.out or {}), "choices": list(event.choices)}
        _note(board, replace(row, state="waiting", out=out, why=event.why, wake_at=row.deadline))
    elif isinstance(event, Begin):
        out = {name: value for name, value in (row.out or {}).items() if name != "choices"}
        timeout = board.step_of(row).timeout
        deadline = now + timeout if timeout is not None else None
        begun = replace(row, state="ready", out=out or None, why=None, wake_at=now, ready_at=now)
        board.put(replace(begun, deadline=deadline))
    elif isinstance(event, Take):
        _take(board, row, event, now, actor)
    elif isinstance(event, Late):
        _late(board, row, now)
    elif isinstance(event, Failed):
        _cancel_below(board, row, "its branching step has failed", now)
        _end(board, replace(row, state="failed", why=event.why), now, actor)
        _follow_failure(board, row, event.why, now)
    elif isinstance(event, Skipped):
        _cancel_below(board, row, "its branching step was skipped", now)
        _end(board, replace(row, state="skipped", why=event.why), now, actor)
        _follow(board, row, board.step_of(row).next, now)
    else:
        _done(board, row, event, now, actor)


def _done(board: Board, row: StepRow, event: Done, now: datetime, actor: str) -> None:
    step = board.step_of(row)
    out = {**(row.out or {}), **event.out} or None
    _end(board, replace(row, state="done", out=out, why=None if row.why == LATE else row.why), now, actor)
    taken = {name: event.out[field] for name, field in step.out.items() if field in event.out}
    if taken:
        board.run = replace(board.run, variables=board.run.variables | taken)
    _follow(board, row, step.next, now)


def _end(board: Board, row: StepRow, now: datetime, actor: str) -> None:
    _note(board, replace(row, ended_at=now, wake_at=None, actor=actor))


def _note(board: Board, row: StepRow) -> None:
    board.put(row)
    board.moves.append(row)


def _wait(board: Board, row: StepRow, event: Waiting, now: datetime) -> None:
    # A time that is past already must not lose its wake-up, nor spin.
    until = max(event.until, now + LOOK_AGAIN) if event.until is not None else None
    ends = [time for time in (until, row.deadline) if time is not None and time > now]
    out = {**(row.out or {}), **event.out} if event.out is not None else row.out
    waiting = replace(row, state="waiting", out=out, wake_at=min(ends, default=None))
    if row.state == "ready" and isinstance(board.step_of(row), PERSONAL):
        _note(board, waiting)
    else:
        board.put(waiting)


def _take(board: Board, row: StepRow, event: Take, now: datetime, actor: str) -> None:
    out = {**(row.out or {}), **event.taken}
    out.pop("choices", None)
    if isinstance(board.step_of(row), Regrade):
        board.run = replace(board.run, level=event.taken["to"])
    if not event.branches:
        transition(board, row.key, Done(out), now, actor)
        return
    board.put(replace(row, state="waiting", out=out or None, wake_at=row.deadline))
    for branch in event.branches:
        board.enter(branch, row.name, now)


def _late(board: Board, row: StepRow, now: datetime) -> None:
    on_timeout = board.step_of(row).on_timeout
    if on_timeout == "stay":
        _note(board, replace(row, state="waiting", why=LATE, wake_at=None))
    elif on_timeout == "continue":
        _cancel_below(board, row, "its branching step ran out of time", now)
        transition(board, row.key, Done({"timed_out": True}), now)
    else:
        transition(board, row.key, Failed(f"not over by its deadline {row.deadline}"), now)


def _cancel_below(board: Board, row: StepRow, why: str, now: datetime) -> None:
    if isinstance(board.step_of(row), BRANCHING):
        for inner in list(board.below(row.name)):
            _end(board, replace(inner, state="cancelled", why=why), now, "system")


def _follow(board: Board, row: StepRow, target: str | None, now: datetime) -> None:
    """Open what follows a visit that is over, or go back to the branching step it belongs to."""
    if target is None:
        _return(board, row.parent, now, None)
    elif board.visits(target) >= MAX_VISITS:
        _return(board, row.parent, now, f"{target} was visited {MAX_VISITS} times: the plan goes in a circle")
    else:
        board.enter(target, row.parent, now)


def _follow_failure(board: Board, row: StepRow, why: str, now: datetime) -> None:
    step = board.step_of(row)
    if step.on_failure is None:
        _return(board, row.parent, now, why)
    else:
        _follow(board, row, step.next if step.on_failure == CONTINUE else step.on_failure, now)


def _return(board: Board, parent: str, now: datetime, failed: str | None) -> None:
    """A branch has ended: end the run, or let the branching visit see whether it is over."""
    if parent in {"", SIDE}:
        _end_line(board, now, None if parent == SIDE else failed)
        return
    name, _, visit = parent.rpartition("#")
    row = board.rows[name, int(visit)]
    step = board.step_of(row)
    if isinstance(step, Parallel):
        _join(board, row, step, now, failed)
    elif failed is not None:
        transition(board, row.key, Failed(failed), now)
    elif isinstance(step, While):
        board.put(replace(row, state="ready", wake_at=now))
    else:
        transition(board, row.key, Done(), now)


def _join(board: Board, row: StepRow, step: Parallel, now: datetime, failed: str | None) -> None:
    failures = [*(row.out or {}).get("failures", []), *([failed] if failed else [])]
    if failed is not None:
        board.put(replace(row, out={**(row.out or {}), "failures": failures}))
    if failures and step.on_branch_failure == "cancel":
        transition(board, row.key, Failed(failures[0]), now)
    elif not any(True for _ in board.below(row.name)):
        ends_well = not failures or step.on_branch_failure == "continue"
        transition(board, row.key, Done() if ends_well else Failed("; ".join(failures)), now)


def _end_line(board: Board, now: datetime, failed: str | None) -> None:
    """The main line is over, or one aside: the run is, when nothing is open in it any more.

    A main line that failed takes the lines aside with it; one of those that fails is told as its step is, and
    no more.
    """
    if failed is not None:
        end_all(board, "the run has failed", now, "system")
    if any(row.open for row in board.rows.values()):
        return
    ended: RunState = "failed" if failed is not None else "done"
    state: RunState = "cancelled" if board.run.state == "cancelling" else ended
    board.run = replace(board.run, state=state, ended_at=now, progress_at=now)


def end_all(board: Board, why: str, now: datetime, actor: str) -> None:
    """Cancel everything that is open in a run."""
    for row in list(board.rows.values()):
        if row.open:
            _end(board, replace(row, state="cancelled", why=why), now, actor)
