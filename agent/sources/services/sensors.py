"""The sensor that watches the others: a source that is blind or dies again and again is told as an incident.

Every source says why it is blind, if it is (`Source.blind`); the agent says which one failed and had to be
started again. A gap in the reports tells *that* something may have been missed; this tells that nobody looks
any more, so that a person goes and sees to it. An attacker's first aim is the sensor.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Protocol

from msgspec import Meta, Struct

from ...bounded import Seconds
from ...budget import Budget
from ..rounds.matters import Finding
from ..rounds.patrol import Patrol, Round

CLASS = "DETECH"
_LASTS = timedelta(minutes=10)
_FAILURES = 3


class SensorsSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of the sensors source; `after` is how many seconds a source may be blind before it is told."""

    enabled: bool = True
    after: Annotated[float, Meta(ge=0)] = 300.0
    poll: Seconds = 30.0
    budget: Budget = Budget()


class Watched(Protocol):
    """What is asked of a source."""

    @property
    def name(self) -> str:
        """Its name."""
        ...

    @property
    def blind(self) -> str:
        """Why it sees nothing at present, empty where it sees."""
        ...


class BlindSince(Struct, frozen=True):
    """Since when sources have been blind, by name."""

    sources: dict[str, datetime] = {}


class Sensors(Patrol[BlindSince]):
    """The sensors source."""

    name = "sensors"
    notes_kind = BlindSince

    def __init__(
        self,
        settings: SensorsSettings | None = None,
        *,
        watched: Sequence[Watched] = (),
        state: Path | None,
    ) -> None:
        self._settings = settings or SensorsSettings()
        self._watched = tuple(watched)
        self._failed: dict[str, list[tuple[datetime, str]]] = {}
        super().__init__(poll=self._settings.poll, budget=self._settings.budget, state=state)

    def failed(self, source: str, why: str, at: datetime) -> None:
        """Note that a source failed and is started again."""
        self._failed[source] = [*self._failed.get(source, []), (at, why)][-_FAILURES:]

    def look(self, now: datetime, notes: BlindSince, *, alone: bool) -> Round:
        """Ask every source."""
        blind = {one.name: why for one in self._watched if (why := one.blind)}
        since = {name: min(notes.sources.get(name, now), now) for name in blind}
        late = timedelta() if alone else timedelta(seconds=self._settings.after)
        findings = [
            _finding(name, "blind", blind[name], at, 1) for name, at in since.items() if now - at >= late
        ]
        told = {finding.target for finding in findings}
        for name, failures in self._failed.items():
            lately = [one for one in failures if now - one[0] <= _LASTS]
            if len(lately) >= _FAILURES and name not in told:
                findings.append(_finding(name, "fails", lately[-1][1], lately[0][0], len(lately)))
        return Round(
            findings=tuple(findings),
            notes=BlindSince(since) if since.keys() != notes.sources.keys() else None,
        )


def _finding(name: str, fault: str, why: str, since: datetime, count: int) -> Finding:
    return Finding(
        key=f"sensors:{name}",
        klass=CLASS,
        severity_hint="medium",
        target=name,
        count=count,
        first_seen=since,
        evidence=[{"fault": fault, "source": name, "why": why}],
    )
