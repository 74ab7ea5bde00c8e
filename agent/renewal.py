"""Gets this node a new certificate in time: two thirds of the old one's life over, or when it is wanted.

Whether it is time is asked of the collectors' clock: by a wrong clock of the host's own a certificate would
be due for ever, or never.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from .backoff import Backoff
from .enrolment import Host, Identity, renew
from .texts import SaidError
from .transport import Transport

_LOOK_SECONDS, _FIRST_LOOK_SECONDS = 3600.0, 10.0
_log = logging.getLogger(__name__)
Sleep = Callable[[float], Awaitable[None]]


class Renewal:
    """The renewals of one identity; the next identity gets its own.

    Args:
        identity: Who this node is.
        transport: Where the collectors are, and by how much their clock differs.
        state: The state folder.
        host: What to tell of the host.
        now: The host's clock.
        language: Of what is logged.
        random: Numbers from 0 to below 1.
        sleep: Waits.
    """

    def __init__(
        self,
        identity: Identity,
        transport: Transport,
        state: Path,
        *,
        host: Host,
        now: Callable[[], datetime],
        language: str,
        random: Callable[[], float],
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._identity = identity
        self._transport = transport
        self._state = state
        self._host = host
        self._now = now
        self._language = language
        self._wanted = asyncio.Event()
        self._pause = Backoff(random, first=_FIRST_LOOK_SECONDS, longest=_LOOK_SECONDS)
        self._sleep = sleep

    def want(self) -> None:
        """Renew now: a collector or an order asks for it."""
        self._wanted.set()

    async def run(self, renewed: Callable[[], None]) -> None:
        """Renew once, say so, and wait to be ended."""
        due = self._identity.renewal_due()
        while True:
            theirs = self._theirs()
            if (theirs is not None and theirs >= due) or self._wanted.is_set():
                if await self._renew():
                    renewed()
                    await asyncio.Event().wait()
                # Every acknowledgement may want it: what was refused is not asked for as often.
                await self._sleep(self._pause.failed())
                continue
            with suppress(TimeoutError):
                async with asyncio.timeout(_FIRST_LOOK_SECONDS if theirs is None else _LOOK_SECONDS):
                    await self._wanted.wait()

    def _theirs(self) -> datetime | None:
        """Return the collectors' time; None where no answer has told it yet."""
        ahead = self._transport.offset
        return None if ahead is None else self._now() - timedelta(seconds=ahead)

    async def _renew(self) -> bool:
        """Ask the collectors one after the other; False where none gave a certificate."""
        for url in self._transport.addresses:
            try:
                await renew(self._identity, url, self._state, self._host, self._now)
            except SaidError as error:
                _log.error("%s", error.in_language(self._language))
            else:
                return True
        return False
