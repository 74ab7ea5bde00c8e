"""What follows from a collector's answer; pure.

    200            confirm; on progress the batch may double again
    409            reconcile (`wire.session`)
    413, 400, 422  the batch can't be taken: halve it; a single report is set aside, then wait
    403, 426, ...  nothing of ours is taken until a person acts: hold, and come back seldom
    429, 503, 507  hold as long as asked
    no answer      hold, with full jitter, without a last try

Setting aside is not progress: where every report is refused, one a minute is set aside and not the whole
outbox in a second.

What is sent again costs: bytes offered before without progress are counted by the minute, and beyond
`RETRY_BYTES` the next try waits for the minute's end: a fleet before a full collector does not flood it.
Where several addresses take a body in turn and none serves it, each counts.
"""

from collections.abc import Callable
from typing import Literal

from msgspec import Struct

from ..backoff import LONGEST, Backoff

MOST_REPORTS = 1000
_LONG = 900.0
RETRY_BYTES = 4 * 1024 * 1024
_MINUTE = 60.0
_CANNOT_TAKE = frozenset({400, 413, 422})
_PERSON = frozenset({401, 403, 404, 405, 415, 426})

Verb = Literal["confirm", "reconcile", "again", "set_aside", "hold"]


class Step(Struct, frozen=True):
    """What to do with the batch, then how many seconds to wait before the next."""

    verb: Verb
    wait: float = 0.0


class Pace:
    """How much to send next and when.

    Attributes:
        limit: Reports the next batch may have.
    """

    def __init__(self, random: Callable[[], float]) -> None:
        self._short = Backoff(random)
        self._long = Backoff(random, first=LONGEST, longest=_LONG)
        self.limit = MOST_REPORTS
        self._minute = -_MINUTE
        self._again = 0
        self._bodies = 1

    @property
    def failures(self) -> int:
        """Failures since the last progress."""
        return self._short.failures + self._long.failures

    def sends(self, size: int, at: float) -> float:
        """Count the bytes of a try and return the seconds it has to wait first; 0: it may be sent.

        Args:
            size: Bytes of the body.
            at: Seconds of a clock that nobody sets.
        """
        if not self.failures:
            self._again = 0
            return 0.0
        if at - self._minute >= _MINUTE:
            self._minute, self._again = at, 0
        # One try a minute is always allowed, however large.
        cost = size * self._bodies
        if self._again and self._again + cost > RETRY_BYTES:
            return self._minute + _MINUTE - at
        self._again += cost
        return 0.0

    def took(self, size: int, bodies: int) -> None:
        """Correct the count by how often a try's body was taken; the next is expected to cost as much.

        Args:
            size: As counted by `sends`.
            bodies: How many addresses took it: none where none was there, several where none could serve it.
        """
        self._again = max(0, self._again + size * (bodies - self._bodies))
        self._bodies = max(1, bodies)

    def judge(self, status: int | None, count: int, retry_after: float | None = None) -> Step:
        """Judge an answer.

        Args:
            status: HTTP status; None when nothing answered.
            count: Reports in the batch.
            retry_after: Seconds the collector asked for.
        """
        if status == 200:
            return Step("confirm")
        if status == 409:
            return Step("reconcile")
        if status in _CANNOT_TAKE:
            return self._shrink(count)
        if status in _PERSON:
            return Step("hold", self._long.failed(retry_after))
        return Step("hold", self._short.failed(retry_after))

    def _shrink(self, count: int) -> Step:
        if count > 1:
            self.limit = count // 2
            return Step("again")
        return Step("set_aside", self._short.failed())

    def progressed(self) -> None:
        """The collector holds more than before."""
        self._short.succeeded()
        self._long.succeeded()
        self.limit = min(MOST_REPORTS, self.limit * 2)

    def reconciled(self, *, changed: bool) -> float:
        """Return the wait after an answer that confirmed nothing; the first change is tried at once."""
        first = changed and not self.failures
        wait = self._short.failed()
        return 0.0 if first else wait
