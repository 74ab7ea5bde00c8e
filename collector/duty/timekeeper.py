"""The time by which alarms fire: the wall clock, held against a clock that cannot be set (pure).

::

    wall forward, by NTP or by a jump      followed
    wall set back                          not followed: time goes on from the latest moment seen, at the
                                           steady clock's pace, until the wall clock has caught up
    wall behind the mark of the last run   likewise: what has fired is not due again

>>> from datetime import UTC
>>> wall, steady = [datetime(2026, 3, 2, 9, tzinfo=UTC)], [0.0]
>>> keeper = Timekeeper(lambda: wall[0], lambda: steady[0], None)
>>> wall[0] -= timedelta(hours=1); steady[0] += 30
>>> f"{keeper.now():%H:%M:%S}", keeper.behind
('09:00:30', datetime.timedelta(seconds=3630))
"""

from collections.abc import Callable
from datetime import datetime, timedelta

_NONE = timedelta(0)


class Timekeeper:
    """Tells the time; asked again it never tells an earlier one.

    Args:
        wall: The host's clock, aware.
        steady: Seconds of a clock that only goes forward.
        mark: The latest moment an earlier run has seen.

    Attributes:
        behind: How far the wall clock is behind the time told.
        jumped: How far the wall clock was ahead of the steady one at the last call.
    """

    def __init__(
        self, wall: Callable[[], datetime], steady: Callable[[], float], mark: datetime | None
    ) -> None:
        self._wall = wall
        self._steady = steady
        self._base = wall() if mark is None else max(wall(), mark)
        self._base_steady = steady()
        self.behind = _NONE
        self.jumped = _NONE

    def now(self) -> datetime:
        """Return the time."""
        wall, steady = self._wall(), self._steady()
        expected = self._base + timedelta(seconds=steady - self._base_steady)
        self.behind, self.jumped = max(_NONE, expected - wall), max(_NONE, wall - expected)
        self._base, self._base_steady = max(wall, expected), steady
        return self._base
