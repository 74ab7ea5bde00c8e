"""What people do to a run: finish a step, approve or refuse, decide, skip, give up. Each with their name."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from ..actions.port import Done, Failed, Skipped, Waiting
from ..errors import PermanentError
from ..plans.load import typed
from ..plans.model import BRANCHING, Approve, Manual
from ..store.runs import StepRow
from .board import Board
from .keeping import PinnedPlans, load_boards, save_boards
from .machine import Event, cancel_run, chosen, transition

_MAX_TEXT = 10_000


class StepRefusedError(PermanentError):
    """A person's word that does not fit: the step does not wait for one, or the form is not filled."""


async def complete_step(  # noqa: PLR0917 - the form in which `app` hands it to the desk
    conn: AsyncConnection, run: str, step: str, actor: str, out: Mapping[str, Any], now: datetime
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

    Raises:
        StepRefusedError: There is no such open step, or `out` does not fit; every mistake is named.
    """
    board, row = await _open_step(conn, run, step)
    transition(board, row.key, _word(board, row, actor, out, now), now, actor)
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


async def give_up(conn: AsyncConnection, run: str, actor: str, reason: str, now: datetime) -> list[str]:
    """Cancel a run; returns the undo steps that its plan proposes for what was done, newest first.

    Raises:
        StepRefusedError: The run is over, or there is no reason.
    """
    board = await _running(conn, run)
    cancel_run(board, _reason(reason), now, actor)
    await save_boards(conn, [board], actor, now)
    done = [row for row in board.rows.values() if row.state == "done" and board.step_of(row).undo]
    done.sort(key=lambda row: row.ended_at or now, reverse=True)
    return [board.step_of(row).undo or "" for row in done]


async def _running(conn: AsyncConnection, run: str) -> Board:
    boards = await load_boards(conn, [run], PinnedPlans(), skip_locked=False)
    if not boards:
        raise StepRefusedError(f"run {run} is over or was never there; look at the incident's newest run")
    return boards[0]


async def _open_step(conn: AsyncConnection, run: str, step: str) -> tuple[Board, StepRow]:
    board = await _running(conn, run)
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


def _word(board: Board, row: StepRow, actor: str, out: Mapping[str, Any], now: datetime) -> Event:
    step = board.step_of(row)
    if isinstance(step, Manual):
        return Done(filled_form(step, out))
    if isinstance(step, Approve):
        return _approval(board, row, actor, out, now)
    choices = (row.out or {}).get("choices", [])
    if not isinstance(step, BRANCHING) or not choices:
        raise StepRefusedError(f"step {row.step!r} is a {row.kind} and does not wait for a person")
    decision = str(out.get("decision", "")).lower() if choices == ["true", "false"] else out.get("decision")
    if decision not in choices:
        raise StepRefusedError(f"decision: found {decision!r}, expected one of {', '.join(choices)}")
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


def _approval(board: Board, row: StepRow, actor: str, out: Mapping[str, Any], now: datetime) -> Event:
    step = board.step_of(row)
    assert isinstance(step, Approve)  # noqa: S101 - the caller asks by kind
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
