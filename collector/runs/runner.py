"""The flow that starts plans for incidents and carries them on, whatever dies in between.

One pass does, each in transactions of its own::

    1  end orders whose deadline has passed         (their steps wake)
    2  incidents that wait for a plan               -> run + first step + journal, the incident's flag cleared
                                                       (where one runs already, it looks at its level)
    3  runs with a step that is due, a slice a time -> lock, load, advance, write: effects, rows and journal
                                                       in one transaction

A process that dies before a commit has done nothing; after it, everything. So there is nothing to repair at
start, and any number of processes may run this on one database: a run's row is its lock, and what another
holds is skipped.
A run that cannot be moved (a mistake of ours, a broken row) is put off for a minute, told in the journal and
counted; the others go on.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from ..actions import Actions
from ..plans import Plan
from ..store import journal
from ..store.engine import Store, StoreBusyError
from ..store.orders import OrderRow, expire_order, overdue_orders
from ..store.runs import any_pending, due_runs, hold, next_wake
from .advance import advance
from .course import resume
from .effects import Effects
from .keeping import PinnedPlans, load_boards, save_boards
from .starting import Starter

log = logging.getLogger(__name__)
POLL = timedelta(seconds=1)
GATHER = 0.02
HOLD = timedelta(minutes=1)
SLICE = 50


class Glance(Struct, frozen=True, kw_only=True):
    """What there is to do, and when there will be more."""

    overdue: Sequence[OrderRow]
    pending: bool
    due: Sequence[str]
    wake: datetime | None


class Runner:
    """Starts and carries on runs. All arguments that a reload may swap are callables.

    Attributes:
        moves: Steps moved by this process.
        started: Runs started by this process.
        held: Times a run was put off because it could not be moved.
        last_pass: When a pass last came to its end.
    """

    def __init__(
        self,
        store: Store,
        plans: Callable[[], Mapping[str, Plan]],
        actions: Actions,
        clock: Callable[[], datetime],
        *,
        asset_role: Callable[[str], str | None] = lambda _: None,
    ) -> None:
        self._store = store
        self._starter = Starter(plans, asset_role)
        self._actions = actions
        self._clock = clock
        self._pinned = PinnedPlans()
        self.moves = 0
        self.started = 0
        self.held = 0
        self.last_pass: datetime | None = None
        self._wake: datetime | None = None

    async def run(self) -> None:
        """Work until cancelled, woken by changes of this process and, for those of others, each second."""
        while True:
            seen = self._store.changed.count
            try:
                await self.work()
            except StoreBusyError as error:
                log.warning("runs: %s", error)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._pause()):
                    await self._store.changed.wait(seen)
                    await asyncio.sleep(GATHER)  # a busy store changes faster than it is worth a look

    async def work(self) -> int:
        """Do all that is due now; returns the number of steps moved and runs started."""
        before = self.moves + self.started
        while True:
            now = self._clock()
            glance = await self._look(now)
            if not await self._act(glance, now):
                break
        self._wake = glance.wake
        self.last_pass = self._clock()
        return self.moves + self.started - before

    async def _look(self, now: datetime) -> Glance:
        async with self._store.read() as conn:
            return Glance(
                overdue=await overdue_orders(conn, now),
                pending=await any_pending(conn),
                due=await due_runs(conn, now, SLICE),
                wake=await next_wake(conn),
            )

    async def _act(self, glance: Glance, now: datetime) -> bool:
        """Do what was seen; False where there was nothing, or others do it."""
        if glance.overdue:
            await self._expire_orders(glance.overdue, now)
        looked_at = await self._start() if glance.pending else 0
        moved = await self._advance(glance.due, now) if glance.due else 0
        return bool(glance.overdue or looked_at or moved)

    def _pause(self) -> float:
        ahead = POLL if self._wake is None else min(POLL, self._wake - self._clock())
        return max(ahead.total_seconds(), GATHER)

    async def _expire_orders(self, overdue: Sequence[OrderRow], now: datetime) -> None:
        async def work(conn: AsyncConnection) -> None:
            for order in overdue:
                await expire_order(conn, order, now)

        await self._store.run(work)

    async def _start(self) -> int:
        """Find plans for the incidents that wait for one; returns how many were looked at."""
        looked_at = 0
        while True:
            seen, started = await self._store.run(lambda conn: self._starter.look(conn, self._clock(), SLICE))
            self.started += started
            looked_at += seen
            if seen < SLICE:
                return looked_at

    async def _advance(self, due: Sequence[str], now: datetime) -> int:
        """Advance a slice in one transaction; where one of it cannot, each in its own."""
        try:
            moves = await self._store.run(lambda conn: self._advance_slice(conn, due, now))
        except StoreBusyError:
            raise
        except Exception:  # an edge: one broken run must not keep the others from moving
            if len(due) == 1:
                log.exception("runs: run %s cannot be moved", due[0])
                await self._put_off(due[0], now)
                return 1
        else:
            self.moves += moves
            return moves
        return sum([await self._advance([run], now) for run in due])

    async def _advance_slice(self, conn: AsyncConnection, due: Sequence[str], now: datetime) -> int:
        boards = await load_boards(conn, due, self._pinned, movable_at=now)
        moves = 0
        for board in boards:
            if board.run.state == "paused":
                resume(board, now, "system")
            moves += await advance(board, Effects(conn, self._actions), now)
        await save_boards(conn, boards, self._store.incarnation, now)
        return moves

    async def _put_off(self, run: str, now: datetime) -> None:
        self.held += 1
        why = f"could not be moved; tried again in {HOLD}; see the collector's log of {now.isoformat()}"

        async def work(conn: AsyncConnection) -> None:
            await hold(conn, run, now + HOLD, why, now)
            entry = journal.Entry(
                actor="system", action="run.step", subject=f"run:{run}", detail={"why": why}
            )
            await journal.write(conn, entry, now)

        await self._store.run(work)
