"""An incident's row, its unit and asset, and its filings as the case that `regimes.explain` judges (pure)."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, TypeVar, get_args

import msgspec
from msgspec.structs import fields

from .. import registry
from ..regimes import Asset, Case, Facts, Filing, Region, StandardFacts, Times, Timezone, Unit
from ..regimes import Incident as CaseIncident
from ..regimes.case import IncidentClass, IncidentKind, ObligationId
from ..store.clocks import Clock
from ..store.incidents import Incident
from ..store.proofs import Proof

Form = TypeVar("Form", Facts, StandardFacts, Times)
GROWING = "_since"


def case_of(
    incident: Incident, known: registry.Registry, proofs: Iterable[Proof], names: Mapping[str, str]
) -> Case:
    """Return the case as it stands.

    Args:
        incident: The row.
        known: The register of units and assets.
        proofs: The incident's filings.
        names: Obligation id of each clock, as the answer names it.
    """
    return Case(
        unit=_unit(known.unit(incident.unit)),
        asset=_asset(known.asset(incident.asset)),
        incident=CaseIncident(
            kind=_kind(incident.facts.get("kind")),
            klass=IncidentClass(incident.klass),
            crime_suspected=_flag(incident.facts.get("crime_suspected")),
            times=read_form(incident.times, Times),
            facts=read_form(incident.facts, Facts),
            standard=read_form(incident.facts, StandardFacts),
            filings=tuple(
                Filing(
                    obligation=ObligationId(names[proof.clock]),
                    at=proof.at,
                    receipt_at=proof.receipt_at,
                    complete=proof.complete,
                )
                for proof in proofs
                if proof.clock in names
            ),
        ),
    )


def key_of(clock: Clock) -> tuple[str, str, str]:
    """Return what stays of an obligation when its id gains or loses the recipient."""
    return (clock.regime, clock.stage, clock.recipient)


def read_form(values: Mapping[str, Any], form: type[Form]) -> Form:
    """Return the values a form knows and can read; what it cannot read is *not known*, never a guess."""
    read: dict[str, Any] = {}
    for field in fields(form):
        try:
            value = msgspec.convert(values.get(field.name), field.type)
        except msgspec.ValidationError:
            continue
        if not (isinstance(value, datetime) and value.tzinfo is None):
            read[field.name] = value
    return form(**read)


def unreadable(values: Mapping[str, Any]) -> list[str]:
    """Return the names of facts that no regime can read: unknown ones and those of the wrong kind."""
    read = read_form(values, Facts), read_form(values, StandardFacts)
    return [
        name
        for name, value in values.items()
        if name not in {"crime_suspected", "kind"}
        and value is not None
        and all(getattr(form, name, None) is None for form in read)
    ]


def ended(facts: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """Return the facts of a matter that is over: what went on since a time has lasted its whole minutes.

    >>> from datetime import UTC
    >>> ended({"page_tampered_since": "2026-03-02T09:00:00Z"}, datetime(2026, 3, 2, 9, 31, 30, tzinfo=UTC))
    {'page_tampered_minutes': 31}
    """
    over = dict(facts)
    read = read_form(facts, Facts)
    for name in [name for name in facts if name.endswith(GROWING)]:
        since = getattr(read, name, None)
        if isinstance(since, datetime):
            total = name.removesuffix(GROWING) + "_minutes"
            lasted = max(0, int((now - since).total_seconds() // 60))
            over[total] = max(lasted, getattr(read, total, None) or 0)
            del over[name]
    return over


def _kind(value: object) -> IncidentKind | None:
    return next((kind for kind in get_args(IncidentKind) if kind == value), None)


def _unit(unit: registry.Unit | None) -> Unit:
    if unit is None:
        return Unit()
    return Unit(
        kind=unit.kind,
        level=unit.level,
        region=Region(unit.region),
        sector=unit.sector,
        timezone=Timezone(unit.timezone),
        targets=unit.targets,
    )


def _asset(asset: registry.Asset | None) -> Asset:
    if asset is None:
        # The register lists what is classified and what is critical; what it does not list is neither. Left
        # unknown it would keep every Chinese regime from applying, and a clock would not start.
        return Asset(classified=False, cii=False)
    return Asset(
        role=asset.role,
        mlps_grade=asset.mlps_grade,
        cii=asset.cii,
        zone=asset.zone,
        classified=asset.classified,
    )


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None
