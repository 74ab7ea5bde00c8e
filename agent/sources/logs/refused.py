"""Lines that are no records of their log, told together: a hostile writer can make any number of them."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from ..port import moment

_SECONDS = 60.0


class Refused:
    """Counts them, and says so once a minute.

    Attributes:
        count: Those that were not told yet.
        last: The log and the reason of the last.
    """

    def __init__(self) -> None:
        self.count = 0
        self.last = ""
        self._since: datetime | None = None

    def add(self, log: str, why: str, now: datetime) -> None:
        """Count a line of a log."""
        self.count += 1
        self.last = f"{log}: {why}"
        self._since = self._since or now

    def told(self, now: datetime) -> Iterator[dict[str, Any]]:
        """Yield the body of the `gap` that is due, if one is."""
        # A clock that is set back must not hold it.
        if not self._since or 0 <= (now - self._since).total_seconds() < _SECONDS:
            return
        yield {
            "kind": "incident",
            "count": self.count,
            "from": moment(min(self._since, now)),
            "to": moment(now),
            "why": self.why(),
        }
        self.count, self._since = 0, None

    def why(self) -> str:
        """Return how many there are and why the last is one."""
        return f"{self.count} lines refused; the last: {self.last}"
