"""What people do to a run, each with their name: do a step, approve, decide, skip, retry, pause, give up."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, cast

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from wire.vocabulary import Level

from ..actions.port import Done, Failed, Skipped, Waiting
from ..errors import PermanentError
from ..plans.load import typed
from ..plans.model import Approve, Manual, Regrade
from ..store.runs import MOVING, StepRow
from .board import Board
from .course import UNDO, NotPossibleError, cancel, pause, resume, retry, set_level
from .keeping import PinnedPlans, load_boards, save_boards
from .machine import LEVELS, Begin, Event, chosen, transition
from .starting import may_not_start

PAUSE = timedelta(hours=1)
LONGEST_PAUSE = timedelta(days=7)
_MAX_TEXT = 10_000


class StepRefusedError(PermanentError):
    """A person's word that does not fit: the step does not wait for one, or the form is not filled."""


async def complete_step(  # noqa: PLR0917 - the form in which `app` hands it to the desk
    conn: AsyncConnection,
    run: str,
    step: str,
    actor: str,
    out: Mapping[str, Any],
    now: datetime,
    roles: frozenset[str] = frozenset(),
) -> None:
    """Take a person's word for a step that waits for one.

    Args:
        conn: A write transaction.
        run: Id of the run.
        step: Id of the step; where it is open more than once, its newest visit.
        actor: Who says so, as the journal names them.
        out: A manual step's form; for an approval `{"decision": "approve" | "refuse", "comment"}`; for a
            condition that could not be evaluated `{"decision": one of the row's choices}`.
        now: When.
        roles: What the person bears for the run's unit; an approval counts only from who bears its role, and
            the response level is set only by who may start the plan at it.

    Raises:
        StepRefusedError: There is no such open step, or `out` does not fit; every mistake is named.
    """
    board, row = await _open_step(conn, run, step)
    transition(board, row.key, _word(board, row, Speaker(actor, roles), out, now), now, actor)
    await save_boards(conn, [board], actor, now)


async def skip_step(
    conn: AsyncConnection, run: str, step: str, *, actor: str, reason: str, now: datetime
) -> None:
    """Go on as if an open step had been done, on a person's word and for a reason.

    Raises:
        StepRefusedError: There is no such open step, or no reason.
    """
    board, row = await _open_step(conn, run, step)
    transition(board, row.key, Skipped(_reason(reason)), now, actor)
    await save_boards(conn, [board], actor, now)


async def retry_step(
    conn: AsyncConnection, run: str, step: str, *, actor: str, reason: str, now: datetime
) -> None:
    """Do a failed step once more, and go on with a run that failed by it.

    Raises:
        StepRefusedError: The step has not failed, the run went on from it, or there is no reason.
    """
    board = await _locked(conn, run)
    newest = board.newest(step)
    if newest is None:
        raise StepRefusedError(f"step {step!r} of run {run} was never there")
    with _said():
        retry(board, newest.key, _reason(reason), now, actor)
    await save_boards(conn, [board], actor, now)


async def pause_run(
    conn: AsyncConnection, run: str, *, until: datetime | None, actor: str, reason: str, now: datetime
) -> None:
    """Let nothing begin in a run until `until` (an hour, where nothing is said), or until it is resumed.

    Raises:
        StepRefusedError: It does not run, `until` is not within a week, or there is no reason.
    """
    until = until or now + PAUSE
    if not now < until <= now + LONGEST_PAUSE:
        raise StepRefusedError(f"until: found {until.isoformat()}, expected a time within the next 7 days")
    board = await _locked(conn, run)
    with _said():
        pause(board, until, _reason(reason), now, actor)
    await save_boards(conn, [board], actor, now)


async def resume_run(conn: AsyncConnection, run: str, *, actor: str, now: datetime) -> None:
    """Go on with a paused run.

    Raises:
        StepRefusedError: It is not paused.
    """
    board = await _locked(conn, run)
    with _said():
        resume(board, now, actor)
    await save_boards(conn, [board], actor, now)


