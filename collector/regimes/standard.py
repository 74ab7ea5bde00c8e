"""The level by GB/T 20986 itself, beside the legal one: importance of the object against loss of business.

    loss of business         especially serious   serious   fairly serious   minor
    especially important     I                    II        III              IV
    important                II                   III       IV               IV
    general                  III                  IV        IV               IV

The grade of social harm is read alone, and the higher of the two counts. The matrix was read in the text of
2007; that the edition of 2023 keeps it was not checked, so the level is not verified. It starts no clock.
"""

from typing import Literal, TypeAlias

from msgspec import Struct

from .case import Level, StandardFacts

NAME = "GB/T 20986-2023"
VERIFIED = False

_LEVELS: tuple[Level, ...] = ("I", "II", "III", "IV")
_OBJECTS = {"especially_important": 0, "important": 1, "general": 2}
_LOSSES = {"especially_serious": 0, "serious": 1, "fairly_serious": 2, "minor": 3}
_HARMS = {"especially_grave": 0, "grave": 1, "fairly_grave": 2, "general": 3}

Missing: TypeAlias = Literal["object_importance", "business_loss", "social_harm"]


class StandardLevel(Struct, frozen=True, kw_only=True):
    """The level by the standard; ``missing`` could raise it."""

    level: Level
    by: str
    verified: bool
    missing: tuple[Missing, ...]


def standard_level(facts: StandardFacts) -> StandardLevel | None:
    """The level by the standard, ``None`` where neither the matrix nor the harm can be read."""
    rows: list[int] = []
    missing: list[Missing] = []
    if facts.object_importance is None:
        missing.append("object_importance")
    if facts.business_loss is None:
        missing.append("business_loss")
    if facts.object_importance is not None and facts.business_loss is not None:
        rows.append(min(3, _OBJECTS[facts.object_importance] + _LOSSES[facts.business_loss]))
    if facts.social_harm is None:
        missing.append("social_harm")
    else:
        rows.append(_HARMS[facts.social_harm])
    if not rows:
        return None
    return StandardLevel(level=_LEVELS[min(rows)], by=NAME, verified=VERIFIED, missing=tuple(missing))
