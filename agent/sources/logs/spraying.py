"""Finds password spraying: many accounts tried a few times each, from many addresses; pure.

    address    a b c d e f g ...      too few from each to be told by source
    account    1 2 3 4 5 6 7 ...      too few of each to be told by account

So the different accounts are counted over all addresses, at two paces: within minutes, and within a day. What
does not count keeps the clerks out of it: an account that came in afterwards from where it had failed (who
mistyped), one that fails again and again (an old password in a telephone), and every address that is told by
itself. From few addresses it is none: those are told by their sources.

The tries are kept oldest first, so that the newest so many accounts say at once how long they took.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Literal

from msgspec import Struct

from ...bounded import Count, Pause, Seconds
from ..port import moment
from .authlog import Attempt, item

CLASS = "NACRED"
KEY = "logins:spray"
_FEW_TRIES = 3
_MAX_ACCOUNTS = 2000
_MAX_EVIDENCE = 20


class SpraySettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """When failed logins are spraying.

    Fields:
        window, accounts: So many accounts, tried a few times each, within so many seconds.
        slow_window, slow_accounts: The same for one that takes its time; over after a quarter of it.
        sources: From at least so many addresses.
        repeat: Seconds between two reports.
    """

    window: Seconds = 300.0
    accounts: Count = 25
    slow_window: Seconds = 86400.0
    slow_accounts: Count = 80
    sources: Count = 5
    repeat: Pause = 60.0


class Try(Struct):
    """The last failure of an account, and how often it failed since the first of a day."""

    at: datetime
    source: str
    since: datetime
    times: int


class Sprayed(Struct):
    """What survives a restart: the last try of each account, the oldest first, and what was told."""

    tries: dict[str, Try] = {}
    evidence: list[Attempt] = []
    pace: Literal["quick", "slow"] = "quick"
    first_seen: datetime | None = None
    last_seen: datetime | None = None
    told_at: datetime | None = None
    count: int = 0
    told_count: int = 0
    succeeded: bool = False


class Spraying:
    """The accounts of one host."""

    def __init__(self, settings: SpraySettings, saved: Sprayed | None = None) -> None:
        self._settings = settings
        self._window = timedelta(seconds=settings.window)
        self._slow = timedelta(seconds=settings.slow_window)
        self._state = saved or Sprayed()

    def saved(self) -> Sprayed:
        """Return the state to save."""
        return self._state

    def add(self, attempt: Attempt) -> list[dict[str, Any]]:
        """Count an attempt; return the incident that begins with it or gets graver by it."""
        if not attempt.account or not attempt.source_address:
            return []
        over = list(self._over(attempt.at))
        if attempt.succeeded:
            return [*over, *self._success(attempt, attempt.source_address)]
        return [*over, *self._failure(attempt, attempt.source_address)]

    def forget(self, source: str) -> None:
        """Forget the tries of an address that is told by itself."""
        self._state.tries = {name: one for name, one in self._state.tries.items() if one.source != source}

    def tick(self, now: datetime) -> list[dict[str, Any]]:
        """Return the report that is due: spraying that went on, or is over."""
        if over := list(self._over(now)):
            return over
        state = self._state
        if state.told_at is None or state.count == state.told_count:
            return []
        due = now - state.told_at >= timedelta(seconds=self._settings.repeat)
        return [self._tell(now, restored=False)] if due else []

    def _over(self, now: datetime) -> Iterator[dict[str, Any]]:
        state = self._state
        if state.told_at and state.last_seen and now - state.last_seen > self._slow / 4:
            yield self._tell(state.last_seen, restored=True)
            self._state = Sprayed(state.tries)

    def _success(self, attempt: Attempt, source: str) -> list[dict[str, Any]]:
        state = self._state
        before = state.tries.get(attempt.account)
        if before and before.source == source:
            del state.tries[attempt.account]
        sprays = any(one.source == source for one in state.tries.values())
        if state.told_at is None or state.succeeded or not sprays:
            return []
        state.succeeded = True
        state.evidence = [*state.evidence, attempt][-_MAX_EVIDENCE:]
        return [self._tell(attempt.at, restored=False)]

    def _failure(self, attempt: Attempt, source: str) -> list[dict[str, Any]]:
        state = self._state
        before = state.tries.pop(attempt.account, None)
        if before is None or attempt.at - before.since > self._slow:
            before = Try(attempt.at, source, attempt.at, 0)
        tried = Try(attempt.at, source, before.since, before.times + attempt.times)
        state.tries[attempt.account] = tried
        while len(state.tries) > _MAX_ACCOUNTS:
            del state.tries[next(iter(state.tries))]
        if tried.times > _FEW_TRIES:
            return []
        state.evidence = [*state.evidence, attempt][-_MAX_EVIDENCE:]
        if state.told_at:
            state.count += attempt.times
            state.last_seen = max(state.last_seen or attempt.at, attempt.at)
            return []
        return self._judge(attempt.at)

    def _few(self) -> Iterator[Try]:
        """The accounts that were tried a few times, the last one first."""
        return (one for one in reversed(self._state.tries.values()) if one.times <= _FEW_TRIES)

    def _judge(self, at: datetime) -> list[dict[str, Any]]:
        its, state = self._settings, self._state
        paces: tuple[tuple[Literal["quick", "slow"], timedelta, int], ...] = (
            ("quick", self._window, its.accounts),
            ("slow", self._slow, its.slow_accounts),
        )
        for pace, window, accounts in paces:
            last = list(islice(self._few(), accounts))
            sources = {one.source for one in last}
            if len(last) < accounts or at - last[-1].at > window or len(sources) < its.sources:
                continue
            state.pace, state.first_seen, state.last_seen = pace, last[-1].at, at
            state.count = sum(one.times for one in last)
            return [self._tell(at, restored=False)]
        return []

    def _tell(self, now: datetime, *, restored: bool) -> dict[str, Any]:
        """Return the incident's body, and note that it was told."""
        state = self._state
        state.told_at, state.told_count = now, state.count
        begun = state.first_seen or now
        few = [
            (name, one) for name, one in state.tries.items() if one.times <= _FEW_TRIES and one.at >= begun
        ]
        sources = list(dict.fromkeys(one.source for _, one in few))
        return {
            "key": KEY,
            "class": CLASS,
            "severity_hint": "high" if state.succeeded else "medium",
            "facts": {},
            "source_address": None,
            "target_address": None,
            "target": None,
            "count": state.count,
            "first_seen": moment(begun),
            "last_seen": moment(state.last_seen or now),
            "restored": restored,
            "succeeded": state.succeeded,
            "pace": state.pace,
            "accounts": [name for name, _ in few][-_MAX_EVIDENCE:],
            "accounts_total": len(few),
            "source_addresses": sources[-_MAX_EVIDENCE:],
            "source_addresses_total": len(sources),
            "evidence": [item(one) for one in state.evidence],
            "evidence_total": state.count,
        }
