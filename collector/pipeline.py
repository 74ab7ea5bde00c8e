"""From the event log to facts, verdicts and incidents: once in effect, whatever dies when.

    event log   .. 7 [a b]   8 [c]   9 [d e] ..          batches as received
                   └───── a slice: one transaction ─────┐
    state       cursor 6 ──> facts, exits, incidents, cursor 9

The cursor moves first in the transaction and only from where it was found, so a second process that works on
the same slice waits and then finds nothing to do; a kill before the commit leaves the cursor where it was.

A report that cannot be read is put into quarantine and the rest goes on. A report on which a stage fails is
our fault: nothing of the slice is kept, it is tried again, and after `PATIENCE` times that one report is set
aside, with an entry in the journal that says so. So a poisoned report costs a moment and stops nothing.

A report is worth a transaction at once; heartbeats alone are not: a fleet's gather for up to a second,
because every commit costs a disk's flush and wakes every flow.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from random import SystemRandom

import msgspec
from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy.ext.asyncio import AsyncConnection

from wire.codec import Codec, WireError
from wire.messages import Batch, Report

from .errors import RetryableError
from .eventlog.port import Entry, EventLog
from .stages.bodies import YEARS, decode_body, plain, without_nul
from .stages.hosttime import ahead
from .stages.port import Item, Stage
from .store import cursors, facts, journal
from .store.engine import Store
from .store.facts import Fact, NodeRow, Sign

CURSOR = cursors.PIPELINE
PATIENCE = 3
ROWS, BYTES = 64, 8 * 1024 * 1024
HEARTBEAT_ROWS = 1024
HEARTBEAT_WAIT = 1.0
_BREATH = 0.02
MEMORY = timedelta(days=30)
_FORGET_EVERY = timedelta(hours=1)
_LONGEST_PAUSE = 5.0
_random = SystemRandom()
_log = logging.getLogger(__name__)
_batches = Codec(Batch)


class _Kind(Struct):
    kind: str


class _Kinds(Struct):
    reports: list[_Kind]


_kinds = msgspec.json.Decoder(_Kinds)


class _Overtaken(Exception):  # noqa: N818 - no error: another process did the work
    pass


class Counters(Struct):
    """What the pipeline did since it started."""

    reports: int = 0
    quarantined: int = 0
    retries: int = 0


class _Slice(Struct):
    """What one transaction gathers on its way."""

    now: datetime
    nodes: dict[str, NodeRow]
    reports: int = 0
    quarantined: int = 0
    beats: dict[str, Fact] = {}
    signs: dict[str, Sign] = {}


class Pipeline:
    """Reads the log from its cursor and runs the stages.

    Args:
        log, store: The two databases.
        stages: In the order in which they act.
        clock: Gives the time of a slice.
        rows: At most so many batches are one slice.

    Attributes:
        counters: For metrics.
    """

    def __init__(
        self,
        log: EventLog,
        store: Store,
        stages: Sequence[Stage],
        clock: Callable[[], datetime],
        *,
        rows: int = ROWS,
    ) -> None:
        self._events = log
        self._store = store
        self._stages = stages
        self._clock = clock
        self._rows = rows
        self._cursor = 0
        self._place = ""
        self._failures: Counter[str] = Counter()
        self._poisoned: dict[str, str] = {}
        self._forgot_at: datetime | None = None
        self.counters = Counters()

    async def run(self) -> None:
        """Work until cancelled."""
        failed = 0
        while True:
            try:
                if failed == 0:
                    await self._settle()
                await self.step(await self._gather())
                failed = 0
            except _Overtaken:
                failed = 0
            except RetryableError as error:
                failed += 1
                _log.warning("pipeline waits: %s", error)
            except Exception:  # noqa: BLE001 - the edge: counted, told, and `_blame` names the report
                failed += 1
                self.counters.retries += 1
                _log.exception("pipeline: a slice failed at %s", self._place or "no report")
                self._blame()
            if failed:
                await asyncio.sleep(_random.uniform(0, min(0.02 * 2**failed, _LONGEST_PAUSE)))

    async def _settle(self) -> None:
        """Find the cursor; one that is ahead of the log shows that the log was restored from a backup."""
        if self._cursor:
            return
        async with self._store.read() as conn:
            self._cursor = await cursors.read_cursor(conn, CURSOR)
        last = (await self._events.extent()).last
        if last >= self._cursor:
            return
        async with self._store.write() as conn:
            await cursors.move_cursor(conn, CURSOR, self._cursor, last)
            detail = {
                "found": self._cursor,
                "log_ends_at": last,
                "why": "the event log is older than the state",
            }
            await journal.write(conn, _finding(f"cursor:{CURSOR}", detail), self._clock())
        self._cursor = last

    async def _gather(self) -> list[Entry]:
        """Wait for entries that are worth a transaction."""
        loop = asyncio.get_running_loop()
        await self._events.wait_for(self._cursor)
        until = loop.time() + HEARTBEAT_WAIT
        entries: list[Entry] = []
        while len(entries) < HEARTBEAT_ROWS:
            after = entries[-1].position if entries else self._cursor
            more = await self._events.read(after, self._rows, BYTES)
            entries += more
            if not more or not all(only_heartbeats(entry) for entry in more):
                break
            await asyncio.sleep(_BREATH)
            try:
                async with asyncio.timeout_at(until):
                    await self._events.wait_for(entries[-1].position)
            except TimeoutError:
                break
        return entries

    async def step(self, gathered: list[Entry] | None = None) -> int:
        """Do one slice; return how many reports it held.

        Args:
            gathered: Entries right after the cursor; None: whatever the log has.

        Raises:
            RetryableError: A database refuses for now; nothing of the slice happened.
        """
        entries = gathered or await self._events.read(self._cursor, self._rows, BYTES)
        if not entries:
            return 0
        self._place = ""
        async with self._store.write(ahead=True) as conn:
            if not await cursors.move_cursor(conn, CURSOR, self._cursor, entries[-1].position):
                self._cursor = await cursors.read_cursor(conn, CURSOR)
                raise _Overtaken
            done = _Slice(self._clock(), await facts.node_rows(conn, {entry.node for entry in entries}))
            for entry in entries:
                await self._entry(conn, entry, done)
            await facts.put_heartbeats(conn, done.beats)
            await facts.put_signs(conn, done.signs.values())
            await self._forget(conn, done.now)
        self._cursor = entries[-1].position
        self.counters.reports += done.reports
        self.counters.quarantined += done.quarantined
        self._failures.clear()
        self._poisoned.clear()
        return done.reports

    async def _entry(self, conn: AsyncConnection, entry: Entry, done: _Slice) -> None:
        self._place = str(entry.position)
        if (why := self._poisoned.get(self._place)) is not None:
            await self._set_aside(conn, done, entry, why=why, body=entry.stored)
            return
        try:
            batch = _batches.decode(without_nul(entry.body))
        except WireError as error:
            await self._quarantine(conn, done, entry, why=str(error), body=entry.stored)
            return
        done.signs[entry.node] = _sign(batch, entry, done.signs.get(entry.node))
        for report in _fresh(batch, entry):
            done.reports += 1
            self._place = f"{entry.position}/{entry.epoch}/{report.seq}"
            await self._report(conn, entry, batch, report, done)
            self._place = str(entry.position)

    async def _report(
        self, conn: AsyncConnection, entry: Entry, batch: Batch, report: Report, done: _Slice
    ) -> None:
        raw = bytes(report.body)
        if (why := self._poisoned.get(self._place)) is not None:
            await self._set_aside(conn, done, entry, why=f"{report.kind} report {report.id}: {why}", body=raw)
            return
        try:
            item = _item(entry, batch, report, self._place, done)
        except ValueError as error:
            why = f"{report.kind} report of {report.source}: {error}"
            await self._quarantine(conn, done, entry, why=why, body=raw)
            return
        if await self._run_stages(conn, item) and item.kind == "heartbeat":
            _beat(done, item)

    async def _run_stages(self, conn: AsyncConnection, item: Item) -> Item | None:
        left: Item | None = item
        for stage in self._stages:
            left = await stage.apply(conn, left) if left is not None else None
        return left

    async def _set_aside(
        self, conn: AsyncConnection, done: _Slice, entry: Entry, *, why: str, body: bytes
    ) -> None:
        await self._quarantine(conn, done, entry, why=why, body=body)
        detail = {"node": entry.node, "why": why}
        await journal.write(conn, _finding(f"report:{self._place}", detail), done.now)

    async def _quarantine(
        self, conn: AsyncConnection, done: _Slice, entry: Entry, *, why: str, body: bytes
    ) -> None:
        done.quarantined += 1
        await facts.add_quarantine(
            conn, source=entry.node, where=self._place, why=why, body=body, now=done.now
        )

    def _blame(self) -> None:
        """Count a failure against the report at hand; after `PATIENCE` of them it is set aside."""
        if not self._place:
            return
        self._failures[self._place] += 1
        if self._failures[self._place] >= PATIENCE:
            self._poisoned[self._place] = (
                f"a stage failed on it {PATIENCE} times; this is a fault of the program"
            )

    async def _forget(self, conn: AsyncConnection, now: datetime) -> None:
        if self._forgot_at is None or now - self._forgot_at >= _FORGET_EVERY:
            await facts.forget(conn, now - MEMORY)
            self._forgot_at = now


def only_heartbeats(entry: Entry) -> bool:
    """Whether an entry has nothing that anybody waits for; what cannot be read has."""
    try:
        return all(report.kind == "heartbeat" for report in _kinds.decode(entry.body).reports)
    except ValueError:
        return False


def _fresh(batch: Batch, entry: Entry) -> Iterator[Report]:
    """Yield the reports that this entry brought; those at or below its floor were stored before."""
    return (report for report in batch.reports if report.seq > entry.floor)


def _item(entry: Entry, batch: Batch, report: Report, place: str, done: _Slice) -> Item:
    """Return what goes through the stages.

    Raises:
        ValueError: The report cannot be read; the text says where.
    """
    node = done.nodes.get(entry.node)
    if node is None:
        raise ValueError(f"node {entry.node} is not enrolled here")
    if report.observed_at.tzinfo is None:
        raise ValueError(f"observed_at {report.observed_at.isoformat()} has no offset")
    if report.observed_at.year not in YEARS:
        raise ValueError(f"observed_at {report.observed_at.isoformat()}, expected a time since {YEARS.start}")
    return Item(
        id=report.id,
        place=place,
        kind=report.kind,
        node=node,
        source=report.source,
        observed_at=report.observed_at,
        ahead=ahead(batch, report, entry.received_at),
        received_at=entry.received_at,
        raw=report.body,
        body=decode_body(report.kind, report.body),
        now=done.now,
    )


def _sign(batch: Batch, entry: Entry, before: Sign | None) -> Sign:
    known = batch.sent_at.tzinfo is not None
    return Sign(
        node=entry.node,
        last_seen=entry.received_at,
        skew_seconds=(batch.sent_at - entry.received_at).total_seconds() if known else None,
        agent_version=before.agent_version if before else None,
    )


def _beat(done: _Slice, item: Item) -> None:
    """Keep a heartbeat for the end of the slice: a fleet's are written in one statement."""
    body = plain(item.raw)
    done.beats[item.node.id] = Fact(
        kind="heartbeat", body=body, observed_at=item.observed_at, received_at=item.received_at
    )
    version = body.get("version")
    if isinstance(version, str):
        done.signs[item.node.id] = replace(done.signs[item.node.id], agent_version=version)


def _finding(subject: str, detail: Mapping[str, object]) -> journal.Entry:
    return journal.Entry(actor="system", action="audit.finding", subject=subject, detail=detail)
