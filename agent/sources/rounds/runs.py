"""Runs a source's blocking look in its own thread: one at a time, paid for, and never waited for forever.

    await runs.look(work) -> start (refused while one runs or the source rests)
        thread: work()     -> result, CPU seconds of that thread
        stuck_after passes -> StuckError; the thread stays, the next look is refused until it is back

Overdrafts and stuck runs are kept until the source hands them out as `gap` observations; that of an overdraft
carries the rest, so that both are durable together.
"""

import asyncio
import math
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from msgspec import Struct

from wire.codec import encode

from ...budget import Account, Budget, Overdraft, Pace, Rest, StillRunningError
from ..port import Emit, Observation, moment
from .lookers import Looker

Result = TypeVar("Result")
_TROUBLE_SECONDS = 3600.0
_MAX_TROUBLES = 100
_SPAN_SECONDS = 60.0


class StuckError(StillRunningError):
    """A run that did not come back in its time; it is still out there."""


class _Missed(Struct, frozen=True):
    """What was missed, from and to in monotonic seconds, why, and the rest it begins."""

    start: float
    end: float
    why: str
    rest: Rest | None = None


class _Span(Struct):
    """What goes on: since when and until when it is not told yet, and when it was told last."""

    start: float
    end: float
    told: float = -math.inf
    pending: bool = True


