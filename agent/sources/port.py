"""The port every source stands behind, and what passes through it."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any, Protocol

from msgspec import Struct

from wire.messages import ReportKind

from ..budget import Rest
from ..clock import moment


class Observation(Struct, frozen=True, omit_defaults=True):
    """One thing a source saw; it becomes a report when the outbox has it on disk.

    Fields:
        kind: What it is; decides what `body` holds (`docs/wire.md`, "What an agent reports").
        source: The source's name.
        observed_at: The host's clock, aware.
        body: JSON values only.
        rest: The cool-down it tells of; it becomes durable with it.
    """

    kind: ReportKind
    source: str
    observed_at: datetime
    body: dict[str, Any]
    rest: Rest | None = None


class Unreadable(Struct, frozen=True):
    """Something a source should have read and may not, or could not: named, never hidden."""

    source: str
    what: str
    why: str


class Reading(Struct, frozen=True):
    """What one look of a source gave."""

    observations: tuple[Observation, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()


Emit = Callable[[Observation], Awaitable[None]]
Clock = Callable[[], datetime]


class Source(Protocol):
    """A sensor.

    What an implementation owes:

    - `once` looks a single time and leaves no trace: no file written, no position moved.
    - `watch` runs until it is cancelled. `emit` returns when the observation is durable; only then may the
      source move what it remembers (a journal cursor, a file's offset, a known change), so that a kill at
      any point repeats an observation and never loses one.
    - What the source can't read is an `Unreadable` of `once` and never ends `watch`.
    - Kinds that are a state (`asset`, `exits`, `sockets`) come at the start, on change, and as a full
      picture at the period of the source's settings.
    - An incident's body has a `key` that is the same for the same trouble on this node.
    """

    name: str

    @property
    def cpu_seconds(self) -> float:
        """CPU time its looks have taken so far."""
        ...

    @property
    def blind(self) -> str:
        """Why it sees nothing, or not all, at present; empty where it sees."""
        ...

    def resume(self, rests: Mapping[str, float]) -> None:
        """Go on with the cool-downs of an earlier life: seconds left by purse."""
        ...

    async def once(self, now: datetime) -> Reading:
        """Look once at `now`."""
        ...

    async def watch(self, emit: Emit, clock: Clock) -> None:
        """Look until cancelled."""
        ...


__all__ = ["Clock", "Emit", "Observation", "Reading", "Source", "Unreadable", "moment"]
