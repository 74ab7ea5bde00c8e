"""Law as data: a described incident and a set of regimes to its level and every report owed. Pure.

case ──> terms known at "now" ──> criteria ──> level, reasons, could_rise, next_level
                  │                              │
                  └──────────────> regimes ──────┴──> who applies ──> stages ──> obligations with due times
"""

from .calendar import Calendars, Offset, Workdays
from .case import (
    Asset,
    Case,
    CaseErrors,
    Facts,
    Filing,
    Incident,
    Level,
    StandardFacts,
    Times,
    Timezone,
    Unit,
    check_case,
    read_case,
)
from .explain import GRADED_BY, Answer, Looked, NextLevel, Obligation, Reason, explain
from .load import RegimeErrors, load_regimes, read_regime
from .model import Content, Criterion, Item, Regime, Stage
from .obligations import State
from .regions import Region

__all__ = [
    "GRADED_BY",
    "Answer",
    "Asset",
    "Calendars",
    "Case",
    "CaseErrors",
    "Content",
    "Criterion",
    "Facts",
    "Filing",
    "Incident",
    "Item",
    "Level",
    "Looked",
    "NextLevel",
    "Obligation",
    "Offset",
    "Reason",
    "Regime",
    "RegimeErrors",
    "Region",
    "Stage",
    "StandardFacts",
    "State",
    "Times",
    "Timezone",
    "Unit",
    "Workdays",
    "check_case",
    "explain",
    "load_regimes",
    "read_case",
    "read_regime",
]
