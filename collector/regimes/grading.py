"""How grave an incident is: the highest satisfied criterion wins, and every satisfied one is a reason.

A level that rests on unverified criteria alone is *proposed*: it needs a person's word before it is
final, but the clocks start all the same. Facts that grow with time (``X_since``) tell when the level
will rise by itself:

    homepage of a province's portal tampered with since 09:00

           09:00           09:30           11:00           15:00
    -------|---------------|---------------|---------------|------------->
    level  IV              III             II              I
    next   III at 09:30    II at 11:00     I at 15:00      none
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from . import terms
from .expression import Answer, both

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .case import Case, Level
    from .model import Criterion, Regime

LOWEST: Level = "IV"
_NEVER = Answer(value=False)
_RANKS: dict[Level, int] = {"I": 4, "II": 3, "III": 2, "IV": 1}


class NextLevel(NamedTuple):
    """A higher level, when it will be reached if nothing else changes, and by which criterion."""

    level: Level
    at: datetime
    criterion: str


class Grading(NamedTuple):
    """What the criteria say of a case.

    Fields:
        level: of the highest satisfied criterion, ``IV`` if none is.
        reasons: every satisfied criterion, the gravest first.
        could_rise: names of the facts, not known, that could raise the level.
        next_level: the next higher level that time alone will bring.
        informed: whether any fact that a criterion asks for is known.
        proposed: the level rests on unverified criteria alone.
    """

    level: Level
    reasons: tuple[Criterion, ...]
    could_rise: tuple[str, ...]
    next_level: NextLevel | None
    informed: bool
    proposed: bool


def grade(case: Case, annex: Regime, known: Mapping[str, object], now: datetime) -> Grading:
    """Grade a case.

    Args:
        case: for the facts that grow with time.
        annex: the regime whose criteria count.
        known: the terms known at ``now`` (``terms.values``).
        now: the time to grade at.
    """
    criteria = annex.criteria
    reasons = _satisfied(annex, known)
    level: Level = reasons[0].level if reasons else LOWEST
    at_level = [criterion for criterion in reasons if criterion.level == level]
    facts = {name for criterion in criteria for name in criterion.when.names if name.startswith("facts.")}
    return Grading(
        level=level,
        reasons=reasons,
        could_rise=_could_rise(annex, known, level),
        next_level=_next_level(case, annex, known, now, level),
        informed=not facts.isdisjoint(known),
        proposed=bool(at_level) and not any(criterion.verified for criterion in at_level),
    )


def rank(level: Level) -> int:
    """The graver, the higher."""
    return _RANKS[level]


def _satisfied(annex: Regime, known: Mapping[str, object]) -> tuple[Criterion, ...]:
    met = [criterion for criterion in annex.criteria if _answer(annex, criterion, known).value]
    return tuple(sorted(met, key=lambda criterion: -rank(criterion.level)))


def _answer(annex: Regime, criterion: Criterion, known: Mapping[str, object]) -> Answer:
    answer = _condition(criterion, known)
    if criterion.subject is None or answer.value is False:
        return answer
    return both(answer, annex.subjects[criterion.subject].when.decide(known))


def _condition(criterion: Criterion, known: Mapping[str, object]) -> Answer:
    if terms.FIGURE not in criterion.when.names:
        return criterion.when.decide(known)
    if criterion.figure is None:
        return _NEVER
    return criterion.when.decide({**known, terms.FIGURE: criterion.figure})


def _could_rise(annex: Regime, known: Mapping[str, object], level: Level) -> tuple[str, ...]:
    names: dict[str, None] = {}
    for criterion in annex.criteria:
        if rank(criterion.level) > rank(level):
            missing = _answer(annex, criterion, known).missing
            names.update(dict.fromkeys(terms.origin(name).removeprefix("facts.") for name in missing))
    return tuple(names)


def _next_level(
    case: Case, annex: Regime, known: Mapping[str, object], now: datetime, level: Level
) -> NextLevel | None:
    for at in _moments(case, annex.criteria, now):
        then = _satisfied(annex, {**known, **terms.minutes(case, at)})
        if then and rank(then[0].level) > rank(level):
            return NextLevel(then[0].level, at, then[0].id)
    return None


def _moments(case: Case, criteria: Sequence[Criterion], now: datetime) -> list[datetime]:
    """The times at which a growing fact reaches a figure, the nearest first."""
    moments: list[datetime] = []
    for name in terms.GROWING:
        since: datetime | None = getattr(case.incident.facts, f"{name}_since")
        if since is None or since > now:
            continue
        moments += [
            since + timedelta(minutes=criterion.figure)
            for criterion in criteria
            if f"facts.{name}_minutes" in criterion.when.names and criterion.figure is not None
        ]
    return sorted(moment for moment in moments if moment > now)