async def set_run_level(
    conn: AsyncConnection,
    run: str,
    *,
    level: Level,
    roles: frozenset[str],
    actor: str,
    reason: str,
    now: datetime,
) -> None:
    """Raise or lower a run's response level, as a step of its own.

    Raises:
        StepRefusedError: The person may not start the plan at that level, the run stands at it, or no reason.
    """
    board = await _locked(conn, run)
    if missing := may_not_start(board.plan, level, roles):
        raise StepRefusedError(missing)
    with _said():
        set_level(board, level, _reason(reason), now, actor)
    await save_boards(conn, [board], actor, now)


async def give_up(conn: AsyncConnection, run: str, actor: str, reason: str, now: datetime) -> list[str]:
    """Cancel a run; returns the undo steps that now wait for a person's word, the newest deed's first.

    Raises:
        StepRefusedError: The run is over, or there is no reason.
    """
    board = await _locked(conn, run)
    with _said():
        proposed = cancel(board, _reason(reason), now, actor)
    await save_boards(conn, [board], actor, now)
    return proposed


DEEDS = ("pause", "resume", "cancel", "skip", "retry", "level")


async def act_on_run(
    conn: AsyncConnection,
    run: str,
    deed: str,
    *,
    step: str = "",
    level: str | None = None,
    until: datetime | None = None,
    reason: str = "",
    actor: str,
    roles: frozenset[str],
    now: datetime,
) -> None:
    """Do one of `DEEDS` to a run or to one of its steps, as console and API ask for it.

    Raises:
        StepRefusedError: It cannot be done as the run stands, or something it needs was not said.
    """
    match deed:
        case "pause":
            await pause_run(conn, run, until=until, actor=actor, reason=reason, now=now)
        case "resume":
            await resume_run(conn, run, actor=actor, now=now)
        case "cancel":
            await give_up(conn, run, actor, reason, now)
        case "skip":
            await skip_step(conn, run, step, actor=actor, reason=reason, now=now)
        case "retry":
            await retry_step(conn, run, step, actor=actor, reason=reason, now=now)
        case "level" if level in LEVELS:
            wanted = cast("Level", level)
            await set_run_level(conn, run, level=wanted, roles=roles, actor=actor, reason=reason, now=now)
        case "level":
            raise StepRefusedError(f"level: found {level!r}, expected one of {', '.join(LEVELS)}")
        case _:
            raise StepRefusedError(f"deed: found {deed!r}, expected one of {', '.join(DEEDS)}")


@contextmanager
def _said() -> Iterator[None]:
    try:
        yield
    except NotPossibleError as error:
        raise StepRefusedError(str(error)) from error


async def _locked(conn: AsyncConnection, run: str) -> Board:
    boards = await load_boards(conn, [run], PinnedPlans())
    if not boards:
        raise StepRefusedError(f"run {run} was never there; look at the incident's newest run")
    return boards[0]


async def _open_step(conn: AsyncConnection, run: str, step: str) -> tuple[Board, StepRow]:
    board = await _locked(conn, run)
    if board.run.state not in MOVING:
        remedy = "resume it first" if board.run.state == "paused" else "look at the incident's newest run"
        raise StepRefusedError(f"run {run} is {board.run.state}; {remedy}")
    visits = [row for row in board.rows.values() if row.step == step and row.open]
    if not visits:
        standing = ", ".join(sorted(row.step for row in board.rows.values() if row.open))
        raise StepRefusedError(f"step {step!r} of run {run} is not open; open are: {standing}")
    return board, max(visits, key=lambda row: row.visit)


def _reason(reason: str) -> str:
    if not reason.strip():
        raise StepRefusedError("reason: found nothing, expected why")
    return _clean(reason)


def _clean(text: str) -> str:
    """A person's words without what databases and seals cannot hold: control characters, half characters."""
    return "".join(char for char in text if char.isprintable() or char in "\n\t").strip()[:_MAX_TEXT]


class Speaker(Struct, frozen=True):
    """Who speaks, and what they bear for the run's unit."""

    actor: str
    roles: frozenset[str]


