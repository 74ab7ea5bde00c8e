"""Files what is owed to the collector above until its receipt is here.

    clock open, its recipient's route upstream and auto, no filing ──> filing row     (level-triggered)
    plan step file_report, or a person ──────────────────────────────> the same row   (one key an obligation)
    filing of a drill nobody above is in ────────────────────────────> simulated receipt   (drilling)
    filing row ──claim──> POST /v1/filings ──receipt, its hash fits──> row and clock in one transaction

Nothing is ever given up: a filing without receipt is tried again, later and later, at most a minute apart.
The key makes a resend look like the first sending, and its receipt is the first one again. The bytes are the
same each time, so that the receipt's hash can be held against them.
"""

import asyncio
import contextlib
import hashlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from random import SystemRandom
from typing import Any, Protocol

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from wire import codec
from wire.messages import VERSION, Receipt
from wire.messages import Filing as Message

from ..drills import marked
from ..errors import PermanentError, RetryableError
from ..registry import Registry, case_asset, case_unit
from ..settings import Route
from ..statement import Statement
from ..store.clocks import Clock, get_clock
from ..store.drills import Drill, drill_of_incident, get_drill
from ..store.engine import Store
from ..store.filings import (
    Filing,
    Way,
    add_filing,
    claim_filings,
    divert,
    next_filing_at,
    of_drills,
    owed_unfiled,
    record_failure,
    record_receipt,
    record_simulated,
)
from ..store.incidents import Incident, get_incident
from ..trust.superior import read_superior, superior_context
from .line import Line, RefusedError, UnreachableError

PATH = "/v1/filings"
LEASE = timedelta(seconds=60)
TIMEOUT = timedelta(seconds=20)
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(seconds=1), timedelta(seconds=60)
_POLL = timedelta(seconds=5)
_random = SystemRandom()
_log = logging.getLogger(__name__)
_receipts = codec.Codec(Receipt)


class NoSuchClockError(PermanentError):
    """There is no such clock to file for."""


class RecordFiling(Protocol):
    """Lets a filing count for its clock (`Casework.record_filing`)."""

    def __call__(  # noqa: PLR0917 - the form is fixed between the rooms
        self,
        connection: AsyncConnection,
        clock_id: str,
        filing_id: str,
        filed_at: datetime,
        receipt_at: datetime | None,
        complete: bool,  # noqa: FBT001 - likewise
        actor: str,
        now: datetime,
    ) -> Awaitable[None]:
        """Record it."""
        ...


class Compose(Protocol):
    """Says what a clock's report holds (`documents.Documents.statement`)."""

    def __call__(self, conn: AsyncConnection, clock: Clock, now: datetime, /) -> Awaitable[Statement]:
        """Compose it."""
        ...


