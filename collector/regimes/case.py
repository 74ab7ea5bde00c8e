"""A described incident, as ``duty explain`` reads it and as casework makes it from its rows.

Everything not given is *not known*: ``None`` here, never false, zero or midnight.
"""

import re
from datetime import datetime, timedelta
from typing import Annotated, ClassVar, Literal, TypeAlias, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Meta, Struct

from .. import yaml_marks
from ..yaml_marks import Mistake, Mistakes
from .regions import Region

T = TypeVar("T")
Level: TypeAlias = Literal["I", "II", "III", "IV"]
UnitKind: TypeAlias = Literal[
    "central_organ",
    "local_government",
    "cii_operator",
    "public_institution",
    "enterprise",
    "cii_protection_department",
    "own_cac_office",
    "provincial_cac",
]
UnitLevel: TypeAlias = Literal["national", "provincial", "prefecture", "district", "township"]
AssetRole: TypeAlias = Literal[
    "portal", "news_site", "platform", "business_system", "network", "data", "product"
]
Zone: TypeAlias = Literal["intranet", "extranet", "private", "internet"]
IncidentKind: TypeAlias = Literal["incident", "vulnerability"]
DataThreat: TypeAlias = Literal["none", "fairly_serious", "serious", "especially_serious"]
ObjectImportance: TypeAlias = Literal["especially_important", "important", "general"]
BusinessLoss: TypeAlias = Literal["especially_serious", "serious", "fairly_serious", "minor"]
SocialHarm: TypeAlias = Literal["especially_grave", "grave", "fairly_grave", "general"]
Count: TypeAlias = Annotated[int, Meta(ge=0)]
Share: TypeAlias = Annotated[float, Meta(ge=0, le=1)]

RECEIVING_BODIES = ("cii_protection_department", "own_cac_office", "provincial_cac")


class CaseErrors(Mistakes):
    """Every mistake of a case; prints one a line as ``FILE:LINE: path: found …, expected …``."""

    columns: ClassVar[bool] = False

    def __str__(self) -> str:
        return "\n".join(mistake.with_line for mistake in self.mistakes)


class Timezone(str):
    """The name of a zone of the IANA database."""

    __slots__ = ()
    yaml_expectation = "a time zone such as Asia/Shanghai"
    _FORM = re.compile(r"[A-Za-z0-9_+\-]+(/[A-Za-z0-9_+\-]+)*")

    @classmethod
    def parse_yaml(cls, text: str) -> "Timezone":
        """Check and keep a name.

        Raises:
            ValueError: the database has no such zone.
        """
        try:
            if cls._FORM.fullmatch(text):
                ZoneInfo(text)
                return cls(text)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            pass
        raise ValueError(cls.yaml_expectation)


class IncidentClass(str):
    """A GB/T 20986-2023 subclass code; the table of them is data (``configs/classes.yaml``)."""

    __slots__ = ()
    yaml_expectation = "a GB/T 20986 class code such as NAWEBMOD"

    @classmethod
    def parse_yaml(cls, text: str) -> "IncidentClass":
        """Check the form of a code.

        Raises:
            ValueError: it is no code.
        """
        if not re.fullmatch(r"[A-Z]{2,16}", text):
            raise ValueError(cls.yaml_expectation)
        return cls(text)


class ObligationId(str):
    """``regime/stage`` or, where a stage is owed to several recipients, ``regime/stage/recipient``."""

    __slots__ = ()
    yaml_expectation = "an obligation such as cn-cac-2025/first or cn-cac-2025/first/police"

    @classmethod
    def parse_yaml(cls, text: str) -> "ObligationId":
        """Check the form of an id.

        Raises:
            ValueError: it is no id.
        """
        if not re.fullmatch(r"[a-z0-9-]+/[a-z0-9_]+(/[a-z0-9_]+)?", text):
            raise ValueError(cls.yaml_expectation)
        return cls(text)


