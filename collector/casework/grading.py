"""Grades a dossier anew and makes level, next level, clocks and chain follow (pure)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec.structs import replace

from wire.vocabulary import rank

from ..incident import graver
from ..regimes import Answer, Facts, Regime, explain
from ..store.proofs import Proof
from .case import GROWING, case_of, key_of, read_form
from .dossier import Cause, Dossier
from .firing import REGRADE
from .reconcile import reconcile
from .waking import CHAIN, Setting, begin_chain

_SETTLE = (
    3  # an id that gains its recipient renames a filing's obligation, which may be asked about once more
)


def grade(
    dossier: Dossier,
    proofs: Sequence[Proof],
    regimes: Sequence[Regime],
    *,
    setting: Setting,
    cause: Cause,
    now: datetime,
) -> None:
    """Bring everything that follows from facts, times, filings and law up to date at `now`."""
    dossier.warn_at = setting.policy.warn_at
    answer = _ask(dossier, proofs, regimes, setting, now)
    _set_level(dossier, answer, setting, cause, now)
    _set_regrade(dossier, now)
    reconcile(dossier, answer.obligations, proofs, cause, now)


def _ask(
    dossier: Dossier, proofs: Sequence[Proof], regimes: Sequence[Regime], setting: Setting, now: datetime
) -> Answer:
    names = {clock.id: clock.obligation for clock in dossier.clocks.values()}
    in_hand = [_happened(proof, now) for proof in proofs]
    for _ in range(_SETTLE):
        case = case_of(dossier.incident, setting.registry, in_hand, names)
        answer = explain(case, regimes, now, language=setting.language, calendars=setting.calendars)
        ids = {(owed.regime, owed.stage, owed.recipient): owed.id for owed in answer.obligations}
        renamed = {clock.id: ids.get(key_of(clock), clock.obligation) for clock in dossier.clocks.values()}
        if renamed == names:
            break
        names = renamed
    return answer


def _happened(proof: Proof, now: datetime) -> Proof:
    """Return a filing as one that is in hand: its times may come from a clock that is ahead of this one."""
    receipt_at = min(proof.receipt_at, now) if proof.receipt_at else None
    return replace(proof, at=min(proof.at, now), receipt_at=receipt_at)


def _set_level(dossier: Dossier, answer: Answer, setting: Setting, cause: Cause, now: datetime) -> None:
    old = dossier.incident
    level = answer.level if cause.by_person else graver(old.level, answer.level)
    reasons: list[dict[str, Any]] = [msgspec.to_builtins(reason) for reason in answer.reasons]
    if level != answer.level:
        reasons = old.reasons  # they are what the kept level rests on
    times = dict(old.times)
    if level is not None and "graded" not in times:
        times["graded"] = _text(now)
    proposed = answer.proposed if level == answer.level else old.proposed
    dossier.change(
        level=level,
        level_by=answer.level_by or old.level_by,
        proposed=proposed and level != old.confirmed_level,
        reasons=reasons,
        next_level=msgspec.to_builtins(answer.next_level),
        standard=msgspec.to_builtins(answer.standard),
        times=times,
    )
    first = not dossier.generations.get(CHAIN)
    standard = dossier.incident.standard
    if (
        first
        or (level, standard) != (old.level, old.standard)
        or _criteria(reasons) != _criteria(old.reasons)
    ):
        _tell_grade(dossier, old.level, answer, cause)
    if first or (level and level != old.level and (old.level is None or rank(level) > rank(old.level))):
        begin_chain(dossier, setting, now)


def _tell_grade(dossier: Dossier, old: str | None, answer: Answer, cause: Cause) -> None:
    incident = dossier.incident
    detail = {
        "from": old,
        "level": incident.level,
        "level_by": incident.level_by,
        "proposed": incident.proposed,
        "reasons": incident.reasons,
        "could_rise": answer.could_rise,
        "next_level": incident.next_level,
        "standard": incident.standard,
        "reason": cause.reason,
    }
    dossier.tell("incident.graded", f"incident:{incident.id}", detail, cause.actor)


def _set_regrade(dossier: Dossier, now: datetime) -> None:
    """Arm the moment at which time alone makes the incident graver.

    What began later than now, by a host whose clock is ahead, has not happened and grows from nothing: it is
    looked at again when it has.
    """
    planned = dossier.incident.next_level
    moments = [msgspec.convert(planned["at"], datetime)] if planned else []
    moments += _still_to_begin(dossier.incident.facts, now)
    wanted = min(moments, default=None)
    armed = [alarm for alarm in dossier.armed.values() if alarm.kind == REGRADE]
    if wanted is not None and [alarm.at for alarm in armed] == [wanted]:
        return
    dossier.cancel(prefix=REGRADE, now=now)
    if wanted is not None:
        generation = dossier.generations[REGRADE] = dossier.generations.get(REGRADE, 0) + 1
        dossier.arm(clock="", generation=generation, kind=REGRADE, at=wanted, now=now)


def _still_to_begin(facts: Mapping[str, Any], now: datetime) -> list[datetime]:
    read = read_form(facts, Facts)
    values = [getattr(read, name, None) for name in facts if name.endswith(GROWING)]
    return [at for at in values if isinstance(at, datetime) and at > now]


def _criteria(reasons: Sequence[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(reason["criterion"], reason["level"]) for reason in reasons]


def _text(at: datetime) -> str:
    text: str = msgspec.to_builtins(at)
    return text
