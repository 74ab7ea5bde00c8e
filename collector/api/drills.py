"""Drills: the year's plan, what was held and how it scored, and those that collectors below want us in."""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from ..desk.drills import (
    Deed,
    Kinds,
    Shown,
    Wanted,
    act_on_drill,
    decide_drill,
    drill_proof,
    list_announced,
    list_drills,
    plan_drill,
    read_drill,
    report_drill,
)
from ..drills import Form, Kind, Proof, Scope
from ..store.drills import Announced, Drill
from .endpoint import Call, Endpoint, File, Filter

_Text = Annotated[str, Meta(max_length=200_000)]


class Drills(Struct, frozen=True):
    """Drills, the latest planned first."""

    items: list[Drill]


class Proofs(Struct, frozen=True):
    """What every unit can show of a year."""

    items: list[Proof]


class AnnouncedDrills(Struct, frozen=True):
    """Drills of collectors below, the newest first."""

    items: list[Announced]


class DrillPlanned(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A drill for the plan: with its `script` as YAML, or with names, form, scope and kind alone."""

    unit: Filter
    planned_at: datetime
    units: Annotated[list[Filter], Meta(max_length=200)] = []
    superior: bool = False
    script: _Text = ""
    name: Filter = ""
    name_en: Filter = ""
    form: Form = "live"
    scope: Scope = "unit"
    kind: Kind = "comprehensive"

    def __post_init__(self) -> None:
        """Refuse a time without an offset."""
        if self.planned_at.tzinfo is None:
            raise ValueError("planned_at to be a time with offset")


class DrillDeed(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to do to a drill.

    Fields:
        text: An event (`inject`) or a script (`write`) as YAML, why (`cancel`), what was learnt (`lessons`).
    """

    deed: Deed
    text: _Text = ""


class DrillDecision(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether this side is in the drill."""

    state: Literal["accepted", "declined"]


class Year(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which year; absent: this one."""

    year: Annotated[int, Meta(ge=2000, le=2200)] | None = None


class Spoken(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """In which language."""

    language: Literal["zh", "en"] = "zh"


async def _list(call: Call) -> Drills:
    return Drills(await list_drills(call.desk, call.principal))


async def _one(call: Call) -> Shown:
    return await read_drill(call.desk, call.principal, call.path["id"], call.now)


async def _plan(call: Call) -> Drill:
    body: DrillPlanned = call.body
    wanted = Wanted(**{name: getattr(body, name) for name in Wanted.__struct_fields__})
    return await plan_drill(call.desk, call.principal, wanted, call.now)


async def _act(call: Call) -> Shown:
    body: DrillDeed = call.body
    await act_on_drill(call.desk, call.principal, call.path["id"], body.deed, body.text, now=call.now)
    return await _one(call)


async def _proof(call: Call) -> Proofs:
    return Proofs(await drill_proof(call.desk, call.principal, call.query.year or call.now.year, call.now))


async def _announced(call: Call) -> AnnouncedDrills:
    return AnnouncedDrills(await list_announced(call.desk, call.principal))


async def _decide(call: Call) -> Announced:
    return await decide_drill(call.desk, call.principal, call.path["id"], call.body.state, now=call.now)


async def _report(call: Call) -> File:
    kind: Kinds = call.path["kind"]  # type: ignore[assignment]  # the renderer refuses any other
    name, media, body = await report_drill(
        call.desk, call.principal, call.path["id"], kind, call.query.language, now=call.now
    )
    return File(name=name, media_type=media, body=body)


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/api/v1/drills",
        name="getDrills",
        summary="The plan of drills and what was held, the latest planned first",
        handler=_list,
        answer=Drills,
    ),
    Endpoint(
        method="POST",
        path="/api/v1/drills",
        name="planDrill",
        summary="Put a drill into the plan",
        handler=_plan,
        answer=Drill,
        deed="act",
        body=DrillPlanned,
        problems=("not-found",),
    ),
    Endpoint(
        method="GET",
        path="/api/v1/drills/{id}",
        name="getDrill",
        summary="A drill with its score so far and what happened",
        handler=_one,
        answer=Shown,
        problems=("not-found",),
    ),
    Endpoint(
        method="POST",
        path="/api/v1/drills/{id}/deeds",
        name="actOnDrill",
        summary="Start, direct, end or cancel a drill, write its script or its lessons",
        handler=_act,
        answer=Shown,
        deed="act",
        body=DrillDeed,
        problems=("not-found", "conflict"),
    ),
    Endpoint(
        method="GET",
        path="/api/v1/drills/{id}/report/{kind}",
        name="getDrillReport",
        summary="The after-action report as docx, pdf or json",
        handler=_report,
        answer=File,
        media="application/octet-stream",
        query=Spoken,
        problems=("not-found", "conflict"),
    ),
    Endpoint(
        method="GET",
        path="/api/v1/drill-proof",
        name="getDrillProof",
        summary="What every unit can show of a year's drills, and what it lacks",
        handler=_proof,
        answer=Proofs,
        query=Year,
    ),
    Endpoint(
        method="GET",
        path="/api/v1/announced-drills",
        name="getAnnouncedDrills",
        summary="Drills of collectors below in which this side is wanted",
        handler=_announced,
        answer=AnnouncedDrills,
    ),
    Endpoint(
        method="POST",
        path="/api/v1/announced-drills/{id}/decision",
        name="decideDrill",
        summary="Say whether this side is in a drill of a collector below",
        handler=_decide,
        answer=Announced,
        deed="act",
        body=DrillDecision,
        problems=("not-found",),
    ),
)
