"""How long to wait after a failure: exponential with full jitter, without a last try.

    attempt   1     2     3     4  ...   8+
    ceiling   0.5   1     2     4  ...   60 s
    wait      anywhere between 0 and the ceiling, so that a fleet does not come back as one

The receiver's own word (`Retry-After`) is a floor: nobody comes back before it, each adds its jitter on top.

>>> from agent.backoff import Backoff
>>> pause = Backoff(random=lambda: 0.5)
>>> [pause.failed() for _ in range(4)]
[0.25, 0.5, 1.0, 2.0]
>>> pause.failed(retry_after=30)
34.0
>>> pause.succeeded(); pause.failed()
0.25
"""

from collections.abc import Callable
from datetime import datetime
from email.utils import parsedate_to_datetime

FIRST = 0.5
LONGEST = 60.0
LONGEST_ASKED = 3600.0
_STEEPEST = 32


class Backoff:
    """Counts failures in a row and draws the wait after each. `random` gives numbers from 0 to below 1."""

    def __init__(
        self, random: Callable[[], float], *, first: float = FIRST, longest: float = LONGEST
    ) -> None:
        self._random = random
        self._first = first
        self._longest = longest
        self.failures = 0

    def failed(self, retry_after: float | None = None) -> float:
        """Count a failure and return the seconds to wait; `retry_after` is obeyed, up to an hour."""
        ceiling = min(self._longest, self._first * 2.0 ** min(self.failures, _STEEPEST))
        self.failures += 1
        floor = min(max(retry_after or 0.0, 0.0), LONGEST_ASKED)
        return floor + self._random() * ceiling

    def succeeded(self) -> None:
        """Forget the failures."""
        self.failures = 0


def seconds_asked(header: str | None, now: datetime) -> float | None:
    """Return the wait a `Retry-After` header asks for (RFC 9110, 10.2.3); None where it is unreadable.

    >>> from datetime import UTC, datetime
    >>> seconds_asked("Mon, 02 Mar 2026 01:10:30 GMT", datetime(2026, 3, 2, 1, 10, tzinfo=UTC))
    30.0
    >>> seconds_asked("120", datetime(2026, 3, 2, 1, 10, tzinfo=UTC))
    120.0
    """
    text = (header or "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        until = parsedate_to_datetime(text)
        return max(0.0, (until - now).total_seconds())
    except (ArithmeticError, LookupError, TypeError, ValueError):
        return None
