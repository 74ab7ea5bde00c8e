"""When deployments are expected: a window delays the telling of a change, and forgives none.

>>> from datetime import datetime, timezone
>>> night = DeployWindow(days=("tue",), begin="22:30", end="01:00")
>>> night.closes(datetime(2026, 3, 3, 23, 0, tzinfo=timezone.utc)).isoformat()
'2026-03-04T01:00:00+00:00'
>>> night.closes(datetime(2026, 3, 4, 2, 0, tzinfo=timezone.utc)) is None
True
"""

from collections.abc import Iterable
from datetime import datetime, time, timedelta
from typing import Annotated, Literal

from msgspec import Meta, Struct

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_Clock = Annotated[str, Meta(pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$")]


class DeployWindow(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A window of local time; an end before the begin is on the next day."""

    begin: _Clock
    end: _Clock
    days: tuple[Day, ...] = DAYS

    def closes(self, local: datetime) -> datetime | None:
        """Return when the window that is open at a local time closes, None where none is open."""
        begin, end = time.fromisoformat(self.begin), time.fromisoformat(self.end)
        for day in (local.date(), local.date() - timedelta(days=1)):
            if DAYS[day.weekday()] not in self.days:
                continue
            last = day + timedelta(days=1) if end <= begin else day
            opened = datetime.combine(day, begin, local.tzinfo)
            closed = datetime.combine(last, end, local.tzinfo)
            if opened <= local < closed:
                return closed
        return None


def closes(windows: Iterable[DeployWindow], local: datetime) -> datetime | None:
    """Return when the last of the windows that are open closes."""
    return max((at for window in windows if (at := window.closes(local))), default=None)
