"""The notice outbox: every notice reaches its channel, and one effect is one key whoever dies when.

    row waiting ──claim (lease, fence + 1)──> sending ──channel──> sent
        ^                                        │
        │   not arrived, or not known whether    ├── failed for good, or too old ──> failed, unknown
        └────────── later, with back-off ────────┘

    killed before the call   the lease runs out, the next one sends             one effect
    killed inside the call   the lease runs out, it is sent again, same key     one effect for who reads keys
    killed before the record the same                                           likewise
    slower than its lease    another claims with fence + 1; the slow one's result is not taken

Toward people twice is better than never, so *unknown* is sent again as well. A notice is given up when it is
a day old: by then escalation and auditor have woken others.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from random import SystemRandom

from ..channels import Channel, Failed, Result, Sent, Unknown
from ..errors import RetryableError
from ..registry import Registry
from ..store.engine import Store
from ..store.notices import Notice, State, claim_notices, next_notice_at, record_notice
from ..tasks import OnDeath, spawn
from .addressing import Address, address_of, unlinked

LEASE = timedelta(seconds=60)
AT_ONCE = 16
GIVE_UP = timedelta(days=1)
_LONGEST_CALL = timedelta(seconds=45)
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(seconds=2), timedelta(minutes=5)
_POLL = timedelta(seconds=5)
_random = SystemRandom()
_log = logging.getLogger(__name__)


class Notices:
    """Sends what is due; several processes may do so at once.

    Args:
        store: The state.
        channels: By their name in the settings.
        registry: Knows people's addresses; asked at every notice.
        http_allow: Address prefixes for `http_request`; asked at every notice.
        clock: The time.
        on_death: Told when a sending ends by a fault of ours.
        link: The address by which the person of a notice acknowledges, where there is one.

    Attributes:
        sent, failed: How many came to that end here.
        faults: How often a channel ended by a fault of ours.
    """

    def __init__(
        self,
        store: Store,
        *,
        channels: Callable[[], Mapping[str, Channel]],
        registry: Callable[[], Registry],
        http_allow: Callable[[], Sequence[str]],
        clock: Callable[[], datetime],
        on_death: OnDeath,
        link: Callable[[Notice], str | None] = unlinked,
    ) -> None:
        self._link = link
        self._store = store
        self._channels = channels
        self._registry = registry
        self._http_allow = http_allow
        self._clock = clock
        self._on_death = on_death
        self._sending: set[asyncio.Task[None]] = set()
        self.sent = 0
        self.failed = 0
        self.faults = 0

    async def run(self) -> None:
        """Send until cancelled; what is being sent then is left to its lease."""
        try:
            while True:
                seen = self._store.changed.count
                pause = _POLL
                try:
                    pause = await self.step()
                except RetryableError as error:
                    _log.warning("notices wait: %s", error)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(pause.total_seconds()):
                        await self._store.changed.wait(seen)
        finally:
            for task in self._sending:
                task.cancel()

    async def step(self) -> timedelta:
        """Begin to send what is due; return for how long nothing else will be.

        Raises:
            StoreBusyError: The database is away; nothing is lost by trying again.
        """
        now = self._clock()
        free = AT_ONCE - len(self._sending)
        async with self._store.read() as conn:
            next_at = await next_notice_at(conn)
        if next_at is None or free <= 0:
            return _POLL
        if next_at > now:
            return min(next_at - now, _POLL)
        async with self._store.write() as conn:
            claimed = await claim_notices(
                conn, owner=self._store.incarnation, now=now, lease=LEASE, limit=free
            )
        for notice in claimed:
            task = spawn(f"notice {notice.id}", self._send(notice), self._on_death)
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)
        return _POLL

    async def settle(self) -> None:
        """Wait until nothing is being sent any more."""
        while self._sending:
            await asyncio.wait(self._sending)

    async def _send(self, notice: Notice) -> None:
        result = await self._call(notice)
        now = self._clock()
        state, next_at = outcome(notice, result, now, _random.random())
        while True:
            try:
                async with self._store.write() as conn:
                    taken = await record_notice(
                        conn, notice, state=state, next_at=next_at, result=told(result), now=now
                    )
                break
            except RetryableError as error:
                _log.warning("notice %s: its result waits: %s", notice.id, error)
                await asyncio.sleep(_random.uniform(0.1, 1.0))
        if taken:
            self.sent += state == "sent"
            self.failed += state in {"failed", "unknown"}

    async def _call(self, notice: Notice) -> Result:
        channel = self._channels().get(notice.channel)
        if channel is None:
            return Failed(permanent=True, why=f"the settings have no channel {notice.channel!r}")
        where = address_of(notice, self._registry(), self._http_allow(), self._link)
        if not isinstance(where, Address):
            return Failed(permanent=True, why=where)
        try:
            async with asyncio.timeout(_LONGEST_CALL.total_seconds()):
                return await channel.send(where.address, where.payload, notice.key)
        except TimeoutError:
            return Unknown(f"no answer within {_LONGEST_CALL.total_seconds():g} s")
        except Exception as error:  # noqa: BLE001 - the edge: one channel's fault must not silence the others
            self.faults += 1
            _log.exception("notice %s: channel %s failed", notice.id, notice.channel)
            return Unknown(f"a fault of the channel: {type(error).__name__}")


def outcome(notice: Notice, result: Result, now: datetime, chance: float) -> tuple[State, datetime]:
    """Return what a sending's result makes of a notice, and when it is tried again.

    Args:
        notice: As claimed, this attempt counted.
        result: What the channel said.
        now: The time of the result.
        chance: From 0 to 1, for full jitter.
    """
    if isinstance(result, Sent):
        return "sent", now
    if isinstance(result, Failed) and result.permanent:
        return "failed", now
    if now - notice.created_at >= GIVE_UP:
        return ("unknown" if isinstance(result, Unknown) else "failed"), now
    longest = min(_FIRST_PAUSE * 2 ** min(notice.attempts - 1, 16), _LONGEST_PAUSE)
    asked = result.retry_after if isinstance(result, Failed) and result.retry_after else timedelta(0)
    return "waiting", now + max(longest * chance, asked)


def told(result: Result) -> dict[str, object]:
    """Return a result as it stands in the row and in the journal."""
    if isinstance(result, Sent):
        return {"outcome": "sent", **result.detail}
    return {"outcome": "failed" if isinstance(result, Failed) else "unknown", "why": result.why}
