"""Keeps every source watching: one that fails is told of and started again, the others go on.

watch ──> it raised, or ended by itself ──> counted, a gap told ──> a pause, longer each time ──> watch
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

from .backoff import Backoff
from .clock import Clock
from .metrics import SourceFigures
from .outbox import Entry, Observed
from .sources import LATER, Sensors, Source
from .tasks import Tasks
from .texts import say

_log = logging.getLogger("fengsui.agent")
_HEALTHY_SECONDS = 600.0
_LONGEST_PAUSE_SECONDS = 300.0
_random = random.SystemRandom().random


Keep = Callable[[Observed], Awaitable[None]]


class Watching:
    """The sources of one world, a task each.

    Args:
        sources: All that are enabled.
        emit: Returns when an observation is on disk.
        clock: The host's.
        language: Of what is logged.
        sleep: Lets a pause pass.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        emit: Keep,
        clock: Clock,
        language: str,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.sources = tuple(sources)
        self._emit = emit
        self._clock = clock
        self._language = language
        self._sleep = sleep
        self._sensors = next((source for source in self.sources if isinstance(source, Sensors)), None)
        self._figures = {source.name: SourceFigures() for source in self.sources}
        self._running: dict[str, asyncio.Task[None]] = {}

    def start(self, tasks: Tasks, rests: Mapping[str, float]) -> None:
        """Start every source, the dear and patient ones a little later.

        Args:
            tasks: Where they run.
            rests: Cool-downs that are not over, in seconds.
        """
        self._tasks = tasks
        for source in self.sources:
            source.resume(rests)
        self._begin([source.name for source in self.sources], LATER)

    def begin_anew(self, names: Collection[str]) -> None:
        """Start sources at once, those that run too: at its start each tells the full picture."""
        self._begin(names, {})

    def _begin(self, names: Collection[str], after: Mapping[str, float]) -> None:
        for source in self.sources:
            if source.name in names:
                if old := self._running.get(source.name):
                    old.cancel()
                task = self._tasks.spawn(
                    f"source-{source.name}", self._watch(source, after.get(source.name, 0.0))
                )
                self._running[source.name] = task

    def stop(self) -> None:
        """Let every source end."""
        for task in self._running.values():
            task.cancel()

    def figures(self) -> Mapping[str, SourceFigures]:
        """Return what each source has done, by name."""
        for source in self.sources:
            self._figures[source.name].seconds = source.cpu_seconds
        return self._figures

    async def _watch(self, source: Source, after: float) -> None:
        if after:
            await self._sleep(after)
        backoff = Backoff(_random, first=1.0, longest=_LONGEST_PAUSE_SECONDS)
        figures = self._figures[source.name]

        async def emit(seen: Observed) -> None:
            await self._emit(seen)
            figures.reports += 1

        while True:
            begun = self._clock.monotonic()
            try:
                await source.watch(emit, self._clock)
                why = "it ended by itself"
            except Exception as error:  # noqa: BLE001 - the edge to a sensor: counted and reported
                why = f"{type(error).__name__}: {error}"[:300]
            if self._clock.monotonic() - begun > _HEALTHY_SECONDS:
                backoff.succeeded()
            wait = backoff.failed()
            await self._tell(source.name, why, wait)
            await self._sleep(wait)

    async def _tell(self, name: str, why: str, wait: float) -> None:
        self._figures[name].failures += 1
        if self._sensors:
            self._sensors.failed(name, why, self._clock.now())
        _log.error(say(self._language, "source_failed", source=name, why=why, seconds=wait))
        await self._emit(
            gap(self._clock, name, "any", f"source {name} failed ({why}); starts again in {wait:.0f} s")
        )


def gap(clock: Clock, source: str, kind: str, why: str) -> Entry:
    """Return the report that a source saw nothing of a kind, at this moment, and why."""
    now = clock.now()
    at = now.isoformat()
    return Entry("gap", source, now, {"kind": kind, "count": None, "from": at, "to": at, "why": why})
