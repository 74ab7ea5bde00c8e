"""Which reports are owed, to whom, by when, and how each stands.

    condition known false ............................ absent
    what it runs from has not happened ............... not_yet          (no filing, not handled, ...)
    what it runs from is not known ................... cannot_compute   (never midnight, never a guess)
    the law gives no number .......................... no_number        (the unit's own target beside it)
    otherwise   now <= due: open      now > due: overdue
    and whatever it was, a filing with a receipt:  at <= due: met      at > due: met_late

Where the choice between two ways hangs on a fact that is not known, the stricter counts and ``missing`` names
the fact: the one due first, and of those that have no time yet the shorter.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from . import case as forms
from .calendar import Workdays
from .load import REQUESTED
from .terms import origin

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from .calendar import Calendars, Offset
    from .case import Case, Filing
    from .model import Content, Limit, Regime, Route, Stage

State: TypeAlias = Literal["open", "met", "met_late", "overdue", "not_yet", "cannot_compute", "no_number"]

# Events that come after the incident and may never come; all other anchors are there and at worst not known.
_EVENTS = {"graded", "reported", "contained", "handled", "paid", "patch_available", REQUESTED}
_TRIGGERS = _EVENTS - {"graded"}
_NEVER = datetime.max.replace(tzinfo=UTC)
_Strictness: TypeAlias = tuple[bool, datetime, float]


class Owed(NamedTuple):
    """One report owed; times as computed, not yet in the unit's zone."""

    id: str
    regime: str
    stage: Stage
    recipient: str
    anchor: str
    anchor_at: datetime | None
    due_at: datetime | None
    target_at: datetime | None
    state: State
    source: str
    verified: bool
    missing: tuple[str, ...]

    @property
    def content(self) -> Content:
        """What the report has to say."""
        return self.stage.content


class _Way(NamedTuple):
    """A route of a stage that is owed, for one recipient."""

    route: Route
    recipient: str
    missing: tuple[str, ...]


class _Clock(NamedTuple):
    anchor: str
    start: datetime | None
    due: datetime | None
    missing: tuple[str, ...]


