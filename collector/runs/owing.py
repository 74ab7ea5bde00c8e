"""What a unit owes for an incident of a class when nothing but the class is known (pure)."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from ..regimes import Asset, Case, Incident, Regime, Region, Times, Timezone, Unit, explain
from ..regimes.case import IncidentClass
from ..registry import Registry
from ..registry import Unit as Known

_DUE = frozenset({"open", "overdue", "no_number"})


def owed_by_class(
    unit: Known, regimes: Sequence[Regime], codes: Iterable[str], now: datetime
) -> Mapping[str, frozenset[str]]:
    """Return by class the obligations that stand from the first minute, whatever else comes to be known.

    What only a graver level or a fact adds is not among them: a plan may file it, and the step is skipped
    where it is not owed.
    """
    return {code: _owed(unit, regimes, code, now) for code in codes}


def _owed(unit: Known, regimes: Sequence[Regime], code: str, now: datetime) -> frozenset[str]:
    case = Case(
        unit=Unit(
            kind=unit.kind,
            level=unit.level,
            region=Region(unit.region),
            sector=unit.sector,
            timezone=Timezone(unit.timezone),
        ),
        asset=Asset(classified=False),
        incident=Incident(klass=IncidentClass(code), times=Times(aware=now)),
    )
    answer = explain(case, regimes, now)
    applying = {looked.id for looked in answer.regimes if looked.applies is True}
    return frozenset(owed.id for owed in answer.obligations if owed.state in _DUE and owed.regime in applying)


def role_sizes(registry: Registry, unit: str) -> Mapping[str, int]:
    """Return how many people bear each role of a unit; a role without people is absent."""
    borne = {person.role for person in registry.people.values() if person.unit == unit}
    sizes = {role: len(registry.persons(unit, role)) for role in ("duty", "leader", "superior", *borne)}
    return {role: size for role, size in sizes.items() if size}
