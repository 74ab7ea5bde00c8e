"""Looks after the calendar table, and tells the flows which days limits of law are counted by.

    libraries, operator's files ──> years ──> table ──> `in_force()`     each hour and reload

A limit in working days that could not be computed is computed as soon as its year is known: the incidents
that wait for it are graded anew.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from ..errors import RetryableError
from ..regimes import Calendars
from ..store.calendars import fill, incidents_waiting, read_years
from ..store.engine import Store
from ..workdays import CalendarFile, CalendarYear, calendars_of, known_years, regions_of, years_around

EVERY = timedelta(hours=1)
_log = logging.getLogger(__name__)


class Regrade(Protocol):
    """`Casework.regrade`."""

    def __call__(self, connection: AsyncConnection, incident: str, now: datetime, /) -> Awaitable[None]:
        """Grade an incident anew."""
        ...


class CalendarKeeper:
    """Fills and reads the table; `run` for ever, `keep` once.

    Args:
        store: The state.
        regions: Where the units are.
        files: The operator's own years.
        regrade: Grades an incident anew.
        now: The time.

    Attributes:
        failures: How many passes ended in an error.
    """

    def __init__(
        self,
        store: Store,
        *,
        regions: Callable[[], Iterable[str]],
        files: Callable[[], Sequence[CalendarFile]],
        regrade: Regrade,
        now: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._regions = regions
        self._files = files
        self._regrade = regrade
        self._now = now
        self._held: list[CalendarYear] = []
        self._in_force = Calendars()
        self.failures = 0

    def in_force(self) -> Calendars:
        """What limits in working days are counted by."""
        return self._in_force

    async def run(self) -> None:
        """Keep it every hour."""
        while True:
            try:
                await self.keep()
            except RetryableError as error:
                self.failures += 1
                _log.warning("calendar of working days: %s", error)
            await asyncio.sleep(EVERY.total_seconds())

    async def keep(self) -> list[CalendarYear]:
        """Bring the table up to date and take over what stands there; return what was written.

        Raises:
            StoreBusyError: The database is away.
        """
        now, files = self._now(), self._files()
        regions = regions_of(self._regions(), files)
        # The libraries take a good part of a second when they are first asked.
        years = await asyncio.to_thread(known_years, regions, files, years_around(now))
        written = await self._store.run(lambda connection: fill(connection, years, now))
        if await self.load():
            await self._catch_up(now)
        return written

    async def load(self) -> bool:
        """Take over what stands in the table, as at a start before anything is graded; whether it is new.

        Raises:
            StoreBusyError: The database is away.
        """
        async with self._store.read() as connection:
            held = list((await read_years(connection)).values())
        if held == self._held:
            return False
        self._held, self._in_force = held, calendars_of(held)
        return True

    async def _catch_up(self, now: datetime) -> None:
        async with self._store.read() as connection:
            waiting = await incidents_waiting(connection)
        for incident in waiting:

            async def anew(connection: AsyncConnection, incident: str = incident) -> None:
                await self._regrade(connection, incident, now)

            await self._store.run(anew)
