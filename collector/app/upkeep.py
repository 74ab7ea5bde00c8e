"""What is done once an hour, and is no reason to end where it cannot be: ending would stop the clocks too."""

import asyncio
import socket
from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from ..errors import FengsuiError, RetryableError
from ..eventlog.port import EventLog
from ..store.cursors import PIPELINE, read_cursor
from ..store.engine import Store
from ..trust.superior import renew
from .ending import Notes

_TRIM_SECONDS = 3600.0
_RENEW_SECONDS = 3600.0
Clock = Callable[[], datetime]


class Retention:
    """Lets old batches go that the pipeline has read.

    Args:
        store, log: Where the cursor stands, and what is trimmed.
        life: How long a batch is kept.
        clock: The time.
        notes: Told what could not be done now.
    """

    def __init__(
        self, store: Store, log: EventLog, life: Callable[[], timedelta], clock: Clock, notes: Notes
    ) -> None:
        self._store = store
        self._log = log
        self._life = life
        self._clock = clock
        self._notes = notes

    async def run(self) -> None:
        """Trim until cancelled."""
        while True:
            try:
                await self._drop_old()
            except RetryableError as error:
                self._notes(f"old batches are kept for now: {error}")
            await asyncio.sleep(_TRIM_SECONDS)

    async def _drop_old(self) -> None:
        async with self._store.read() as conn:
            read = await read_cursor(conn, PIPELINE)
        await self._log.trim(read, self._clock() - self._life())


class Membership:
    """Renews the certificate by which the collector above knows this one: hourly where it ages, or at once.

    Args:
        state: The folder of what `join` kept.
        renewed: Awaited after a renewal: connections made with the old certificate are closed.
        clock: The time.
        notes: Told what could not be done now.
    """

    def __init__(
        self,
        state: Callable[[], Path],
        renewed: Callable[[], Coroutine[Any, Any, None]],
        clock: Clock,
        notes: Notes,
    ) -> None:
        self._state = state
        self._renewed = renewed
        self._clock = clock
        self._notes = notes
        self._wanted = asyncio.Event()

    def want(self) -> None:
        """Renew now: the collector above trusts other authorities, or wants a fresh key."""
        self._wanted.set()

    async def run(self) -> None:
        """Look every hour and when it is wanted, until cancelled."""
        while True:
            wanted = self._wanted.is_set()
            self._wanted.clear()
            try:
                if await renew(self._state(), socket.gethostname(), self._clock(), wanted=wanted):
                    await self._renewed()
            except (FengsuiError, OSError) as error:
                self._notes(f"the certificate for the collector above is not renewed yet: {error}")
            with suppress(TimeoutError):
                async with asyncio.timeout(_RENEW_SECONDS):
                    await self._wanted.wait()