class Unit(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The organisation concerned. ``targets`` are its own targets by ``regime/stage`` (not law)."""

    kind: UnitKind | None = None
    level: UnitLevel | None = None
    region: Region | None = None
    sector: str | None = None
    timezone: Timezone | None = None
    targets: dict[str, timedelta] = {}


class Asset(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The system concerned. ``cii``: critical information infrastructure; ``classified``: 涉密."""

    role: AssetRole | None = None
    mlps_grade: Annotated[int, Meta(ge=1, le=5)] | None = None
    cii: bool | None = None
    zone: Zone | None = None
    classified: bool | None = None


class Times(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What happened when, each with its offset. ``believed``: reasonable belief; ``paid``: a ransom."""

    occurred: datetime | None = None
    detected: datetime | None = None
    aware: datetime | None = None
    graded: datetime | None = None
    believed: datetime | None = None
    received: datetime | None = None
    reported: datetime | None = None
    contained: datetime | None = None
    handled: datetime | None = None
    paid: datetime | None = None
    patch_available: datetime | None = None


class Facts(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is known of the harm. ``X_minutes`` when it is over, ``X_since`` while it goes on."""

    portal_down_minutes: Count | None = None
    portal_down_since: datetime | None = None
    cii_whole_down_minutes: Count | None = None
    cii_whole_down_since: datetime | None = None
    cii_main_down_minutes: Count | None = None
    cii_main_down_since: datetime | None = None
    homepage_tampered_minutes: Count | None = None
    homepage_tampered_since: datetime | None = None
    page_tampered_minutes: Count | None = None
    page_tampered_since: datetime | None = None
    reposts: Count | None = None
    views: Count | None = None
    people_affected: Count | None = None
    personal_records: Count | None = None
    loss_yuan: Count | None = None
    province_population_share: Share | None = None
    prefecture_population_share: Share | None = None
    data_threat: DataThreat | None = None
    ransom_demanded: bool | None = None
    significant: bool | None = None
    relevant: bool | None = None
    major: bool | None = None
    core_function_disrupted: bool | None = None
    personal_data: bool | None = None
    declared_level: Level | None = None
    intermediate_requested: datetime | None = None


class StandardFacts(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What GB/T 20986 grades by, judged by a person; it starts no clock."""

    object_importance: ObjectImportance | None = None
    business_loss: BusinessLoss | None = None
    social_harm: SocialHarm | None = None


class Filing(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A report sent for an obligation. ``complete`` false: items were left open."""

    obligation: ObligationId
    at: datetime
    receipt_at: datetime | None = None
    complete: bool | None = None


class Incident(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"klass": "class"}):
    """What happened. ``klass`` is the GB/T 20986 class."""

    kind: IncidentKind | None = None
    klass: IncidentClass | None = None
    crime_suspected: bool | None = None
    times: Times = Times()
    facts: Facts = Facts()
    standard: StandardFacts = StandardFacts()
    filings: tuple[Filing, ...] = ()


class Case(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One incident with its unit and asset, and which regimes to look at.

    Fields:
        regimes: ids to look at, even if disabled; ``None``: every enabled regime.
        at: "now" of the description, where it gives one.
    """

    unit: Unit = Unit()
    asset: Asset = Asset()
    incident: Incident = Incident()
    regimes: tuple[str, ...] | None = None
    at: datetime | None = None


def read_case(text: str, file: str) -> Case:
    """Read a described incident.

    Args:
        text: YAML in the form of a case.
        file: its name, as it shall stand in mistakes.

    Raises:
        CaseErrors: every mistake of the text.
    """
    try:
        return yaml_marks.load(text, file, Case)
    except Mistakes as error:
        raise CaseErrors(error.mistakes) from None


def check_case(text: str, file: str, stages: dict[str, tuple[str, ...]], classes: frozenset[str]) -> None:
    """Check the names a case uses against what is loaded; ``text`` has been read by ``read_case``.

    Args:
        text: the case.
        file: its name, as it shall stand in mistakes.
        stages: the stages of every loaded regime, by its id.
        classes: every class code; empty where no table is at hand.

    Raises:
        CaseErrors: a regime, stage or class that does not exist.
    """
    root = yaml_marks.read(text, file)
    case = yaml_marks.decode(root, Case)
    mistakes: list[Mistake] = []
    known = ", ".join(sorted(stages))
    for index, name in enumerate(case.regimes or ()):
        if name not in stages:
            mistakes.append(root.mistake(f"regimes[{index}]", repr(name), f"one of {known}"))
    for index, filing in enumerate(case.incident.filings):
        regime, stage = filing.obligation.split("/")[:2]
        path = f"incident.filings[{index}].obligation"
        if regime not in stages:
            mistakes.append(root.mistake(path, f"the regime {regime!r}", f"one of {known}"))
        elif stage not in stages[regime]:
            expected = f"a stage of {regime}: {', '.join(stages[regime])}"
            mistakes.append(root.mistake(path, f"the stage {stage!r}", expected))
    for name in case.unit.targets:
        regime, _, stage = name.partition("/")
        if stage not in stages.get(regime, ()):
            mistakes.append(root.mistake("unit.targets", repr(name), "regime/stage of a loaded regime"))
    code = case.incident.klass
    if classes and code is not None and code not in classes:
        mistakes.append(root.mistake("incident.class", repr(str(code)), IncidentClass.yaml_expectation))
    if mistakes:
        raise CaseErrors(mistakes)


def zone_of(case: Case) -> ZoneInfo | None:
    """The unit's time zone, where it is known."""
    return ZoneInfo(case.unit.timezone) if case.unit.timezone is not None else None


def fields(struct: Struct) -> dict[str, object]:
    """The values of a struct that are known, by field name."""
    pairs = ((name, getattr(struct, name)) for name in struct.__struct_fields__)
    return {name: value for name, value in pairs if value is not None}
