"""One case under every regime: level, reasons, who applies and what is owed, as the contract's JSON."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal, TypeAlias
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from . import grading, terms
from .calendar import Calendars
from .case import Case, Level, zone_of
from .grading import Grading
from .model import Criterion, Regime
from .obligations import Ledger, Owed, State
from .standard import StandardLevel, standard_level

# The level is always that of the annex to the Chinese measures, whatever regimes are looked at.
GRADED_BY = "cn-cac-2025"

Applies: TypeAlias = bool | Literal["unknown"]


class Reason(Struct, frozen=True, kw_only=True):
    """A satisfied criterion. ``figure`` is its threshold in ``unit``."""

    criterion: str
    level: Level
    verified: bool
    figure: int | float | None
    unit: str | None
    source: str
    text: str


class NextLevel(Struct, frozen=True, kw_only=True):
    """A higher level, and when time alone will bring it."""

    level: Level
    at: datetime
    criterion: str


class Looked(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A regime that was looked at. ``missing``: what its answer hangs on; ``why``: what else decided it."""

    id: str
    applies: Applies
    missing: tuple[str, ...] = ()
    why: str | None = None


class Obligation(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A report owed.

    Fields:
        due_at: ``None`` in the states ``not_yet``, ``cannot_compute`` and ``no_number``.
        target_at: the unit's own target where the law gives no number; ``target_by`` then says it is no law.
        missing: what is not known and would change the answer.
    """

    id: str
    regime: str
    stage: str
    recipient: str
    anchor: str
    anchor_at: datetime | None
    due_at: datetime | None
    target_at: datetime | None
    state: State
    content: tuple[str, ...]
    source: str
    verified: bool
    target_by: Literal["house"] | None = None
    missing: tuple[str, ...] = ()


class Answer(Struct, frozen=True, kw_only=True):
    """What is known of an incident's level and duties at one time.

    Fields:
        level: ``None`` for a classified system.
        proposed: the level rests on unverified criteria alone and needs a person's word; the clocks run
            all the same.
        standard: the level by GB/T 20986, where a person told what it asks for.
    """

    level: Level | None
    level_by: str | None
    proposed: bool
    reasons: tuple[Reason, ...]
    could_rise: tuple[str, ...]
    next_level: NextLevel | None
    standard: StandardLevel | None
    regimes: tuple[Looked, ...]
    obligations: tuple[Obligation, ...]

    def to_json(self) -> bytes:
        """The answer as one JSON document."""
        plain = msgspec.to_builtins(self, builtin_types=(datetime,))
        return json.dumps(plain, ensure_ascii=False, indent=2, default=datetime.isoformat).encode()


def explain(
    case: Case,
    regimes: Sequence[Regime],
    now: datetime,
    *,
    language: str = "en",
    calendars: Calendars | None = None,
) -> Answer:
    """Grade a case and list every report owed.

    Args:
        case: the incident; ``case.at`` is not looked at.
        regimes: every loaded regime.
        now: the time to judge at, aware.
        language: of texts and contents, ``zh`` or ``en``.
        calendars: for limits in working days; what they do not have is not computed.
    """
    known = terms.values(case, now)
    graded = _grade(case, regimes, known, now)
    if graded is not None:
        known["level"] = graded.level
        if graded.informed:
            known["known_level"] = graded.level
    verdicts = [(regime, _applies(regime, regimes, case, known, now)) for regime in _looked_at(case, regimes)]
    owed = [
        item
        for regime, verdict in verdicts
        if verdict.value
        for item in Ledger(regime, case, known, now, calendars or Calendars()).obligations()
    ]
    clock = _Zone(zone_of(case))
    return Answer(
        level=graded.level if graded is not None else None,
        level_by=GRADED_BY if graded is not None else None,
        proposed=graded is not None and graded.proposed,
        reasons=_reasons(graded, regimes, language),
        could_rise=graded.could_rise if graded is not None else (),
        next_level=_next_level(graded, clock),
        standard=standard_level(case.incident.standard) if graded is not None else None,
        regimes=tuple(_looked(regime, verdict, graded) for regime, verdict in verdicts),
        obligations=tuple(_obligation(item, clock, language) for item in owed),
    )


class _Verdict(Struct, frozen=True):
    value: bool | None
    missing: tuple[str, ...] = ()
    why: str | None = None


class _Zone(Struct, frozen=True):
    """Times print in the unit's zone where it is known, else at the offset they came with."""

    zone: ZoneInfo | None

    def local(self, time: datetime | None) -> datetime | None:
        return time.astimezone(self.zone) if time is not None and self.zone is not None else time


def _grade(
    case: Case, regimes: Sequence[Regime], known: Mapping[str, object], now: datetime
) -> Grading | None:
    annex = next((regime for regime in regimes if regime.id == GRADED_BY), None)
    if case.asset.classified is True or annex is None:
        return None
    return grading.grade(case, annex, known, now)


def _looked_at(case: Case, regimes: Sequence[Regime]) -> list[Regime]:
    if case.regimes is None:
        return [regime for regime in regimes if regime.enabled]
    by_id = {regime.id: regime for regime in regimes}
    return [by_id[name] for name in dict.fromkeys(case.regimes) if name in by_id]


def _applies(
    regime: Regime, regimes: Sequence[Regime], case: Case, known: Mapping[str, object], now: datetime
) -> _Verdict:
    if not regime.in_force.covers(case.incident.times.aware or now):
        return _Verdict(value=False, why="not in force")
    answer = regime.applies.when.decide(known)
    if answer.value:
        # Only what is known to apply displaces: a duty is not dropped for a fact that nobody has told yet.
        for other in regimes:
            in_use = other.enabled or other.id in (case.regimes or ())
            if (
                other.id in regime.applies.yields_to
                and in_use
                and _applies(other, (), case, known, now).value
            ):
                return _Verdict(value=False, why=f"{other.id} applies in its place")
    return _Verdict(answer.value, answer.missing)


def _looked(regime: Regime, verdict: _Verdict, graded: Grading | None) -> Looked:
    if verdict.value is not None:
        return Looked(id=regime.id, applies=verdict.value, why=verdict.why)
    missing: dict[str, None] = {}
    for name in verdict.missing:
        if name != "known_level":
            missing[terms.origin(name)] = None
        elif graded is not None:
            missing.update(dict.fromkeys(_as_path(fact) for fact in graded.could_rise))
    return Looked(id=regime.id, applies="unknown", missing=tuple(missing))


def _as_path(fact: str) -> str:
    return fact if "." in fact else f"facts.{fact}"


def _reasons(graded: Grading | None, regimes: Sequence[Regime], language: str) -> tuple[Reason, ...]:
    annex = next((regime for regime in regimes if regime.id == GRADED_BY), None)
    if graded is None or annex is None:
        return ()
    return tuple(_reason(annex, criterion, language) for criterion in graded.reasons)


def _reason(annex: Regime, criterion: Criterion, language: str) -> Reason:
    subject = annex.subjects.get(criterion.subject or "")
    texts = [text.in_language(language) for text in (subject and subject.text, criterion.text) if text]
    return Reason(
        criterion=criterion.id,
        level=criterion.level,
        verified=criterion.verified,
        figure=criterion.figure,
        unit=criterion.unit,
        source=criterion.source,
        text=("：" if language == "zh" else ": ").join(texts),
    )


def _next_level(graded: Grading | None, clock: _Zone) -> NextLevel | None:
    if graded is None or graded.next_level is None:
        return None
    rise = graded.next_level
    return NextLevel(level=rise.level, at=clock.local(rise.at) or rise.at, criterion=rise.criterion)


def _obligation(owed: Owed, clock: _Zone, language: str) -> Obligation:
    return Obligation(
        id=owed.id,
        regime=owed.regime,
        stage=owed.stage.id,
        recipient=owed.recipient,
        anchor=owed.anchor,
        anchor_at=clock.local(owed.anchor_at),
        due_at=clock.local(owed.due_at),
        target_at=clock.local(owed.target_at),
        state=owed.state,
        content=tuple(item.zh if language == "zh" else item.en for item in owed.content.items),
        source=owed.source,
        verified=owed.verified,
        target_by="house" if owed.target_at is not None else None,
        missing=owed.missing,
    )
