"""What a source may cost, and what happens when it costs more.

A source spends CPU seconds and bytes from one purse each, filled anew every window:

    purse 3.0 s   |run 0.4|run 0.3|....|run 2.9|  overdrawn: no run until the cool-down is over,
    window 300 s  0       60      120  180     |  and a `gap` report says so
                                       resume at 180 + cool_down

The rest outlives the agent: it is written together with the report of the overdraft, in one transaction
(`agent/outbox/rests.py`), and a new start goes on resting. So a source that brings the agent down, or is
killed with it, spends no second purse, and its report is neither lost nor told twice.

A run that has not come back is never joined by a second one: on a hung file system each try would leave one
more stuck thread behind, until the host dies of its monitoring.

>>> from agent.budget import Account, Budget
>>> account = Account(Budget(cpu_seconds=3.0, window=300.0, cool_down=600.0))
>>> account.start(0.0)
>>> account.finish(0.4, cpu_seconds=0.4)
>>> account.start(180.0)
>>> account.finish(183.0, cpu_seconds=2.9)
Overdraft(what='cpu_seconds', spent=3.3, allowed=3.0, since=0.0, until=783.0)
>>> account.start(200.0)
Traceback (most recent call last):
    ...
agent.budget.RestingError: overdrawn, resting for 583 s more
>>> account.start(783.0)
"""

from msgspec import Struct

from .bounded import Count, Pause, Seconds


class RefusedError(RuntimeError):
    """A run that may not start now; a later one may."""


class RestingError(RefusedError):
    """The source overdrew its budget and rests."""


class StillRunningError(RefusedError):
    """The last run has not come back."""


class Budget(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What one source may cost.

    Fields:
        cpu_seconds: CPU time its runs may take together in one window.
        report_bytes: Bytes of reports it may hand out in one window; incidents do not count.
        window: Seconds after which both purses are full again.
        cool_down: Seconds of rest after an overdraft.
        stuck_after: Seconds after which a run counts as stuck.
    """

    cpu_seconds: Seconds = 3.0
    report_bytes: Count = 4 * 1024 * 1024
    window: Seconds = 300.0
    cool_down: Pause = 300.0
    stuck_after: Seconds = 30.0


class Overdraft(Struct, frozen=True):
    """A purse that ran out: what was spent since `since`, and when the source goes on (monotonic seconds)."""

    what: str
    spent: float
    allowed: float
    since: float
    until: float


class Rest(Struct, frozen=True):
    """A cool-down that begins: whose purse ran out, and for how many seconds."""

    account: str
    seconds: float


class Account:
    """The purses of one source. Times are seconds of any one monotonic clock, given by the caller."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._opened: float | None = None
        self._cpu = 0.0
        self._bytes = 0
        self._resting_until = 0.0
        self._running_since: float | None = None

    def start(self, at: float) -> None:
        """Open a run.

        Raises:
            StillRunningError: the last one has not finished.
            RestingError: the cool-down is not over.
        """
        if self._running_since is not None:
            raise StillRunningError(f"last run has not come back for {at - self._running_since:.0f} s")
        if self.rest(at):
            raise RestingError(f"overdrawn, resting for {self.rest(at):.0f} s more")
        self._running_since = at
        self._refill(at)

    def finish(self, at: float, *, cpu_seconds: float) -> Overdraft | None:
        """Close the run and pay for it."""
        self._running_since = None
        self._cpu += cpu_seconds
        return self._settle(at, "cpu_seconds", self._cpu, self._budget.cpu_seconds)

    def pay_bytes(self, at: float, count: int) -> Overdraft | None:
        """Pay for a report."""
        self._refill(at)
        self._bytes += count
        return self._settle(at, "report_bytes", self._bytes, self._budget.report_bytes)

    def resume(self, at: float, seconds: float) -> None:
        """Go on with a cool-down of an earlier life; none is longer than the budget's."""
        self._resting_until = max(self._resting_until, at + min(seconds, self._budget.cool_down))

    def rest(self, at: float) -> float:
        """Return the seconds of cool-down left."""
        return max(0.0, self._resting_until - at)

    def _refill(self, at: float) -> None:
        if self._opened is None or at - self._opened >= self._budget.window or at < self._opened:
            self._opened, self._cpu, self._bytes = at, 0.0, 0

    def _settle(self, at: float, what: str, spent: float, allowed: float) -> Overdraft | None:
        if spent <= allowed or self.rest(at):
            return None
        self._resting_until = at + self._budget.cool_down
        since = at if self._opened is None else self._opened
        self._opened = None
        return Overdraft(what, round(spent, 3), allowed, since, self._resting_until)


class Pace:
    """Spaces the looks that events ask for, so that a flood of events never overdraws a budget.

    Somebody who can make events at will (a link that flaps) could otherwise spend a source's purse and then
    do what he likes while it rests. Nine twentieths of each purse may be spent as fast as events come; as
    much again flows back evenly over a window. Together they stay below the purse, and what is left pays for
    the look that empties the stock.

    >>> pace = Pace(Budget(cpu_seconds=6.0, window=300.0))
    >>> for second in range(100):
    ...     pace.spend(second, cpu_seconds=0.02)
    >>> pace.wait(100.0)
    0.0
    >>> for second in range(100, 400):
    ...     pace.spend(second, cpu_seconds=0.02)
    >>> round(pace.wait(400.0), 1)  # seconds until there is something to spend again
    188.9
    """

    _SHARE = 0.45

    def __init__(self, budget: Budget) -> None:
        self._most = (self._SHARE * budget.cpu_seconds, self._SHARE * budget.report_bytes)
        self._rates = tuple(most / budget.window for most in self._most)
        self._left = list(self._most)
        self._at: float | None = None

    def spend(self, at: float, *, cpu_seconds: float = 0.0, report_bytes: float = 0.0) -> None:
        """Note what was spent until `at`."""
        self._refill(at)
        self._left[0] -= cpu_seconds
        self._left[1] -= report_bytes

    def wait(self, at: float) -> float:
        """Return for how many seconds the next look should wait."""
        self._refill(at)
        purses = zip(self._left, self._rates, strict=True)
        return max(-left / rate if left < 0 and rate else 0.0 for left, rate in purses)

    def _refill(self, at: float) -> None:
        passed = max(0.0, at - (at if self._at is None else self._at))
        self._at = at
        purses = zip(self._left, self._most, self._rates, strict=True)
        self._left = [min(most, left + rate * passed) for left, most, rate in purses]
