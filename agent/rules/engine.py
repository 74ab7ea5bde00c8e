"""A program at work: which rules hold for an event, and which rule has to be silenced for a while.

    event ─> rules of its kind (and service) ─> Match ─> count of the rule in this minute
                                                          above `most`: the rule is *silenced* till the minute
                                                          is over, and what it would have said is counted
                  slow: one look took more than `slow`    ─> the rule *rests* for ten minutes

A rule that would match everything thus costs a node neither its disk nor its officers' attention, and it is
told (`noise`), for a rule that is not asked is one that protects nobody.

>>> from wire.program import Rule, Text
>>> rule = Rule(id="r", title="nc", incident_class="NAOTH", severity="low", log="process",
...             when=Text(field="Image", how="ends", values=["/nc"]))
>>> engine = Engine([rule], most=2)
>>> event = Event("process", {"Image": "/bin/nc"})
>>> [len(engine.matches(event, at=0.0)) for _ in range(4)], engine.noise(at=61.0)
([1, 1, 0, 0], [Noise(rule='r', times=2, why='matched more than 2 times in a minute')])
"""

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from wire.program import Rule

from .events import Event
from .matching import Holds, build

MINUTE = 60.0
REST = 600.0


class Match(NamedTuple):
    """A rule holds for an event."""

    rule: Rule
    event: Event


class Noise(NamedTuple):
    """What a rule was kept from saying, and why."""

    rule: str
    times: int
    why: str


class _Watched:
    __slots__ = ("count", "holds", "kept", "minute", "resting", "rule", "service")

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.service = rule.service
        self.holds: Holds = build(rule.when)
        self.minute = 0.0
        self.count = 0
        self.kept = 0
        self.resting = 0.0


class Engine:
    """The rules of one program.

    Attributes:
        asked: Events that were looked at.
        matched: Matches, those that were kept back with them.
    """

    def __init__(
        self,
        rules: Sequence[Rule],
        *,
        most: int = 60,
        slow: float = 0.05,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """Build every condition.

        Args:
            rules: Checked by `read_program`.
            most: Matches of one rule in a minute after which it is silenced.
            slow: Seconds one look may take.
            clock: For that.

        Raises:
            ProgramError: a condition can't be built.
        """
        self._most = most
        self._slow = slow
        self._clock = clock
        self._kinds: dict[str, list[_Watched]] = {}
        self._noise: list[Noise] = []
        self.asked = 0
        self.matched = 0
        for rule in rules:
            self._kinds.setdefault(rule.log, []).append(_Watched(rule))

    @property
    def kinds(self) -> frozenset[str]:
        """Kinds of event that any rule looks at."""
        return frozenset(self._kinds)

    def matches(self, event: Event, at: float) -> list[Match]:
        """Return the rules that hold and may say so; `at` counts seconds of any steady clock."""
        watched = self._kinds.get(event.log)
        if not watched:
            return []
        self.asked += 1
        begun = self._clock()
        found = [
            one
            for one in watched
            if one.resting <= at and (not one.service or one.service == event.service) and one.holds(event)
        ]
        if self._clock() - begun > self._slow:
            self._rest_the_slow(watched, event, at)
        self.matched += len(found)
        return [Match(one.rule, event) for one in found if self._may_say(one, at)]

    def noise(self, at: float) -> list[Noise]:
        """Return, once, what was kept back in minutes that are over."""
        for one in (one for watched in self._kinds.values() for one in watched):
            if one.kept and at - one.minute >= MINUTE:
                self._settle(one)
        noise, self._noise = self._noise, []
        return noise

    def _may_say(self, one: _Watched, at: float) -> bool:
        if at - one.minute >= MINUTE:
            self._settle(one)
            one.minute, one.count = at, 0
        one.count += 1
        one.kept += one.count > self._most
        return one.count <= self._most

    def _settle(self, one: _Watched) -> None:
        if one.kept:
            why = f"matched more than {self._most} times in a minute"
            self._noise.append(Noise(one.rule.id, one.kept, why))
        one.kept = 0

    def _rest_the_slow(self, watched: list[_Watched], event: Event, at: float) -> None:
        """Find which rule was slow: each is asked again by itself; on a busy host it may be none."""
        for one in watched:
            begun = self._clock()
            one.holds(event)
            spent = self._clock() - begun
            if spent > self._slow:
                one.resting = at + REST
                self._noise.append(Noise(one.rule.id, 0, f"one look took {spent:.2f} s; rests {REST:.0f} s"))
