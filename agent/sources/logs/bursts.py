"""Counts failed logins in a sliding window and says when a burst begins, goes on and is over: pure.

    failures   . . .  ......|.... ...... .            |
    window           [threshold reached               |
    reports                 begins    goes on         over (no failure for a window)

Counted twice, by source address and by account: one address that tries many accounts, and one account tried
from many addresses. A success within a burst is told at once. Many accounts from many addresses, a try or two
each, are for `spraying`.

And counted at two paces: who tries once in ten minutes stays below every threshold of minutes, and comes to
a hundred and forty a day. The slow pace keeps its failures by the hour, so that a day of it costs no more
memory than a burst; when the counters run out, the lightest half is forgotten, which no flood of other
addresses can make the patient one's.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, NamedTuple

import msgspec
from msgspec import Struct

from ...bounded import Count, Pause, Seconds
from ..port import moment
from .authlog import Attempt, item
from .spraying import Sprayed, Spraying, SpraySettings

CLASS = "NACRED"
_MAX_COUNTERS = 2000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MAX_EVIDENCE = 20


class BurstSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """When failed logins are a burst.

    Fields:
        window: Seconds in which failures count together; a burst is over after as long without one.
        by_source: Failures from one address that begin a burst.
        by_account: Failures of one account that begin one.
        repeat: Seconds between two reports of one burst.
        slow_window: Seconds of the slow pace; it is over after a quarter of them without a failure.
        slow_by_source, slow_by_account: Its thresholds.
        spray: When failures of many accounts from many addresses belong together.
    """

    window: Seconds = 300.0
    by_source: Count = 10
    by_account: Count = 20
    repeat: Pause = 60.0
    slow_window: Seconds = 86400.0
    slow_by_source: Count = 40
    slow_by_account: Count = 60
    spray: SpraySettings = SpraySettings()


class Pace(NamedTuple):
    """How failures are counted: in which window, by which grain, from how many on, and when it is over."""

    name: Literal["quick", "slow"]
    window: timedelta
    grain: timedelta
    over: timedelta
    by_source: int
    by_account: int
    evidence: int

    def grained(self, at: datetime) -> datetime:
        """Return the time under which a failure is kept."""
        return at - (at - _EPOCH) % self.grain if self.grain else at


class Counter(Struct):
    """The failures of one address or account."""

    by: Literal["source", "account"]
    name: str
    recent: list[tuple[datetime, int]]
    evidence: list[Attempt]
    first_seen: datetime
    last_seen: datetime
    count: int = 0
    told_at: datetime | None = None
    told_count: int = 0
    succeeded: bool = False
    others: list[str] = []
    pace: Literal["quick", "slow"] = "quick"


class Bursts:
    """The counters. They can be saved and taken up again, together with the place read up to."""

    def __init__(
        self,
        settings: BurstSettings,
        counters: list[Counter] | None = None,
        sprayed: Sprayed | None = None,
    ) -> None:
        self._spraying = Spraying(settings.spray, sprayed)
        saved = counters or []
        self._paces = [
            _Counters(
                pace, timedelta(seconds=settings.repeat), [one for one in saved if one.pace == pace.name]
            )
            for pace in paces(settings)
        ]

    def saved(self) -> list[Counter]:
        """Return the counters to save."""
        return [counter for pace in self._paces for counter in pace.counters.values()]

    def sprayed(self) -> Sprayed:
        """Return what to save of the accounts that were tried a few times each."""
        return self._spraying.saved()

    def add(self, attempt: Attempt) -> list[dict[str, Any]]:
        """Count an attempt; return the incidents that begin with it or get graver by it.

        What a quick burst tells already does not count for the slow pace, and what is told of its source at
        either pace does not for spraying.
        """
        quick, slow = self._paces
        bodies = quick.add(attempt, frozenset())
        bodies += slow.add(attempt, quick.told(attempt))
        if "source" not in quick.told(attempt) | slow.told(attempt):
            bodies += self._spraying.add(attempt)
        elif bodies and attempt.source_address:
            self._spraying.forget(attempt.source_address)
        return bodies

    def tick(self, now: datetime) -> list[dict[str, Any]]:
        """Return the reports that are due: bursts that went on, and those that are over."""
        bodies = [body for pace in self._paces for body in pace.tick(now)]
        return [*bodies, *self._spraying.tick(now)]


def paces(settings: BurstSettings) -> tuple[Pace, Pace]:
    """Return the two paces of the settings."""
    quick, slow = timedelta(seconds=settings.window), timedelta(seconds=settings.slow_window)
    return (
        Pace("quick", quick, timedelta(), quick, settings.by_source, settings.by_account, 2),
        Pace(
            "slow",
            slow,
            timedelta(hours=1),
            slow / 4,
            settings.slow_by_source,
            settings.slow_by_account,
            1,
        ),
    )


class _Counters:
    """The counters of one pace."""

    def __init__(self, pace: Pace, repeat: timedelta, counters: list[Counter]) -> None:
        self._pace = pace
        self._repeat = repeat
        self.counters = {(one.by, one.name): one for one in counters}

    def told(self, attempt: Attempt) -> frozenset[str]:
        """Return by what an attempt belongs to a burst that was told."""
        return frozenset(counter.by for counter in self._of(attempt) if counter.told_at)

    def add(self, attempt: Attempt, told: frozenset[str]) -> list[dict[str, Any]]:
        """Count an attempt, but not by what is `told` already."""
        if attempt.succeeded:
            return [body for counter in self._of(attempt) for body in self._success(counter, attempt)]
        bodies = []
        if attempt.source_address and "source" not in told:
            bodies += self._failure("source", attempt.source_address, attempt.account, attempt)
        if attempt.account and "account" not in told:
            bodies += self._failure("account", attempt.account, attempt.source_address or "", attempt)
        return bodies

    def tick(self, now: datetime) -> list[dict[str, Any]]:
        """Return the reports that are due."""
        bodies = []
        for key, counter in list(self.counters.items()):
            over = now - counter.last_seen > self._pace.over
            if over:
                del self.counters[key]
            if counter.told_at is None:
                continue
            repeat = now - counter.told_at >= self._repeat
            if over or (repeat and counter.count > counter.told_count):
                bodies.append(_tell(counter, now, restored=over))
        return bodies

    def _of(self, attempt: Attempt) -> Iterator[Counter]:
        by_source = self.counters.get(("source", attempt.source_address or ""))
        by_account = self.counters.get(("account", attempt.account))
        return (counter for counter in (by_source, by_account) if counter)

    def _success(self, counter: Counter, attempt: Attempt) -> list[dict[str, Any]]:
        if counter.told_at is None or counter.succeeded or attempt.at - counter.last_seen > self._pace.over:
            return []
        counter.succeeded = True
        counter.evidence = [*counter.evidence, attempt][-_MAX_EVIDENCE:]
        return [_tell(counter, attempt.at, restored=False)]

    def _failure(
        self, by: Literal["source", "account"], name: str, other: str, attempt: Attempt
    ) -> list[dict[str, Any]]:
        ended = []
        counter = self.counters.get((by, name))
        if counter and attempt.at - counter.last_seen > self._pace.over:
            if counter.told_at:
                ended = [_tell(counter, attempt.at, restored=True)]
            counter = None
        if counter is None:
            counter = self._new(by, name, attempt.at)
        self._count(counter, attempt, other)
        threshold = self._pace.by_source if by == "source" else self._pace.by_account
        if counter.told_at is None and sum(times for _, times in counter.recent) >= threshold:
            return [*ended, _tell(counter, attempt.at, restored=False)]
        return ended

    def _new(self, by: Literal["source", "account"], name: str, at: datetime) -> Counter:
        self.counters.pop((by, name), None)
        if len(self.counters) >= _MAX_COUNTERS:
            self._forget_lightest()
        counter = Counter(by, name, [], [], at, at, pace=self._pace.name)
        self.counters[by, name] = counter
        return counter

    def _forget_lightest(self) -> None:
        """Keep what was told and what has failed most often; in batches, so that a flood costs little."""
        heavy = sorted(
            self.counters.values(), key=lambda one: (one.told_at is not None, one.count, one.last_seen)
        )
        self.counters = {(one.by, one.name): one for one in heavy[_MAX_COUNTERS // 2 :]}

    def _count(self, counter: Counter, attempt: Attempt, other: str) -> None:
        pace, at = self._pace, self._pace.grained(attempt.at)
        recent = [one for one in counter.recent if attempt.at - one[0] <= pace.window]
        if recent and recent[-1][0] == at and pace.grain:
            recent[-1] = (at, recent[-1][1] + attempt.times)
        else:
            recent.append((at, attempt.times))
        counter.recent = recent[-pace.by_account - pace.by_source :]
        if counter.told_at is None:
            # An hour's grain begins before its first failure.
            counter.first_seen = (
                max(counter.recent[0][0], counter.first_seen) if pace.grain else counter.recent[0][0]
            )
            counter.count = sum(times for _, times in counter.recent)
        else:
            counter.count += attempt.times
        counter.last_seen = max(counter.last_seen, attempt.at)
        shown = _MAX_EVIDENCE if counter.told_at else pace.evidence
        counter.evidence = [*counter.evidence, attempt][-shown:]
        if other and other not in counter.others and len(counter.others) < _MAX_EVIDENCE:
            counter.others.append(other)


def _tell(counter: Counter, now: datetime, *, restored: bool) -> dict[str, Any]:
    """Return the incident's body, and note that it was told."""
    counter.told_at, counter.told_count = now, counter.count
    by_source = counter.by == "source"
    return {
        "key": f"logins:{'slow:' if counter.pace == 'slow' else ''}{counter.by}:{counter.name}",
        "class": CLASS,
        "severity_hint": "high" if counter.succeeded else "medium",
        "facts": {},
        "source_address": counter.name if by_source else None,
        "target_address": None,
        "target": None if by_source else counter.name,
        "count": counter.count,
        "first_seen": moment(counter.first_seen),
        "last_seen": moment(counter.last_seen),
        "restored": restored,
        "succeeded": counter.succeeded,
        "accounts" if by_source else "source_addresses": counter.others,
        "evidence": [item(one) for one in counter.evidence],
        "evidence_total": counter.count,
    }


Saved = list[Counter]
decode_saved = msgspec.json.Decoder(Saved).decode
