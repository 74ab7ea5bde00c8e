"""A source that makes rounds: it looks every `poll` seconds, tells what is wrong, and remembers what it told.

    look (in a thread, paid for) -> matters: what begins, grows, ends -> emit -> save   in this order

What a source must know from round to round (a baseline, how often a check failed) are its notes; they are
saved together with the matters, in one file that is replaced whole. A kill before that tells the same again
under the same key; nothing is lost. A look that takes long makes the next one wait longer: no patrol takes
more than a third of a percent of a core, whatever `poll` says.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import datetime
from functools import partial
from itertools import islice
from pathlib import Path
from typing import ClassVar, Generic, TypeVar

from asyncinotify import Inotify, Mask
from msgspec import Struct

from ...budget import Budget, RefusedError
from ..port import Clock, Emit, Observation, Reading, Unreadable
from .kept import Kept
from .matters import MAX_MATTERS, Finding, Found, Matter, proceed, standing
from .runs import Paid, Runs
from .steps import Mark, shifted, stood

_REST_PER_CPU_SECOND = 300.0
_SETTLE = 0.2
_MAX_FOLDERS = 500
_CHANGED = (
    Mask.CLOSE_WRITE
    | Mask.ATTRIB
    | Mask.CREATE
    | Mask.DELETE
    | Mask.MOVED_FROM
    | Mask.MOVED_TO
    | Mask.ONLYDIR
)
Notes = TypeVar("Notes", bound=Struct)


class NoNotes(Struct, frozen=True):
    """Notes of a source that keeps none."""


class Round(Struct, frozen=True, kw_only=True):
    """What one look gave.

    Fields:
        findings: What is wrong now.
        unreadable: What could not be looked at, and why.
        blind: Keys (or their beginnings, see `Found`) that could not be judged: what was told stays.
        ended: When matters ended, where that is known.
        notes: What to remember; None: nothing changed.
        keep: Whether the notes are worth a write to the disk now, or only once something is told.
    """

    findings: tuple[Finding, ...] = ()
    unreadable: tuple[tuple[str, str], ...] = ()
    blind: tuple[str, ...] = ()
    ended: dict[str, datetime] = {}
    notes: Struct | None = None
    keep: bool = True

    def found(self) -> Found:
        """Return what the rules of matters take."""
        return Found(self.findings, self.blind, self.ended)


class Memory(Struct, Generic[Notes]):
    """What survives a restart."""

    notes: Notes
    matters: dict[str, Matter] = {}
    mark: Mark | None = None


class Patrol(Paid, ABC, Generic[Notes]):
    """Base of the sources that make rounds; a source gives `name`, its notes' kind and `look`.

    Args:
        poll: Seconds between looks.
        budget: What they may cost.
        state: The agent's state folder; None where there is none, then only `once` works.
    """

    name: str
    notes_kind: ClassVar[type[Struct]] = NoNotes

    def __init__(self, *, poll: float, budget: Budget, state: Path | None) -> None:
        self._poll = poll
        self._runs = Runs(self.name, budget)
        self._memory: Kept[Memory[Notes]] = Kept(
            state / f"{self.name}.json" if state else None,
            Memory[self.notes_kind],  # type: ignore[name-defined] # mypy takes no type from an attribute
            self._fresh,
            self._runs,
            lost="what was told before is forgotten",
        )

    @abstractmethod
    def look(self, now: datetime, notes: Notes, *, alone: bool) -> Round:
        """Look once, blocking; change nothing.

        Args:
            now: The time of the look.
            notes: What was remembered.
            alone: No other look will follow: what would wait for a second one does not.

        Raises:
            OSError: nothing can be seen.
        """

    async def once(self, now: datetime) -> Reading:
        """Look once and tell everything that is wrong."""
        try:
            memory = self._memory.read() or self._fresh()
            found = await self._runs.look(partial(self.look, now, memory.notes, alone=True))
        except (OSError, RefusedError) as error:
            return Reading(unreadable=(Unreadable(self.name, self.name, str(error)),))
        bodies = standing(memory.matters, found.found(), now)
        return Reading(
            tuple(Observation("incident", self.name, now, body) for body in bodies),
            tuple(Unreadable(self.name, what, why) for what, why in found.unreadable),
        )

    async def watch(self, emit: Emit, clock: Clock) -> None:
        """Make rounds until cancelled."""
        if not self._memory.keeps:
            raise ValueError(f"{self.name}: watching needs a state folder for what was told")
        memory = self._memory.load()
        async with self._hearing() as heard:
            while True:
                before = self.cpu_seconds
                heard.clear()
                memory = self._keep_time(memory, clock)
                await self._round(memory, emit, clock)
                await self._runs.tell(emit, "incident", clock())
                rest = _REST_PER_CPU_SECOND * (self.cpu_seconds - before)
                await self._wait(heard, max(self._poll, self._runs.resting), max(rest, self._runs.resting))

    @staticmethod
    def _keep_time(memory: Memory[Notes], clock: Clock) -> Memory[Notes]:
        """Bring what is remembered to the host's clock, which somebody may have set."""
        mark, by = stood(memory.mark, clock)
        if by:
            memory = shifted(memory, by)
        memory.mark = mark
        return memory

    async def _round(self, memory: Memory[Notes], emit: Emit, clock: Clock) -> None:
        now = clock()
        try:
            found = await self._runs.look(partial(self.look, now, memory.notes, alone=False))
        except RefusedError:
            return
        except OSError as error:
            self._runs.note_trouble(f"{self.name} could not look: {error}")
            return
        for what, why in found.unreadable:
            self._runs.note_trouble(f"{what}: {why}")
        matters, bodies = proceed(memory.matters, found.found(), now)
        if len(matters) >= MAX_MATTERS:
            self._runs.note_trouble(f"more than {MAX_MATTERS} matters; the rest is not told")
        for body in bodies:
            await emit(Observation("incident", self.name, now, body))
        memory.matters = matters
        if found.notes is not None:
            memory.notes = found.notes  # type: ignore[assignment] # of `notes_kind`
        if bodies or (found.notes is not None and found.keep):
            self._memory.save(memory)

    def folders(self) -> Iterable[Path]:
        """Return the folders in which a change makes the next look come at once."""
        return ()

    @asynccontextmanager
    async def _hearing(self) -> AsyncIterator[asyncio.Event]:
        """Give an event that is set when a look should come sooner."""
        event = asyncio.Event()
        with Inotify(sync_timeout=0) as inotify:
            # A folder may lie on a file system that is away: even to ask for its changes can hang.
            with suppress(OSError, RefusedError):
                await self._runs.look(partial(self._listen, inotify))
            with _heard(inotify, event):
                yield event

    def _listen(self, inotify: Inotify) -> None:
        """Ask for changes in the folders; what can't be watched is left to the rounds."""
        for folder in islice(self.folders(), _MAX_FOLDERS):
            with suppress(OSError):
                inotify.add_watch(folder, _CHANGED)

    @staticmethod
    async def _wait(heard: asyncio.Event, longest: float, shortest: float) -> None:
        """Wait for the next round: as long as the last look costs, then until `longest` or a call."""
        await asyncio.sleep(shortest)
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, longest - shortest)):
                await heard.wait()
                await asyncio.sleep(_SETTLE)

    def _fresh(self) -> Memory[Notes]:
        return Memory(self.notes_kind())  # type: ignore[arg-type] # the kind the subclass names


@contextmanager
def _heard(inotify: Inotify, event: asyncio.Event) -> Iterator[None]:
    """Set the event when something in the folders changes."""
    loop = asyncio.get_running_loop()

    def heard() -> None:
        while inotify.sync_get() is not None:
            event.set()

    loop.add_reader(inotify.fd, heard)
    try:
        yield
    finally:
        loop.remove_reader(inotify.fd)
