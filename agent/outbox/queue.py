"""The outbox as the agent's tasks see it: every call returns when its change is on disk."""

import asyncio
import os
from pathlib import Path

from wire.messages import Ack, Batch, Outcome, Refusal

from ..clock import Clock
from ..settings import Bounds
from . import file, speaker
from .entry import Entry, Observed
from .file import OutboxError
from .ledger import MOST_BYTES, MOST_REPORTS, Ledger, Settled, Status
from .orders import OrderBook
from .rests import Rests
from .worker import Worker

_PAGES_TOGETHER = 2048


class Outbox:
    """The durable queue of one state folder.

    Attributes:
        news: Set when a report was accepted; cleared by whoever sends.
        damage: Why an older file was set aside at opening, with its new name, or that there is none any
            more; empty when all is as it was left.
    """

    def __init__(self, folder: Path, clock: Clock, bounds: Bounds) -> None:
        """Open the file of `folder`, which must exist.

        Raises:
            OutboxError: another agent has it, or it can't be opened.
        """
        self._folder = folder
        self._lock = file.lock(folder)
        try:
            used = file.had_outbox(self._lock)
            self._db, self.damage = file.open_or_begin_anew(folder, clock.now(), used=used)
            file.has_outbox(self._lock)
        except BaseException:
            os.close(self._lock)
            raise
        opened = (folder / file.NAME).stat()
        self._opened = (opened.st_dev, opened.st_ino)
        self._ledger = Ledger(self._db, clock, bounds)
        self._orders = OrderBook(self._db, clock, self._ledger)
        self._rests = Rests(self._db, clock)
        self._worker = Worker(self._db)
        self.news = asyncio.Event()
        self._moved = asyncio.Event()

    async def begin(self) -> None:
        """Report a file set aside and apply the bounds; to be awaited once before use."""
        if self.damage:
            await self._worker.do(lambda: self._ledger.tell_missed(self.damage))
        await self.tidy()
        self.news.set()

    async def speak_for(self, node: str) -> bool:
        """Begin a new epoch where the node is another than before; whether it is."""
        return await self._worker.do(lambda: self._speak_for(node))

    def _speak_for(self, node: str) -> bool:
        other = speaker.becomes(self._db, node)
        if other:
            self._ledger.renumber()
        return other

    async def accept(self, seen: Observed) -> str:
        """Write an observation as a report, and the rest it tells of with it; return its id after fsync.

        Raises:
            OutboxFullError: the disk is full; hold the observation and try again.
        """
        identifier = await self._worker.do(lambda: self._accept(seen))
        self.news.set()
        return identifier

    def _accept(self, seen: Observed) -> str:
        if seen.rest:
            self._rests.note(seen.rest)
        return self._ledger.accept(seen)

    async def rests(self) -> dict[str, float]:
        """Return the seconds left of the cool-downs that were told of, by purse."""
        return await self._worker.do(self._rests.left)

    async def peek(self, limit_reports: int = MOST_REPORTS, limit_bytes: int = MOST_BYTES) -> Batch | None:
        """Return the next batch to send, None when nothing waits."""
        return await self._worker.do(lambda: self._ledger.peek(limit_reports, limit_bytes))

    async def acknowledge(self, ack: Ack) -> Settled:
        """Apply what the collector says it holds."""
        settled = await self._worker.do(lambda: self._ledger.acknowledge(ack))
        self._moved.set()
        return settled

    async def drained(self) -> None:
        """Return when nothing waits any more."""
        while True:
            self._moved.clear()
            if not (await self.status()).reports:
                return
            await self._moved.wait()

    async def refused(self, refusal: Refusal) -> Settled:
        """Apply why the collector took nothing."""
        return await self._worker.do(lambda: self._ledger.refused(refusal))

    async def set_aside(self, identifier: str, why: str) -> None:
        """Keep a report that the collector can't take out of the way, and report that."""
        await self._worker.do(lambda: self._ledger.set_aside(identifier, why))
        self.news.set()

    async def tidy(self) -> None:
        """Apply age and free disk, and give freed pages back."""
        disk = os.statvfs(self._in_place())
        await self._worker.do(lambda: self._ledger.tidy(disk.f_bavail * disk.f_frsize))
        await self._worker.do(self._give_back)

    def _in_place(self) -> Path:
        """Return the folder, whose file must still be the one that was opened.

        Raises:
            OutboxError: it was removed or replaced: what is accepted goes where no next start will find it.
        """
        path = self._folder / file.NAME
        try:
            there = path.stat()
        except OSError as error:
            raise OutboxError(f"{path}: {error.strerror}; expected the outbox that is in use") from None
        if (there.st_dev, there.st_ino) != self._opened:
            raise OutboxError(f"{path}: was replaced; expected the outbox that is in use")
        return self._folder

    def _give_back(self) -> None:
        (spare,) = self._db.execute("PRAGMA freelist_count").fetchone()
        # Python takes a single step of this statement, which frees a single page.
        for _ in range(min(spare, _PAGES_TOGETHER)):
            self._db.execute("PRAGMA incremental_vacuum(1)")

    async def status(self) -> Status:
        """Return what waits and what was lost."""
        return await self._worker.do(self._ledger.status)

    async def rebound(self, bounds: Bounds) -> None:
        """Take over other bounds."""
        self._ledger.bounds = bounds
        await self.tidy()

    async def order_ended(self, order: str) -> bool:
        """Whether an order has its outcome already; if so it is told again."""
        return await self._worker.do(lambda: self._orders.ended(order))

    async def conclude(self, outcome: Outcome, entries: list[Entry]) -> bool:
        """Write an order's outcome and its evidence in one transaction; False when it was ended before."""
        fresh = await self._worker.do(lambda: self._orders.conclude(outcome, entries))
        self.news.set()
        return fresh

    async def untold_outcomes(self) -> list[Outcome]:
        """Return the outcomes that the collector has not confirmed."""
        return await self._worker.do(self._orders.untold)

    async def outcome_told(self, order: str) -> None:
        """Remember that an outcome arrived."""
        await self._worker.do(lambda: self._orders.told(order))

    def close(self) -> None:
        """Finish what was asked for and close the file."""
        self._worker.close()
        os.close(self._lock)
