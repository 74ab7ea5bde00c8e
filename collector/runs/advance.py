"""Take a run as far as it goes now: begin what is ready, look at what is due, until all of it waits."""

from datetime import datetime
from typing import Protocol

from ..actions.port import Result, Waiting
from ..plans.model import BRANCHING, PERSONAL, Approve, End, Start
from ..store.runs import MOVING, StepRow
from .board import Board
from .course import follow_clocks, follow_level
from .machine import LATE, Event, Late, flow_event, transition

MAX_MOVES = 500
"""Of one run at a time, so that a plan that spins does not keep the others waiting; the rest stays ready."""


class Performer(Protocol):
    """What carries out steps that do something; `runs.effects` for real, `runs.drill` without effects."""

    async def begin(self, board: Board, row: StepRow, now: datetime, /) -> Result:
        """Write the effect of a visit."""

    async def poll(self, board: Board, row: StepRow, now: datetime, /) -> Result:
        """Look what became of it."""

    async def ask(self, board: Board, row: StepRow, now: datetime, /) -> None:
        """Tell those whose approval a visit waits for, from now on."""

    async def remind(self, board: Board, row: StepRow, now: datetime, /) -> None:
        """Tell somebody that a visit is late and stays open."""


async def advance(board: Board, performer: Performer, now: datetime, budget: int = MAX_MOVES) -> int:
    """Move a run on until nothing in it can move at `now`; returns the number of moves."""
    moves = 0
    follow_level(board, now)
    follow_clocks(board)
    while board.run.state in MOVING and (due := [row for row in board.rows.values() if _is_due(row, now)]):
        for seen in due:
            row = board.rows[seen.key]
            if not _is_due(row, now):
                continue
            if moves >= budget:
                return moves
            event = await _event(board, row, performer, now)
            transition(board, row.key, event, now)
            moves += 1
            if row.state == "ready" and isinstance(board.step_of(row), Approve) and board.rows[row.key].open:
                await performer.ask(board, board.rows[row.key], now)
            if isinstance(event, Late) and board.rows[row.key].why == LATE:
                await performer.remind(board, board.rows[row.key], now)
    return moves


def _is_due(row: StepRow, now: datetime) -> bool:
    return row.state == "ready" or (row.state == "waiting" and row.wake_at is not None and row.wake_at <= now)


async def _event(board: Board, row: StepRow, performer: Performer, now: datetime) -> Event:
    step = board.step_of(row)
    event: Event
    if isinstance(step, (Start, End, *BRANCHING)):
        event = flow_event(board, row.key) if row.state == "ready" else Waiting()
    elif row.asks or isinstance(step, PERSONAL):
        event = Waiting()
    elif row.state == "ready":
        event = await performer.begin(board, row, now)
    else:
        event = await performer.poll(board, row, now)
    is_late = row.deadline is not None and row.deadline <= now and row.why != LATE
    return Late() if isinstance(event, Waiting) and is_late and row.state == "waiting" else event
