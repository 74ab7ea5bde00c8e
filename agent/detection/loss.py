"""Says when a sensor loses packets: what it did not see is no proof that nothing happened.

    counters     seen 100 000, lost 0     seen 190 000, lost 9 000
                                          9 % of the interval: a `gap` with the count, and an incident
                                          `sensor loses packets` until an interval stays below the threshold

Sensors count from their start. A counter that fell began anew.
"""

from datetime import datetime
from typing import Any

from msgspec import Struct

from ..clock import moment
from .repeats import Finding

CLASS = "DETECH"


class Counted(Struct, frozen=True):
    """What a sensor had counted at a time: packets seen, and packets lost beside them.

    `begun`: since when it counted, where that is known: then the first reading tells a loss as well.
    """

    at: datetime
    seen: int
    lost: int
    begun: datetime | None = None


class Loss(Struct, frozen=True):
    """What was lost between two readings."""

    begin: datetime
    end: datetime
    seen: int
    lost: int

    @property
    def share(self) -> float:
        """The lost part of all there was."""
        return self.lost / (self.seen + self.lost) if self.lost else 0.0

    def gap(self, sensor: str) -> dict[str, Any]:
        """Return the body of a `gap` report."""
        return {
            "kind": "incident",
            "count": self.lost,
            "from": moment(self.begin),
            "to": moment(self.end),
            "why": f"{sensor} lost {self.lost} of {self.seen + self.lost} packets ({self.share:.1%})",
        }

    def finding(self, sensor: str) -> Finding:
        """Return the finding that the sensor loses packets."""
        return Finding(
            key=f"{sensor}:loss",
            group=f"{sensor}:loss",
            incident_class=CLASS,
            severity="high" if self.share >= 0.2 else "medium",
            at=self.end,
            target=sensor,
            times=self.lost,
            item={
                "from": moment(self.begin),
                "to": moment(self.end),
                "seen": self.seen,
                "lost": self.lost,
                "share": round(self.share, 4),
            },
        )


class LossMeter:
    """Compares a sensor's readings, by reader where it has several."""

    def __init__(self, threshold: float) -> None:
        self._threshold = threshold
        self._last: dict[str, Counted] = {}

    def note(self, reader: str, now: Counted) -> Loss | None:
        """Take a reading; return what was lost since the one before, where that is above the threshold."""
        before = self._last.get(reader)
        if len(self._last) < 64 or before:
            self._last[reader] = now
        if before is None:
            if now.begun is None:
                return None
            before = Counted(now.begun, 0, 0)
        if now.seen < before.seen or now.lost < before.lost:
            before = Counted(before.at, 0, 0)
        loss = Loss(before.at, now.at, now.seen - before.seen, now.lost - before.lost)
        return loss if loss.lost and loss.share > self._threshold else None