class Upstream:
    """Queues and sends filings.

    Args:
        store: The state.
        state: Folder with what `join` left; looked for again while it is not there.
        registry: Units and assets, for what a filing tells.
        routes: Recipient to its way out.
        record_filing: Lets a receipt meet its clock, in the transaction of the receipt.
        statement: Says what a report holds.
        clock: The time.

    Attributes:
        receipted: How many receipts came.
        failures: How many sendings brought none.
    """

    def __init__(
        self,
        store: Store,
        *,
        state: Path,
        registry: Callable[[], Registry],
        routes: Callable[[], Mapping[str, Route]],
        record_filing: RecordFiling,
        statement: Compose,
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._state = state
        self._registry = registry
        self._routes = routes
        self._record_filing = record_filing
        self._statement = statement
        self._clock = clock
        self._line: Line | None = None
        self.receipted = 0
        self.failures = 0

    async def file(
        self,
        conn: AsyncConnection,
        clock_id: str,
        actor: str,
        now: datetime,
        *,
        complete: bool,
        content: Mapping[str, Any],
    ) -> str:
        """Queue the filing for a clock; asked twice, it is one filing.

        Args:
            conn: A write transaction.
            clock_id: The obligation's clock.
            actor: Who files: `system`, `user:<name>` or `person:<key>`.
            now: The time of filing.
            complete: False where the caller has more to say; an item that is open makes it false too, and
                the supplement begins.
            content: What the caller adds to the composed items, by name.

        Returns:
            The filing's id.

        Raises:
            NoSuchClockError: There is no such clock.
        """
        clock = await get_clock(conn, clock_id)
        incident = await get_incident(conn, clock.incident) if clock else None
        if clock is None or incident is None:
            raise NoSuchClockError(f"clock {clock_id}: there is none; a filing names a clock of `clocks`")
        drill = await drill_of_incident(conn, incident.id) if incident.drill else None
        said = await self._statement(conn, clock, now)
        message = compose(
            clock,
            incident,
            self._registry(),
            now,
            complete=complete and said.complete,
            content=said.content() | ({"added": dict(content)} if content else {}),
            drill=drill,
        )
        way = way_of(self._routes().get(clock.recipient, Route()), drill, of_drill=incident.drill)
        filing, _ = await add_filing(conn, message=message, clock=clock_id, way=way, actor=actor, now=now)
        return filing

    async def run(self) -> None:
        """Queue and send until cancelled."""
        try:
            while True:
                seen = self._store.changed.count
                pause = _POLL
                try:
                    pause = await self.step()
                except (RetryableError, PermanentError) as error:
                    _log.warning("filings wait: %s", error)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(pause.total_seconds()):
                        await self._store.changed.wait(seen)
        finally:
            await self.close()

    async def close(self) -> None:
        """Let go of the connection."""
        if self._line is not None:
            line, self._line = self._line, None
            await line.close()

    async def step(self) -> timedelta:
        """Queue what is owed and send what is due; return for how long nothing else will be.

        Raises:
            RetryableError: The database is away.
            PermanentError: What `join` left cannot be read.
        """
        await self._queue()
        await self._simulate()
        while True:
            now = self._clock()
            async with self._store.read() as conn:
                next_at = await next_filing_at(conn)
            if next_at is None:
                return _POLL
            if next_at > now:
                return min(next_at - now, _POLL)
            line = self._line = self._line or self._open()
            if line is None:
                return _POLL
            owner = self._store.incarnation
            async with self._store.write() as conn:
                claimed = await claim_filings(conn, owner=owner, now=now, lease=LEASE, limit=1)
            for filing in claimed:
                await self._send(line, filing)

    def _open(self) -> Line | None:
        superior = read_superior(self._state)
        return Line(superior, superior_context(self._state), TIMEOUT) if superior else None

    async def _queue(self) -> None:
        routes = self._routes()
        recipients = frozenset(to for to, route in routes.items() if route.auto and route.way != "person")
        if not recipients:
            return
        async with self._store.read() as conn:
            owed = await owed_unfiled(conn, recipients)
        if not owed:
            return
        async with self._store.write() as conn:
            for clock in owed:
                await self.file(conn, clock.id, "system", self._clock(), complete=True, content={})

    async def _simulate(self) -> None:
        """Give the filings of drills that go nowhere their receipts: beyond this line there is nobody."""
        async with self._store.read() as conn:
            waiting = await of_drills(conn)
        for filing in waiting:
            await self._store.run(partial(self._receipt_of_drill, filing))

    async def _receipt_of_drill(self, filing: Filing, conn: AsyncConnection) -> None:
        now = self._clock()
        if await record_simulated(conn, filing, now):
            complete = bool(filing.payload.get("complete", True))
            await self._record_filing(
                conn, filing.clock, filing.id, filing.created_at, now, complete, "system", now
            )

    async def _still_in_drill(self, filing: Filing) -> bool:
        """Look once more before bytes leave: the word of the side above may have been taken back."""
        async with self._store.read() as conn:
            drill = await get_drill(conn, str(filing.payload["drill"]))
        return drill is not None and drill.superior == "accepted"

    async def _send(self, line: Line, filing: Filing) -> None:
        if filing.payload.get("drill") and not await self._still_in_drill(filing):
            await self._store.run(lambda conn: divert(conn, filing))
            return
        began = self._clock()
        body = bytes_of(filing)
        try:
            receipt = check(_receipts.decode(await line.post(PATH, body)), filing.key, body)
        except RefusedError as error:
            await self._failed(filing, str(error), refused=True)
        except UnreachableError as error:
            await self._failed(filing, str(error), asked=error.retry_after)
        except ValueError as error:  # no receipt, or one of something else
            await self._failed(filing, f"the answer is no receipt of this filing: {error}")
        else:
            await self._arrived(filing, receipt, began)

    async def _arrived(self, filing: Filing, receipt: Receipt, began: datetime) -> None:
        filed_at = max(filing.created_at, min(began, receipt.received_at))
        complete = bool(filing.payload.get("complete", True))

        async def record(conn: AsyncConnection) -> bool:
            now = self._clock()
            if not await record_receipt(conn, filing, receipt, filed_at=filed_at, now=now):
                return False
            await self._record_filing(
                conn, filing.clock, filing.id, filed_at, receipt.received_at, complete, "system", now
            )
            return True

        self.receipted += await self._store.run(record)

    async def _failed(
        self, filing: Filing, why: str, *, refused: bool = False, asked: timedelta = timedelta(0)
    ) -> None:
        self.failures += 1
        await self.close()  # another certificate or address may be there by the next time
        longest = min(_FIRST_PAUSE * 2 ** min(filing.attempts - 1, 16), _LONGEST_PAUSE)
        pause = max(longest * _random.random(), asked)

        async def record(conn: AsyncConnection) -> None:
            now = self._clock()
            await record_failure(conn, filing, refused=refused, why=why, next_at=now + pause, now=now)

        await self._store.run(record)


def way_of(route: Route, drill: Drill | None, *, of_drill: bool) -> Way:
    """Return the way of a filing: one of a drill goes up only where the side above is in it, else nowhere."""
    if not of_drill:
        return route.way
    in_it = drill is not None and drill.superior == "accepted"
    return "upstream" if in_it and route.way == "upstream" else "drill"


def compose(
    clock: Clock,
    incident: Incident,
    registry: Registry,
    now: datetime,
    *,
    complete: bool,
    content: Mapping[str, Any],
    drill: Drill | None = None,
) -> Message:
    """Return what is sent up for a clock: its required items, and what is known of the incident."""
    unit, asset = registry.unit(incident.unit), registry.asset(incident.asset)
    return Message(
        version=VERSION,
        key=key_of(incident.id, clock.obligation),
        incident_id=incident.id,
        unit=incident.unit,
        obligation=clock.obligation,
        recipient=clock.recipient,
        level=incident.level,
        filed_at=now,
        due_at=clock.due_at,
        complete=complete,
        incident={
            "class": incident.klass,
            "level": incident.level,
            "level_by": incident.level_by,
            "reasons": incident.reasons,
            "next_level": incident.next_level,
            "state": incident.state,
            "title": marked(incident.title, "zh", drill=incident.drill),
            "title_en": marked(incident.title_en, "en", drill=incident.drill),
            "unit": {"name": unit.name, "name_en": unit.name_en, **case_unit(unit)} if unit else None,
            "asset": {"id": asset.id, "name": asset.name, **case_asset(asset)} if asset else None,
            "facts": incident.facts,
            "times": incident.times,
            "count": incident.count,
            "items": clock.content,
            "drill": incident.drill,
        },
        content=dict(content),
        # Without a drill's row the incident's own id stands for it: nobody above has accepted that.
        drill=(drill.id if drill else incident.id) if incident.drill else None,
    )


def key_of(incident: str, obligation: str) -> str:
    """Return the key of a filing, within the wire's 64 characters however long the obligation's name is.

    >>> key_of("019cac18-4e40-7000-8000-000000000000", "cn-cac-2025/first")
    '019cac18-4e40-7000-8000-000000000000/cn-cac-2025/first'
    """
    key = f"{incident}/{obligation}"
    if len(key) <= 64:
        return key
    return f"{incident}/{hashlib.sha256(obligation.encode()).hexdigest()[:27]}"


def bytes_of(filing: Filing) -> bytes:
    """Return what is sent for a filing: plain JSON, the same bytes each time."""
    return codec.encode(msgspec.convert(filing.payload, Message))


def check(receipt: Receipt, key: str, body: bytes) -> Receipt:
    """Return the receipt if it is one of these bytes.

    Raises:
        ValueError: It is for another key, or other bytes arrived under this key.
    """
    if receipt.key != key:
        raise ValueError(f"its key is {receipt.key!r}, expected {key!r}")
    expected = hashlib.sha256(body).hexdigest()
    if receipt.sha256 != expected:
        raise ValueError(f"its sha256 is {receipt.sha256}, what was sent has {expected}")
    if receipt.received_at.tzinfo is None:
        raise ValueError("its time has no offset")
    return receipt