def _word(board: Board, row: StepRow, speaker: Speaker, out: Mapping[str, Any], now: datetime) -> Event:
    step = board.step_of(row)
    if row.asks:
        return _decision(board, row, speaker, out)
    if isinstance(step, Manual):
        return Done(filled_form(step, out))
    if isinstance(step, Approve):
        return _approval(board, row, speaker, out, now)
    raise StepRefusedError(f"step {row.step!r} is a {row.kind} and does not wait for a person")


def _decision(board: Board, row: StepRow, speaker: Speaker, out: Mapping[str, Any]) -> Event:
    choices: list[str] = list((row.out or {})["choices"])
    decision = str(out.get("decision", "")).lower() if choices == ["true", "false"] else out.get("decision")
    if decision not in choices:
        raise StepRefusedError(f"decision: found {decision!r}, expected one of {', '.join(choices)}")
    comment = _clean(str(out.get("comment") or ""))
    if choices == list(UNDO):
        return Begin() if decision == "undo" else Skipped(comment or "left as it is")
    if isinstance(board.step_of(row), Regrade):
        missing = may_not_start(board.plan, cast("Level", decision), speaker.roles)
        if missing and decision != board.run.level:
            raise StepRefusedError(missing)
    return chosen(board, row.key, str(decision))


def filled_form(step: Manual, out: Mapping[str, Any]) -> dict[str, Any]:
    """Return a form's values as their types.

    Raises:
        StepRefusedError: naming every field that is missing, unknown or of another type.
    """
    mistakes = [
        f"{name}: found an unknown field, expected one of {', '.join(step.form) or 'none'} or comment"
        for name in out
        if name not in step.form and name != "comment"
    ]
    values: dict[str, Any] = {}
    for name, field in step.form.items():
        given = out.get(name)
        if isinstance(given, str) and len(given) > _MAX_TEXT:
            mistakes.append(f"{name}: found {len(given)} characters, expected at most {_MAX_TEXT}")
            continue
        if given is None or given == "":
            if field.required:
                mistakes.append(f"{name}: found nothing, expected {field.title.en}")
            continue
        try:
            values[name] = typed(_clean(given) if isinstance(given, str) else given, field.type)
        except ValueError as error:
            mistakes.append(f"{name}: found {given!r}, expected {error}")
            continue
        if field.choices and values[name] not in field.choices:
            mistakes.append(f"{name}: found {given!r}, expected one of {', '.join(field.choices)}")
    if mistakes:
        raise StepRefusedError("; ".join(mistakes))
    comment = _clean(str(out.get("comment") or ""))
    return values | ({"comment": comment} if comment else {})


def _approval(board: Board, row: StepRow, speaker: Speaker, out: Mapping[str, Any], now: datetime) -> Event:
    step, actor = board.step_of(row), speaker.actor
    assert isinstance(step, Approve)  # noqa: S101 - the caller asks by kind
    wanted = [role for role in (step.owner, step.deputy) if role is not None]
    if speaker.roles.isdisjoint(wanted):
        borne = ", ".join(sorted(speaker.roles)) or "no role"
        raise StepRefusedError(f"{row.step} is approved by the role {' or '.join(wanted)}, found {borne}")
    decision = out.get("decision")
    comment = _clean(str(out.get("comment") or ""))
    if decision not in {"approve", "refuse"}:
        raise StepRefusedError(f"decision: found {decision!r}, expected approve or refuse")
    given: list[dict[str, Any]] = list((row.out or {}).get("votes", []))
    if any(vote["by"] == actor for vote in given):
        raise StepRefusedError(f"{actor} has spoken already; the other approvals are for other people")
    if step.four_eyes and any(other.actor == actor for other in board.rows.values()):
        raise StepRefusedError(f"{actor} has done a step of this run; four eyes are asked for")
    if decision == "refuse":
        return Failed(f"refused by {actor}: {comment or 'no reason given'}")
    votes = [*given, {"by": actor, "at": now.isoformat(), "comment": comment}]
    if len(votes) < step.quorum:
        return Waiting(out={"votes": votes})
    told = {"decision": "approved", "by": [vote["by"] for vote in votes]}
    return Done(told | {"comments": [vote["comment"] for vote in votes], "votes": votes})