class Ledger:
    """Works out the obligations of one case under one regime.

    Args:
        regime: the law; it applies.
        case: the incident.
        known: the terms that are known, the level among them.
        now: the time to judge at; what lies later has not happened.
        calendars: for limits in working days.
    """

    def __init__(
        self,
        regime: Regime,
        case: Case,
        known: Mapping[str, object],
        now: datetime,
        calendars: Calendars,
    ) -> None:
        self._regime = regime
        self._case = case
        self._known = known
        self._now = now
        self._calendar = regime.calendar or case.unit.region
        self._workdays = calendars.of(self._calendar) if self._calendar is not None else Workdays()
        self._zone = forms.zone_of(case)
        self._stages = {stage.id: stage for stage in regime.stages}
        self._ways: dict[str, list[_Way]] = {}

    def obligations(self) -> list[Owed]:
        """Every report owed, in the order of the law."""
        return [
            self._owed(stage, way)
            for stage in self._regime.stages
            for way in self._ways_of(stage)
            if stage.id
        ]

    def _ways_of(self, stage: Stage) -> list[_Way]:
        if stage.id not in self._ways:
            self._ways[stage.id] = self._find_ways(stage)
        return self._ways[stage.id]

    def _find_ways(self, stage: Stage) -> list[_Way]:
        whether = stage.when.decide(self._known) if stage.when is not None else None
        if whether is not None and whether.value is False:
            return []
        doubt = whether.missing if whether is not None else ()
        ways: dict[str, _Way] = {}
        for route, missing in _choose(stage, self._known, lambda route: self._strictness(stage, route)):
            for recipient in self._recipients(stage, route):
                ways.setdefault(recipient, _Way(route, recipient, tuple(dict.fromkeys(doubt + missing))))
        return list(ways.values())

    def _strictness(self, stage: Stage, route: Route) -> _Strictness:
        """How soon a route wants its report; one with a due time is before one that has none yet."""
        limit = route.limit or stage.limit
        recipient = next(iter(self._recipients(stage, route)), "")
        due = self._after(
            limit, self._time_of(route.anchor or stage.anchor, stage, _Way(route, recipient, ()))
        )
        length = limit.strictness.total_seconds() if limit is not None else float("inf")
        return (due is None, due or _NEVER, length)

    def _recipients(self, stage: Stage, route: Route) -> Sequence[str]:
        if stage.recipients_of is None:
            return route.recipients or stage.recipients
        return [way.recipient for way in self._ways_of(self._stages[stage.recipients_of])]

    def _name(self, stage: Stage, recipient: str) -> str:
        name = f"{self._regime.id}/{stage.id}"
        several = len(self._ways_of(stage)) > 1
        return f"{name}/{recipient}" if several else name

    def _owed(self, stage: Stage, way: _Way) -> Owed:
        route = way.route
        name = self._name(stage, way.recipient)
        clock = self._clock(stage, way)
        state = self._state(stage, clock, name, route.limit or stage.limit)
        missing = tuple(origin(term) for term in way.missing) + clock.missing
        return Owed(
            id=name,
            regime=self._regime.id,
            stage=stage,
            recipient=way.recipient,
            anchor=clock.anchor,
            anchor_at=clock.start,
            due_at=clock.due,
            target_at=self._target(stage, clock),
            state=state,
            source=route.source or stage.source,
            verified=stage.verified if route.verified is None else route.verified,
            missing=tuple(dict.fromkeys(missing)),
        )

    def _target(self, stage: Stage, clock: _Clock) -> datetime | None:
        target = self._case.unit.targets.get(f"{self._regime.id}/{stage.id}")
        if target is None and stage.house_target is not None:
            target = stage.house_target.limit
        unnumbered = clock.due is None and stage.limit is None
        return clock.start + target if unnumbered and target is not None and clock.start is not None else None

    def _clock(self, stage: Stage, way: _Way) -> _Clock:
        anchor = way.route.anchor or stage.anchor
        limit = way.route.limit or stage.limit
        start = self._time_of(anchor, stage, way)
        due = self._after(limit, start)
        if stage.ceiling is not None:
            return self._under_ceiling(stage.ceiling, _Clock(anchor, start, due, ()), stage, way)
        missing: tuple[str, ...] = ()
        if start is None and anchor not in _TRIGGERS and not anchor.startswith("filed:"):
            missing = (f"times.{anchor}",)
        elif start is not None and limit is not None and due is None:
            missing = (self._lacking(limit, start),)
        return _Clock(anchor, start, due, missing)

    def _under_ceiling(self, ceiling: Limit, clock: _Clock, stage: Stage, way: _Way) -> _Clock:
        """The earlier of both, unless the anchor itself came only after the ceiling."""
        start = self._time_of(ceiling.anchor, stage, way)
        latest = self._after(ceiling.limit, start)
        if latest is None:
            anchor = ceiling.anchor if clock.start is None else clock.anchor
            missing = f"times.{ceiling.anchor}" if start is None else self._lacking(ceiling.limit, start)
            return clock._replace(anchor=anchor, missing=(missing,))
        if clock.due is None or clock.start is None or (clock.start <= latest < clock.due):
            return _Clock(ceiling.anchor, start, latest, ())
        return clock

    def _after(self, limit: Offset | None, start: datetime | None) -> datetime | None:
        return (
            limit.after(start, self._zone, self._workdays)
            if limit is not None and start is not None
            else None
        )

    def _lacking(self, limit: Offset, start: datetime) -> str:
        """What a limit in working days is missing: whose days count, or the calendar of a year."""
        if self._calendar is None:
            return "unit.region"
        local = start.astimezone(self._zone) if self._zone is not None else start
        return f"calendar.{self._calendar.country}.{self._workdays.lacks(local.date(), limit.workdays)}"

    def _time_of(self, anchor: str, stage: Stage, way: _Way) -> datetime | None:
        kind, _, filed = anchor.partition(":")
        if filed:
            filing = self._first_filing(filed, way.recipient, open_items=stage.after_open_items)
            return filing.at if filing is not None else None
        incident = self._case.incident
        time = incident.facts.intermediate_requested if kind == REQUESTED else getattr(incident.times, kind)
        return None if time is not None and kind in _EVENTS and time > self._now else time

    def _first_filing(self, stage: str, recipient: str, *, open_items: bool) -> Filing | None:
        other = self._stages[stage]
        recipients = {way.recipient for way in self._ways_of(other)}
        names = {self._name(other, recipient)} if recipient in recipients or not recipients else set()
        names = names or {self._name(other, one) for one in recipients}
        filings = [filing for filing in self._filings(names) if not open_items or filing.complete is False]
        return min(filings, key=lambda filing: filing.at, default=None)

    def _filings(self, names: set[str]) -> list[Filing]:
        filings = self._case.incident.filings
        return [filing for filing in filings if filing.obligation in names and filing.at <= self._now]

    def _state(self, stage: Stage, clock: _Clock, name: str, limit: Offset | None) -> State:
        proven = [
            filing.at
            for filing in self._filings({name})
            if filing.receipt_at is not None and filing.receipt_at <= self._now
        ]
        if proven:
            return "met" if clock.due is None or min(proven) <= clock.due else "met_late"
        if clock.due is not None:
            return "overdue" if self._now > clock.due else "open"
        if clock.start is None and (clock.anchor in _TRIGGERS or clock.anchor.startswith("filed:")):
            return "not_yet"
        return "no_number" if limit is None and stage.ceiling is None else "cannot_compute"


def _choose(
    stage: Stage, known: Mapping[str, object], strictness: Callable[[Route], _Strictness]
) -> list[tuple[Route, tuple[str, ...]]]:
    """Every route that is known to hold, and the strictest that may hold if it is stricter than those."""
    holds: list[tuple[Route, tuple[str, ...]]] = []
    may: list[tuple[Route, tuple[str, ...]]] = []
    for route in stage.routes:
        answer = route.when.decide(known) if route.when is not None else None
        if answer is None or answer.value:
            holds.append((route, ()))
        elif answer.value is None:
            may.append((route, answer.missing))
    if may:
        strictest = min(may, key=lambda one: strictness(one[0]))
        if not holds or strictness(strictest[0]) < min(strictness(one[0]) for one in holds):
            holds.append(strictest)
    return sorted(holds, key=lambda one: strictness(one[0]))