class Runs:
    """The runs of one source, or of a part of it with a purse of its own.

    Attributes:
        account: Whose purse it is.
        cpu_seconds: CPU time that all of them have taken together.
        trouble: Why nothing was seen lately; empty since the last run that came back well.
    """

    def __init__(
        self,
        source: str,
        budget: Budget,
        monotonic: Callable[[], float] = time.monotonic,
        *,
        part: str = "",
    ) -> None:
        self._source = source
        self.account = f"{source}/{part}" if part else source
        self._budget = budget
        self._account = Account(budget)
        self._pace = Pace(budget)
        self._looker = Looker(f"look-{source}")
        self._monotonic = monotonic
        self.cpu_seconds = 0.0
        self.trouble = ""
        self._untold: list[_Missed] = []
        self._troubles: dict[str, float] = {}
        self._spans: dict[str, _Span] = {}

    async def look(self, work: Callable[[], Result]) -> Result:
        """Return what `work` returns, run in a thread; its exceptions are raised here.

        Raises:
            RefusedError: resting, or the last run has not come back.
            StuckError: this run did not come back.
        """
        self._account.start(self._monotonic())
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Result] = loop.create_future()
        self._looker.do(partial(self._run, loop, done, work))
        try:
            async with asyncio.timeout(self._budget.stuck_after):
                return await done
        except TimeoutError:
            if done.done() and not done.cancelled():
                raise
            at = self._monotonic()
            why = f"run stuck for more than {self._budget.stuck_after:g} s; no other starts until it is back"
            self._untold.append(_Missed(at - self._budget.stuck_after, at, why))
            self.trouble = why
            raise StuckError(why) from None

    def _run(
        self, loop: asyncio.AbstractEventLoop, done: asyncio.Future[Result], work: Callable[[], Result]
    ) -> None:
        result: Any = None
        failure: BaseException | None = None
        before = time.thread_time()
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001 - handed to the waiting coroutine, which raises it
            failure = error
        spent = time.thread_time() - before
        try:
            loop.call_soon_threadsafe(self._back, done, result, failure, spent)
        except RuntimeError:
            return  # the loop is closed: nobody waits any more

    def _back(
        self, done: "asyncio.Future[Any]", result: object, failure: BaseException | None, spent: float
    ) -> None:
        at = self._monotonic()
        self.cpu_seconds += spent
        self._pace.spend(at, cpu_seconds=spent)
        self._note(self._account.finish(at, cpu_seconds=spent), at)
        if done.done():
            return
        if failure is None:
            self.trouble = ""
            done.set_result(result)
        else:
            done.set_exception(failure)

    def _note(self, overdraft: Overdraft | None, at: float) -> None:
        if overdraft:
            why = (
                f"overdrawn: {overdraft.what} {overdraft.spent:g} of {overdraft.allowed:g}; "
                f"rests {overdraft.until - at:.0f} s"
            )
            self._untold.append(_Missed(at, overdraft.until, why, Rest(self.account, overdraft.until - at)))

    def pay(self, observation: Observation) -> None:
        """Pay for a report's bytes; incidents and gaps are free."""
        if observation.kind not in {"incident", "gap"}:
            at = self._monotonic()
            count = len(encode(observation.body))
            self._pace.spend(at, report_bytes=count)
            self._note(self._account.pay_bytes(at, count), at)

    def resume(self, rests: Mapping[str, float]) -> None:
        """Go on with a cool-down of an earlier life, if there is one of this purse."""
        self._account.resume(self._monotonic(), rests.get(self.account, 0.0))

    @property
    def resting(self) -> float:
        """Seconds of cool-down left."""
        return self._account.rest(self._monotonic())

    @property
    def spacing(self) -> float:
        """Seconds that a look which an event asks for should wait, so that no flood overdraws the budget."""
        return self._pace.wait(self._monotonic())

    @property
    def blind(self) -> str:
        """Why the source sees nothing at present, empty where it sees."""
        rest = self.resting
        return f"overdrawn, rests {rest:.0f} s more" if rest else self.trouble

    def note_gap(self, why: str) -> None:
        """Remember that something may have been missed just now."""
        at = self._monotonic()
        self._untold.append(_Missed(at, at, why))

    def note_trouble(self, why: str) -> None:
        """Remember what can't be read: while it lasts it is told once an hour, not at every try."""
        self.trouble = why
        self.note_seldom(why)

    def note_seldom(self, why: str) -> None:
        """Remember what goes wrong without making the source blind; it is told once an hour."""
        at = self._monotonic()
        if at - self._troubles.get(why, -math.inf) < _TROUBLE_SECONDS:
            return
        if len(self._troubles) >= _MAX_TROUBLES:
            self._troubles.clear()
        self._troubles[why] = at
        self._untold.append(_Missed(at, at, why))

    def note_span(self, why: str) -> None:
        """Remember what goes on: told at once, then once a minute with the time it took; of few kinds."""
        at = self._monotonic()
        span = self._spans.setdefault(why, _Span(at, at))
        if not span.pending:
            span.start, span.pending = at, True
        span.end = at

    def _due_spans(self, at: float) -> Iterator[_Missed]:
        for why, span in self._spans.items():
            if span.pending and at - span.told >= _SPAN_SECONDS:
                span.told, span.pending = at, False
                yield _Missed(span.start, span.end, why)

    def gaps(self, kind: str, now: datetime) -> tuple[Observation, ...]:
        """Return what was missed since the last call, as observations; `kind` is what was not reported."""
        at = self._monotonic()
        untold, self._untold = [*self._untold, *self._due_spans(at)], []
        return tuple(self._gap(missed, kind, now, at) for missed in untold)

    def _gap(self, missed: _Missed, kind: str, now: datetime, at: float) -> Observation:
        body = {
            "kind": kind,
            "count": None,
            "from": moment(now + timedelta(seconds=missed.start - at)),
            "to": moment(now + timedelta(seconds=missed.end - at)),
            "why": missed.why,
        }
        return Observation("gap", self._source, now, body, missed.rest)

    async def tell(self, emit: Emit, kind: str, now: datetime) -> None:
        """Emit what was missed."""
        for gap in self.gaps(kind, now):
            await emit(gap)


class Paid:
    """A source whose looks are all one `Runs`' to pay for: what of `port.Source` follows from that."""

    _runs: Runs

    @property
    def cpu_seconds(self) -> float:
        """CPU time its looks have taken so far."""
        return self._runs.cpu_seconds

    @property
    def blind(self) -> str:
        """Why it sees nothing at present, empty where it sees."""
        return self._runs.blind

    def resume(self, rests: Mapping[str, float]) -> None:
        """Go on with a cool-down of an earlier life."""
        self._runs.resume(rests)
