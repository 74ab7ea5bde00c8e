"""Steps carried out for real: every effect a row of the transaction in which the run moves."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from ..actions import Actions
from ..actions.port import Failed, Result, StepContext
from ..store.runs import StepRow
from .board import Board


class Effects:
    """The performer of a runner, for the length of one transaction."""

    def __init__(self, conn: AsyncConnection, actions: Actions) -> None:
        self._conn = conn
        self._actions = actions

    async def begin(self, board: Board, row: StepRow, now: datetime, /) -> Result:
        """Write the effect of a visit."""
        action = self._actions.by_kind.get(row.kind)
        if action is None:
            return Failed(f"nothing here carries out a step of kind {row.kind}")
        return await action.begin(self._conn, context(board, row, now))

    async def poll(self, board: Board, row: StepRow, now: datetime, /) -> Result:
        """Look what became of it."""
        action = self._actions.by_kind.get(row.kind)
        if action is None:
            return Failed(f"nothing here carries out a step of kind {row.kind}")
        return await action.poll(self._conn, context(board, row, now))

    async def ask(self, board: Board, row: StepRow, now: datetime, /) -> None:
        """Tell those whose approval a visit waits for."""
        await self._actions.ask(self._conn, context(board, row, now))

    async def remind(self, board: Board, row: StepRow, now: datetime, /) -> None:
        """Tell the leader that a visit is late and stays open."""
        await self._actions.remind(self._conn, context(board, row, now))


def context(board: Board, row: StepRow, now: datetime) -> StepContext:
    """Return a visit as actions see it."""
    return StepContext(
        run=row.run,
        name=row.step,
        visit=row.visit,
        step=board.step_of(row),
        incident=board.incident,
        unit=board.run.unit,
        since=row.ready_at,
        deadline=row.deadline,
        scope=board.scope,
        drill=board.run.drill,
        now=now,
    )
