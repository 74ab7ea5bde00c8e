"""The duty clock: fires every alarm once, within a second, whatever dies in between.

::

    armed row --due--> one transaction: row fired, notices queued, next alarm armed, journal, high-water mark
                       |
       killed before the commit: nothing happened, the next tick or another process fires it
       killed after it:          it is fired; the notices are rows and find their own way out
       two processes at once:    the incident's row is the lock; the second sees no armed alarm any more

After downtime the latest due alarm of each clock sounds once and says from when to when nobody ran: that is
known from the mark, which is raised with every firing and every ten seconds.

Where the host clock jumps forward, what it jumped over sounds at once, but that it was missed is written down
only by a person's word: the clock may be wrong, and a step back comes too late for what stands in a journal.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from ..casework import Casework, Fired, Jump, Outage
from ..errors import RetryableError
from ..store import journal
from ..store.clocks import due_incidents, next_alarm_at
from ..store.engine import Store
from ..store.marks import raise_mark, read_mark
from .timekeeper import Timekeeper

MARK = "duty.clock"
TICK = timedelta(seconds=1)
BREATH = timedelta(milliseconds=20)  # writes come in bursts, and another process may hold what is due
MARK_EVERY = timedelta(seconds=10)
OUTAGE_FROM = timedelta(seconds=60)
STEP_BACK_FROM = timedelta(seconds=2)
JUMP_FROM = timedelta(minutes=5)
SICK_FOR = timedelta(minutes=1)
BATCH = 500  # a tenth of a second: a person's click waits no longer, and twice as many are only 3 % faster
_log = logging.getLogger(__name__)


class DutyClock:
    """Fires due alarms; `run` for ever, `tick` once.

    Args:
        store: The state.
        casework: What an alarm does.
        wall: The host's clock, aware.
        steady: Seconds of a clock that only goes forward.
        batch: How many due alarms are looked at in one transaction.

    Attributes:
        fired: How many alarms have sounded.
        failures: How many ticks ended in an error.
        last_tick: When everything due was last fired.
    """

    def __init__(
        self,
        store: Store,
        casework: Casework,
        *,
        wall: Callable[[], datetime],
        steady: Callable[[], float],
        batch: int = BATCH,
    ) -> None:
        self._store = store
        self._casework = casework
        self._wall = wall
        self._steady = steady
        self._batch = batch
        self._keeper: Timekeeper | None = None
        self._outage: Outage | None = None
        self._marked: datetime | None = None
        self._sick: dict[str, datetime] = {}
        self._told_back = False
        self._jumps: list[Jump] = []
        self.fired = 0
        self.failures = 0
        self.last_tick: datetime | None = None

    async def run(self) -> None:
        """Tick whenever an alarm is due, something was written, or a second has passed."""
        while True:
            seen = self._store.changed.count
            try:
                wait = await self.tick()
            except RetryableError as error:
                self.failures += 1
                _log.warning("duty clock: %s", error)
                wait = TICK
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait.total_seconds()):
                    await self._store.changed.wait(seen)
                    await asyncio.sleep(BREATH.total_seconds())

    async def tick(self) -> timedelta:
        """Fire everything that is due; return how long nothing will be, a second at most.

        Raises:
            StoreBusyError: The database is away; nothing is lost by trying again.
        """
        keeper = self._keeper or await self._start()
        now = await self._look(keeper)
        self._sick = {key: until for key, until in self._sick.items() if until > now}
        while (fired := await self._fire(now)) is not None:
            self.fired += len(fired.alarms)
            if not fired.alarms:
                break
            now = await self._look(keeper)  # a batch of many is as late as it is, not as the first was
        await self._mark(now)
        self.last_tick = now
        return await self._pause(await self._look(keeper))

    async def _start(self) -> Timekeeper:
        async with self._store.read() as connection:
            mark = await read_mark(connection, MARK)
        keeper = self._keeper = Timekeeper(self._wall, self._steady, mark)
        now = await self._look(keeper)
        if mark is not None and now - mark >= OUTAGE_FROM:
            self._outage = Outage(began=mark, ended=now)
        return keeper

    async def _fire(self, now: datetime) -> Fired | None:
        """Fire one batch; None where nothing is due."""
        async with self._store.read() as connection:
            keys = await due_incidents(connection, now, self._batch, self._sick)
        if not keys:
            return None
        try:
            return await self._store.run(lambda connection: self._fire_batch(connection, now, keys))
        except RetryableError:
            raise
        except Exception:  # noqa: BLE001 - an edge; counted, and taken apart below
            # One incident that cannot be handled must not silence all the others.
            _log.exception("duty clock: a batch failed; its incidents are taken one by one")
            self.failures += 1
            return await self._fire_apart(keys, now)

    async def _fire_batch(self, connection: AsyncConnection, now: datetime, incidents: list[str]) -> Fired:
        fired = await self._casework.fire_due(
            connection, now, incidents=incidents, outage=self._outage, jumps=self._jumps
        )
        await raise_mark(connection, MARK, now)
        self._marked = now
        return fired

    async def _fire_apart(self, keys: list[str], now: datetime) -> Fired:
        total = Fired(alarms=[], late=[], waiting=0)
        for key in keys:
            try:
                one = await self._store.run(
                    lambda connection, key=key: self._fire_batch(connection, now, [key])  # type: ignore[misc]
                )
            except RetryableError:
                raise
            except Exception as error:  # noqa: BLE001 - an edge; counted, journalled and tried again
                _log.exception("duty clock: incident %s cannot be handled; again in a minute", key)
                self.failures += 1
                self._sick[key] = now + SICK_FOR
                await self._find("alarm_failed", key, {"error": repr(error)}, now)
            else:
                total.alarms.extend(one.alarms)
                total.late.extend(one.late)
        return total

    async def _look(self, keeper: Timekeeper) -> datetime:
        """Return the time, and tell of a host clock that was set back or has jumped since the last look."""
        now = keeper.now()
        back = keeper.behind >= STEP_BACK_FROM
        if back and not self._told_back:
            await self._find("clock_set_back", None, {"by_seconds": keeper.behind.total_seconds()}, now)
        self._told_back = back
        if keeper.jumped >= JUMP_FROM:
            self._jumps.append(Jump(began=now - keeper.jumped, ended=now))
            await self._find("clock_jumped", None, {"by_seconds": keeper.jumped.total_seconds()}, now)
        return now

    async def _find(
        self, finding: str, incident: str | None, detail: dict[str, object], now: datetime
    ) -> None:
        entry = journal.Entry(
            actor="system",
            action="audit.finding",
            subject=f"incident:{incident}" if incident else "flow:duty.clock",
            incident=incident,
            detail={"finding": finding, **detail},
        )
        await self._store.run(lambda connection: journal.write(connection, entry, now))

    async def _mark(self, now: datetime) -> None:
        if self._marked is None or now - self._marked >= MARK_EVERY:
            await self._store.run(lambda connection: raise_mark(connection, MARK, now))
            self._marked = now

    async def _pause(self, now: datetime) -> timedelta:
        async with self._store.read() as connection:
            due = await next_alarm_at(connection, self._sick)
        return TICK if due is None else min(TICK, max(due - now, BREATH))
