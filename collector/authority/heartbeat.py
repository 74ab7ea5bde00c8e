"""Tells the collector above every half minute that this one lives, and how its duty clock does.

    flows' last passes, oldest unsent notice and filing, since when nobody was reached, clocks overdue
    ──> one `heartbeat` report
    ──> POST /v1/batches as the node that `join` enrolled ──> Ack: the next number of the same epoch
                                                         └──> anything else: a new epoch, number 1

What changed in the exit register goes along until it is acknowledged (`store.exits_below`).

A heartbeat is worth nothing half a minute later, so none is kept and none is sent twice. Where no answer came
it is open whether it is held; a new epoch asks nothing about it. Numbers live in memory: each start has its
own epoch. The other half is `duty.silence` at the collector above.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Raw
from msgspec.structs import asdict

from wire import codec
from wire.ids import uuid7
from wire.messages import VERSION, Ack, Batch, Report
from wire.session import Held, Renumber, settle

from ..errors import PermanentError, RetryableError
from ..store.clocks import count_overdue
from ..store.engine import Store
from ..store.exits_below import Day, counted_since
from ..store.filings import oldest_unsent as oldest_filing
from ..store.marks import raise_mark, read_mark
from ..store.notices import oldest_unsent as oldest_notice
from ..store.reach import unreached_since
from ..trust.superior import Superior, read_superior, superior_context
from .line import Line, UnreachableError

PATH = "/v1/batches"
EVERY = timedelta(seconds=30)
OVERLAP = timedelta(minutes=2)
TIMEOUT = timedelta(seconds=10)
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_log = logging.getLogger(__name__)
_acks = codec.Codec(Ack)


class Heartbeat:
    """Sends heartbeats; `run` for ever, `beat` once.

    Args:
        store: The state, asked for what waits.
        state: Folder with what `join` left; without it nothing is sent.
        version: Of this collector.
        pulses: Last pass of the flows by name; `auditor` and `clock` are told.
        clock: The time.
        steady: Seconds of a clock that only goes forward.
        rekey: Is told that the certificate, or the authorities it came with, are not those wanted above.

    Attributes:
        sent: How many were acknowledged.
        failures: How many were not.
    """

    def __init__(
        self,
        store: Store,
        *,
        state: Path,
        version: str,
        pulses: Callable[[], Mapping[str, datetime]],
        clock: Callable[[], datetime],
        steady: Callable[[], float],
        rekey: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._state = state
        self._version = version
        self._pulses = pulses
        self._clock = clock
        self._steady = steady
        self._rekey = rekey
        self._anew = asyncio.Event()
        self._began = clock()
        self._boot_id = _boot_id() or uuid7(self._began)
        self._epoch = uuid7(self._began)
        self._held = Held()
        self._line: Line | None = None
        self._superior: Superior | None = None
        self.sent = 0
        self.failures = 0

    async def run(self) -> None:
        """Send until cancelled."""
        try:
            while True:
                try:
                    await self.beat()
                except (RetryableError, PermanentError) as error:
                    _log.warning("no heartbeat to the collector above: %s", error)
                with suppress(TimeoutError):
                    async with asyncio.timeout(EVERY.total_seconds()):
                        await self._anew.wait()
                self._anew.clear()
        finally:
            await self.close()

    async def begin_anew(self) -> None:
        """Let go of a connection made with an old certificate, and tell what is trusted now at once."""
        await self.close()
        self._anew.set()

    async def beat(self) -> bool:
        """Send one heartbeat; False where this collector has not joined another.

        Raises:
            RetryableError: It was not acknowledged.
            PermanentError: What `join` left cannot be read, or the other side refused the bytes.
        """
        try:
            line = self._line = self._line or self._open()
            if line is None:
                return False
            register = await self._register(self._clock())
            await self._send(line, await self._report(self._clock(), register))
            await self._told(register)
        except (RetryableError, PermanentError) as error:
            if isinstance(error, UnreachableError) and error.reason == "rekey":
                self._rekey()
            self.failures += 1
            self._begin_anew()
            await self.close()  # another certificate or address may be there by the next time
            raise
        self.sent += 1
        return True

    async def close(self) -> None:
        """Let go of the connection."""
        if self._line is not None:
            line, self._line = self._line, None
            await line.close()

    def _open(self) -> Line | None:
        superior = self._superior = read_superior(self._state)
        return Line(superior, superior_context(self._state), TIMEOUT) if superior else None

    def _begin_anew(self) -> None:
        self._epoch, self._held = uuid7(self._clock()), Held()

    async def _send(self, line: Line, report: Report) -> None:
        batch = Batch(
            version=VERSION,
            epoch=self._epoch,
            after=self._held.highest,
            after_id=self._held.highest_id,
            sent_at=report.observed_at,
            reports=[report],
        )
        try:
            ack = _acks.decode(await line.post(PATH, codec.encode(batch)))
        except codec.WireError as error:
            raise RetryableError(f"the answer is no acknowledgement: {error}") from error
        held = Held(ack.highest, ack.highest_id)
        if ack.epoch != self._epoch or isinstance(settle(held, report.id), Renumber):
            raise RetryableError(f"another writer's report is acknowledged: number {ack.highest}")
        self._held = held
        if ack.authorities and self._superior and ack.authorities != self._superior.authorities:
            self._rekey()

    async def _register(self, now: datetime) -> list[Day]:
        """Return what the collector above does not know of the exit register yet; none without a database."""
        try:
            async with self._store.read() as conn:
                mark = await read_mark(conn, self._mark())
                if (
                    mark and mark > now
                ):  # the clock was set back: what was counted since then is behind the mark
                    mark = now - OVERLAP
                return await counted_since(conn, mark)
        except RetryableError as error:
            _log.warning("heartbeat: %s", error)
            return []

    async def _told(self, register: list[Day]) -> None:
        if register:
            mark, at = self._mark(), register[-1].counted_at
            await self._store.run(lambda conn: raise_mark(conn, mark, at))

    def _mark(self) -> str:
        """Each collector above has its own mark: another one knows nothing yet."""
        return f"authority.exit_days:{self._superior.node if self._superior else ''}"

    async def _report(self, now: datetime, register: list[Day]) -> Report:
        told = {"boot_id": self._boot_id, "monotonic": self._steady(), "version": self._version}
        told["authorities"] = self._superior.authorities if self._superior else ""
        told |= self._ages(now) | await self._waiting(now)
        if register:
            told["exit_days"] = [asdict(day) for day in register]
        return Report(
            id=uuid7(now),
            seq=self._held.highest + 1,
            kind="heartbeat",
            source="collector",
            observed_at=now,
            boot_id=self._boot_id,
            monotonic=self._steady(),
            body=Raw(msgspec.json.encode(told)),
        )

    def _ages(self, now: datetime) -> dict[str, Any]:
        """A flow that has made no pass yet is as old as this process."""
        pulses = self._pulses()
        return {
            f"{flow}_age_seconds": _age(pulses.get(flow, self._began), now) for flow in ("auditor", "clock")
        }

    async def _waiting(self, now: datetime) -> dict[str, Any]:
        """What waits; where the database is away, only that this collector lives is told."""
        try:
            async with self._store.read() as conn:
                notice, filing = await oldest_notice(conn), await oldest_filing(conn)
                unreached = await unreached_since(conn)
                overdue: int | None = await count_overdue(conn, now)
        except RetryableError as error:
            _log.warning("heartbeat: %s", error)
            notice = filing = unreached = overdue = None
        return {
            "oldest_notice_seconds": _age(notice, now) if notice else None,
            "oldest_filing_seconds": _age(filing, now) if filing else None,
            "unreached_seconds": _age(unreached, now) if unreached else None,
            "clocks_overdue": overdue,
        }


def _age(at: datetime, now: datetime) -> float:
    return max(0.0, round((now - at).total_seconds(), 3))


def _boot_id() -> str:
    try:
        return _BOOT_ID.read_text("ascii").strip()
    except OSError:  # a container may hide it
        return ""
