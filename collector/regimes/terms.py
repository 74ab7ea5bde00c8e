"""The names a condition may use, what each can be, and their values in a case.

``unit.country``, ``unit.eu`` and ``unit.receives`` are derived; when they are not known, what is missing
is the field they come from. ``facts.X_minutes`` is also known from ``X_since``: then it grows with time.
"""

from __future__ import annotations

import difflib
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple, get_args

from . import case as forms
from .regions import COUNTRIES, EUROPEAN_UNION

if TYPE_CHECKING:
    from .case import Case

FIGURE = "figure"
GROWING = ("portal_down", "cii_whole_down", "cii_main_down", "homepage_tampered", "page_tampered")
_MINUTE = timedelta(minutes=1)


class Term(NamedTuple):
    """A name of a condition: an example of its values, and all of them where they are codes."""

    sample: object
    choices: tuple[str, ...] = ()


def _codes(*choices: str) -> Term:
    return Term(choices[0], choices)


_NUMBERS = ("reposts", "views", "people_affected", "personal_records", "loss_yuan")
_SHARES = ("province_population_share", "prefecture_population_share")
_FLAGS = ("ransom_demanded", "significant", "relevant", "major", "core_function_disrupted", "personal_data")
_LEVELS = get_args(forms.Level)

TERMS: dict[str, Term] = {
    "unit.kind": _codes(*get_args(forms.UnitKind)),
    "unit.level": _codes(*get_args(forms.UnitLevel)),
    "unit.region": Term("CN-12"),
    "unit.country": _codes(*sorted(COUNTRIES)),
    "unit.eu": Term(sample=True),
    "unit.receives": Term(sample=True),
    "unit.sector": Term("government"),
    "asset.role": _codes(*get_args(forms.AssetRole)),
    "asset.mlps_grade": Term(3),
    "asset.cii": Term(sample=True),
    "asset.zone": _codes(*get_args(forms.Zone)),
    "asset.classified": Term(sample=False),
    "incident.kind": _codes(*get_args(forms.IncidentKind)),
    "incident.class": Term("NAWEBMOD"),
    "incident.crime_suspected": Term(sample=False),
    **{f"facts.{name}_minutes": Term(60) for name in GROWING},
    **{f"facts.{name}": Term(1000) for name in _NUMBERS},
    **{f"facts.{name}": Term(0.5) for name in _SHARES},
    **{f"facts.{name}": Term(sample=True) for name in _FLAGS},
    "facts.data_threat": _codes(*get_args(forms.DataThreat)),
    "facts.declared_level": _codes(*_LEVELS),
    "level": _codes(*_LEVELS),
    "known_level": _codes(*_LEVELS),
}
SAMPLES: dict[str, object] = {name: term.sample for name, term in TERMS.items()} | {FIGURE: 60}
_ORIGINS = {"unit.country": "unit.region", "unit.eu": "unit.region", "unit.receives": "unit.kind"}


def nearest(name: str) -> str:
    """A hint at the term that was meant."""
    close = difflib.get_close_matches(name, TERMS, n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""


def values(case: Case, now: datetime) -> dict[str, object]:
    """The terms of a case that are known at ``now``, but for the level."""
    known: dict[str, object] = {f"unit.{name}": value for name, value in forms.fields(case.unit).items()}
    known |= {f"asset.{name}": value for name, value in forms.fields(case.asset).items()}
    incident = case.incident
    known |= {"incident.kind": incident.kind, "incident.class": incident.klass}
    known["incident.crime_suspected"] = incident.crime_suspected
    facts = {f"facts.{name}": value for name, value in forms.fields(incident.facts).items()}
    known |= {name: value for name, value in facts.items() if name in TERMS} | minutes(case, now)
    if (region := case.unit.region) is not None:
        country = region.country
        known |= {"unit.country": country, "unit.eu": country in EUROPEAN_UNION}
    if (kind := case.unit.kind) is not None:
        known["unit.receives"] = kind in forms.RECEIVING_BODIES
    return {name: value for name, value in known.items() if name in TERMS and value is not None}


def minutes(case: Case, now: datetime) -> dict[str, float]:
    """How long each outage or tampering has lasted at ``now``; what begins later has not happened."""
    lasted: dict[str, float] = {}
    for name in GROWING:
        over: int | None = getattr(case.incident.facts, f"{name}_minutes")
        since: datetime | None = getattr(case.incident.facts, f"{name}_since")
        lengths = [] if over is None else [float(over)]
        if since is not None and since <= now:
            lengths.append((now - since) / _MINUTE)
        if lengths:
            lasted[f"facts.{name}_minutes"] = max(lengths)
    return lasted


def origin(name: str) -> str:
    """What a person would have to tell for a term to be known."""
    return _ORIGINS.get(name, name.removesuffix("_minutes"))
