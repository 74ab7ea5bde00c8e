"""Counts failed logins in a sliding window and says when a burst begins, goes on and is over: pure.

    failures   . . .  ......|.... ...... .            |
    window           [threshold reached               |
    reports                 begins    goes on         over (no failure for a window)

Counted twice, by source address and by account: one address that tries many accounts, and one account tried
from many addresses. A success within a burst is told at once.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec
from msgspec import Struct

from .authlog import Attempt
from .port import moment

CLASS = "NACRED"
_MAX_COUNTERS = 10_000
_MAX_EVIDENCE = 20
_MAX_BEFORE = 5


class BurstSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """When failed logins are a burst.

    Fields:
        window: Seconds in which failures count together; a burst is over after as long without one.
        by_source: Failures from one address that begin a burst.
        by_account: Failures of one account that begin one.
        repeat: Seconds between two reports of one burst.
    """

    window: float = 300.0
    by_source: int = 10
    by_account: int = 20
    repeat: float = 60.0


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


class Bursts:
    """The counters. They can be saved and taken up again, together with the place read up to."""

    def __init__(self, settings: BurstSettings, counters: list[Counter] | None = None) -> None:
        self._settings = settings
        self._window = timedelta(seconds=settings.window)
        self._counters = {(one.by, one.name): one for one in counters or ()}

    def saved(self) -> list[Counter]:
        """Return the counters to save."""
        return list(self._counters.values())

    def add(self, attempt: Attempt) -> list[dict[str, Any]]:
        """Count an attempt; return the incidents that begin with it or get graver by it."""
        if attempt.succeeded:
            return [body for counter in self._of(attempt) for body in self._success(counter, attempt)]
        bodies = []
        if attempt.source_address:
            bodies += self._failure("source", attempt.source_address, attempt.account, attempt)
        if attempt.account:
            bodies += self._failure("account", attempt.account, attempt.source_address or "", attempt)
        return bodies

    def tick(self, now: datetime) -> list[dict[str, Any]]:
        """Return the reports that are due: bursts that went on, and those that are over."""
        bodies = []
        for key, counter in list(self._counters.items()):
            over = now - counter.last_seen > self._window
            if over:
                del self._counters[key]
            if counter.told_at is None:
                continue
            repeat = now - counter.told_at >= timedelta(seconds=self._settings.repeat)
            if over or (repeat and counter.count > counter.told_count):
                bodies.append(_tell(counter, now, restored=over))
        return bodies

    def _of(self, attempt: Attempt) -> Iterator[Counter]:
        by_source = self._counters.get(("source", attempt.source_address or ""))
        by_account = self._counters.get(("account", attempt.account))
        return (counter for counter in (by_source, by_account) if counter)

    def _success(self, counter: Counter, attempt: Attempt) -> list[dict[str, Any]]:
        if counter.told_at is None or counter.succeeded or attempt.at - counter.last_seen > self._window:
            return []
        counter.succeeded = True
        counter.evidence = [*counter.evidence, attempt][-_MAX_EVIDENCE:]
        return [_tell(counter, attempt.at, restored=False)]

    def _failure(
        self, by: Literal["source", "account"], name: str, other: str, attempt: Attempt
    ) -> list[dict[str, Any]]:
        ended = []
        counter = self._counters.get((by, name))
        if counter and attempt.at - counter.last_seen > self._window:
            if counter.told_at:
                ended = [_tell(counter, attempt.at, restored=True)]
            counter = None
        if counter is None:
            counter = self._new(by, name, attempt.at)
        self._count(counter, attempt, other)
        threshold = self._settings.by_source if by == "source" else self._settings.by_account
        if counter.told_at is None and sum(times for _, times in counter.recent) >= threshold:
            return [*ended, _tell(counter, attempt.at, restored=False)]
        return ended

    def _new(self, by: Literal["source", "account"], name: str, at: datetime) -> Counter:
        self._counters.pop((by, name), None)
        while len(self._counters) >= _MAX_COUNTERS:
            del self._counters[next(iter(self._counters))]
        counter = Counter(by, name, [], [], at, at)
        self._counters[by, name] = counter
        return counter

    def _count(self, counter: Counter, attempt: Attempt, other: str) -> None:
        counter.recent = [(at, times) for at, times in counter.recent if attempt.at - at <= self._window][
            -self._settings.by_account - self._settings.by_source :
        ]
        counter.recent.append((attempt.at, attempt.times))
        if counter.told_at is None:
            counter.first_seen = counter.recent[0][0]
            counter.count = sum(times for _, times in counter.recent)
        else:
            counter.count += attempt.times
        counter.last_seen = max(counter.last_seen, attempt.at)
        shown = _MAX_EVIDENCE if counter.told_at else _MAX_BEFORE
        counter.evidence = [*counter.evidence, attempt][-shown:]
        if other and other not in counter.others and len(counter.others) < _MAX_EVIDENCE:
            counter.others.append(other)


def _tell(counter: Counter, now: datetime, *, restored: bool) -> dict[str, Any]:
    """Return the incident's body, and note that it was told."""
    counter.told_at, counter.told_count = now, counter.count
    by_source = counter.by == "source"
    return {
        "key": f"logins:{counter.by}:{counter.name}",
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
        "evidence": [
            {
                "at": moment(one.at),
                "account": one.account,
                "source_address": one.source_address,
                "method": one.method,
                "succeeded": one.succeeded,
                "line": one.line,
            }
            for one in counter.evidence
        ],
        "evidence_total": counter.count,
    }


Saved = list[Counter]
decode_saved = msgspec.json.Decoder(Saved).decode
