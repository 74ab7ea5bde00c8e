"""Emergency plans as data: what a plan says, how it is read, and what is wrong with one.

Pure: no clock, no I/O. `runs` carries a plan out; `docs/plans.md` says what every step means.
"""

from .conditions import decide, value_of
from .examine import Examined, examine
from .lint import Finding, check
from .load import pin, read_plan, unpin
from .model import Plan, Step, Text
from .truth import Unknown

__all__ = [
    "Examined",
    "Finding",
    "Plan",
    "Step",
    "Text",
    "Unknown",
    "check",
    "decide",
    "examine",
    "pin",
    "read_plan",
    "unpin",
    "value_of",
]
