"""A law's reporting rules as data: what a file of ``configs/regimes/`` may say (see ``docs/regimes.md``).

Every part that carries a figure or a claim of law carries its ``source`` and whether it was ``verified`` in
the official text.
"""

from datetime import datetime, timedelta
from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Struct

from .calendar import Offset
from .case import Level
from .expression import Condition
from .regions import Region

Id: TypeAlias = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]*$")]
StageId: TypeAlias = Annotated[str, Meta(pattern=r"^[a-z][a-z_]*$")]
Words: TypeAlias = Annotated[str, Meta(min_length=1, max_length=2000)]
Topic: TypeAlias = Literal[
    "unit", "event", "effect", "measures", "ransom", "trend", "cause", "leads", "plans", "scene", "rest"
]
FigureUnit: TypeAlias = Literal["minutes", "records", "people", "share", "yuan", "reposts", "views"]


class Text(Struct, frozen=True, forbid_unknown_fields=True):
    """What people read, in both languages."""

    zh: Words
    en: Words

    def in_language(self, language: str) -> str:
        """The text; anything but zh reads English."""
        return self.zh if language == "zh" else self.en


class Validity(Struct, frozen=True, forbid_unknown_fields=True, rename={"begin": "from"}):
    """When the law is in force: from a time on (included) until another (not included)."""

    begin: datetime | None = None
    until: datetime | None = None

    def covers(self, time: datetime) -> bool:
        """Whether the law is in force at a time."""
        return (self.begin is None or self.begin <= time) and (self.until is None or time < self.until)


class Applicability(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whom the law concerns. ``yields_to``: regimes in whose place it is not owed."""

    when: Condition
    source: Words
    verified: bool
    yields_to: tuple[Id, ...] = ()


class Subject(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose systems a criterion speaks of, named once for several criteria."""

    when: Condition
    text: Text


class Criterion(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One line of a grading annex.

    Fields:
        subject: name of the ``subjects`` entry that must hold too.
        when: the condition; the name ``figure`` in it is the field below, so that the number stands once.
        figure: the threshold; ``None`` where ``when`` names it: not known, the line is never satisfied
            until an operator fills it in.
    """

    id: Annotated[str, Meta(pattern=r"^[a-z][a-z_]*\.(I|II|III)$")]
    level: Level
    when: Condition
    text: Text
    source: Words
    verified: bool
    subject: str | None = None
    figure: int | float | None = None
    unit: FigureUnit | None = None


class Limit(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A second limit of a stage: not later than ``limit`` after ``anchor``."""

    anchor: str
    limit: Offset


class Route(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One way a stage is owed; what it leaves out is the stage's."""

    when: Condition | None = None
    recipients: tuple[StageId, ...] = ()
    anchor: str | None = None
    limit: Offset | None = None
    source: Words | None = None
    verified: bool | None = None


class Item(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One item of a report.

    Fields:
        may_follow: it may be left open at first and follow in a supplement.
        about: what the collector fills it with; empty: a person has to write it.
    """

    zh: Words
    en: Words
    may_follow: bool = False
    about: tuple[Topic, ...] = ()


class Content(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a report has to say."""

    items: tuple[Item, ...]
    source: Words
    verified: bool


class HouseTarget(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A unit's own target where the law gives no number. It is not law; a unit's settings replace it."""

    limit: timedelta
    text: Text


class Stage(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One report owed.

    Fields:
        when: who owes it at all; absent: everybody whom the regime concerns.
        anchor: what the limit runs from: a name of ``times``, ``intermediate_requested`` or ``filed:STAGE``.
        limit: ``None``: the law gives no number ("promptly").
        ceiling: not later than this; it alone counts while the anchor has not come, and no more once the
            anchor itself lies after it (DORA Art. 19).
        after_open_items: begins only when the filing it runs from left items open.
        recipients_of: has the recipients of that stage.
        routes: alternatives; every one whose condition holds is owed. Where none is known to hold, the
            strictest of those that may.
    """

    id: StageId
    name: Text
    source: Words
    verified: bool
    content: Content
    anchor: str = "aware"
    when: Condition | None = None
    recipients: tuple[StageId, ...] = ()
    recipients_of: StageId | None = None
    limit: Offset | None = None
    ceiling: Limit | None = None
    after_open_items: bool = False
    routes: tuple[Route, ...] = (Route(),)
    house_target: HouseTarget | None = None


class Regime(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A law's reporting rules. ``calendar``: whose working days count; absent: those where the unit is."""

    id: Id
    name: Text
    source: Words
    applies: Applicability
    stages: Annotated[tuple[Stage, ...], Meta(min_length=1)]
    in_force: Validity = Validity()
    enabled: bool = True
    note: Text | None = None
    calendar: Region | None = None
    subjects: dict[str, Subject] = {}
    criteria: tuple[Criterion, ...] = ()

    def stage(self, name: str) -> Stage | None:
        """The stage of an id."""
        return next((stage for stage in self.stages if stage.id == name), None)

    @property
    def counts_workdays(self) -> bool:
        """Whether any limit of it is in working days."""
        limits = [route.limit for stage in self.stages for route in stage.routes]
        limits += [stage.limit for stage in self.stages]
        limits += [stage.ceiling.limit for stage in self.stages if stage.ceiling is not None]
        return any(limit is not None and limit.workdays > 0 for limit in limits)
