"""The year's proof: one comprehensive drill a year, and next year's plan by December (GB/T 38645; pure).

Both are what the standard suggests and the national plan asks of provinces and departments: findings, no law
of a clock. A unit is found lacking as soon as it cannot be well any more without somebody planning a drill:
none was held this year, and none is planned for the rest of it.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from msgspec import Struct

from .model import Form, Kind, State

DECEMBER = 12
Lack = Literal["no_drill", "no_comprehensive", "no_plan_next_year"]
LACKS: dict[Lack, tuple[str, str]] = {
    "no_drill": (
        "本年度尚未开展演练,也没有已计划的演练",
        "no drill was held this year, and none is planned for the rest of it",
    ),
    "no_comprehensive": (
        "本年度没有综合演练(已开展或已计划)",
        "no comprehensive drill was held or is planned this year",
    ),
    "no_plan_next_year": (
        "12 月了,下一年度演练计划尚未制定",
        "it is December, and next year has no plan of drills",
    ),
}


class Held(Struct, frozen=True, kw_only=True):
    """A drill as the proof sees it."""

    id: str
    units: tuple[str, ...]
    name: str
    name_en: str
    form: Form
    kind: Kind
    state: State
    planned_at: datetime
    ended_at: datetime | None
    points: int | None


class Proof(Struct, frozen=True, kw_only=True):
    """What a unit can show of a year.

    Fields:
        held: Drills that were carried through, the latest last.
        planned: Those that are still to come this year.
        lacks: Keys of `LACKS`.
    """

    unit: str
    year: int
    held: list[Held]
    planned: list[Held]
    lacks: list[Lack]

    @property
    def ok(self) -> bool:
        """Whether the year's drill is proved."""
        return bool(self.held)


def prove(units: Sequence[tuple[str, str]], drills: Iterable[Held], year: int, now: datetime) -> list[Proof]:
    """Return each unit's proof of a year.

    Args:
        units: Keys with their time zones: a year is the unit's own.
        drills: All that are known.
        year: Which one.
        now: The time.
    """
    known = list(drills)
    return [_of_unit(unit, ZoneInfo(zone), known, year, now) for unit, zone in units]


def _of_unit(unit: str, zone: ZoneInfo, drills: Sequence[Held], year: int, now: datetime) -> Proof:
    own = [one for one in drills if unit in one.units]
    held = [one for one in own if one.state == "done" and _year(one.ended_at or one.planned_at, zone) == year]
    planned = [
        one for one in own if one.state in {"planned", "running"} and _year(one.planned_at, zone) == year
    ]
    next_year = [one for one in own if one.state == "planned" and _year(one.planned_at, zone) == year + 1]
    today = now.astimezone(zone)
    ahead = planned if today.year <= year else []
    lacks: list[Lack] = []
    if not held and not ahead:
        lacks.append("no_drill")
    elif not any(one.kind == "comprehensive" for one in (*held, *ahead)):
        lacks.append("no_comprehensive")
    if today.year == year and today.month == DECEMBER and not next_year:
        lacks.append("no_plan_next_year")
    held.sort(key=lambda one: one.ended_at or one.planned_at)
    return Proof(unit=unit, year=year, held=held, planned=planned, lacks=lacks)


def _year(at: datetime, zone: ZoneInfo) -> int:
    return at.astimezone(zone).year
