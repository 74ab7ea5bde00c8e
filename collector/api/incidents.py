"""Incidents: lists, one with its clocks, and the moves a person makes on it."""

from typing import Annotated, Any

from msgspec import Meta, Struct

from wire.vocabulary import Level

from ..desk.correcting import correct_incident
from ..desk.moves import Target, confirm, move_incident
from ..store import views
from ..store.desk import INCIDENTS, OBLIGATIONS, one, page
from .endpoint import Call, Endpoint, Filter, Listed, Paging, found_or_404, listed


class IncidentQuery(Paging, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which incidents."""

    unit: Filter | None = None
    state: Filter | None = None
    level: Filter | None = None
    klass: Filter | None = None
    asset: Filter | None = None
    node: Filter | None = None


class IncidentWithClocks(views.IncidentFile, frozen=True, kw_only=True):
    """An incident with the reports it owes."""

    obligations: list[views.ObligationRow]


class Transition(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A move to another state; closing wants a reason."""

    to: Target
    reason: Annotated[str, Meta(max_length=2000)] = ""


class Confirmation(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A person's word: that the proposed level holds, or that a clock in doubt was missed; one of both."""

    level: Level | None = None
    clock: Annotated[str, Meta(max_length=200)] | None = None
    reason: Annotated[str, Meta(max_length=2000)] = ""


class Correction(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A person's word: facts and times that are otherwise. Null takes one away.

    Fields:
        facts: Names of `duty explain`, `crime_suspected` and `kind` among them.
        times: Names of `duty explain`, ISO 8601 with offset.
        reason: Why; it stands in the journal.
    """

    facts: Annotated[dict[str, Any], Meta(max_length=64)] = {}
    times: Annotated[dict[str, str | None], Meta(max_length=32)] = {}
    reason: Annotated[str, Meta(max_length=2000)]


async def _list(call: Call) -> Listed[views.IncidentRow]:
    return await listed(call, INCIDENTS, names={"class": "klass"})


async def _one(call: Call) -> IncidentWithClocks:
    key = call.path["id"]
    async with call.desk.store.read() as conn:
        row = await one(conn, INCIDENTS, views.IncidentFile, (key,), units=call.units)
        incident = found_or_404(row, f"incident {key!r}")
        clocks = await page(conn, OBLIGATIONS, where=[("incident", key)], limit=500)
    return IncidentWithClocks(
        **{name: getattr(incident, name) for name in incident.__struct_fields__}, obligations=clocks.items
    )


async def _transition(call: Call) -> IncidentWithClocks:
    await move_incident(
        call.desk, call.principal, call.path["id"], call.body.to, call.body.reason, now=call.now
    )
    return await _one(call)


async def _confirm(call: Call) -> IncidentWithClocks:
    said: Confirmation = call.body
    await confirm(
        call.desk,
        call.principal,
        call.path["id"],
        level=said.level,
        clock=said.clock,
        reason=said.reason,
        now=call.now,
    )
    return await _one(call)


async def _correct(call: Call) -> IncidentWithClocks:
    said: Correction = call.body
    await correct_incident(
        call.desk,
        call.principal,
        call.path["id"],
        facts=said.facts,
        times=said.times,
        reason=said.reason,
        now=call.now,
    )
    return await _one(call)


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/api/v1/incidents",
        name="listIncidents",
        summary="Incidents, newest first",
        handler=_list,
        answer=Listed[views.IncidentRow],
        query=IncidentQuery,
    ),
    Endpoint(
        method="GET",
        path="/api/v1/incidents/{id}",
        name="getIncident",
        summary="One incident with its obligations",
        handler=_one,
        answer=IncidentWithClocks,
        problems=("not-found",),
    ),
    Endpoint(
        method="POST",
        path="/api/v1/incidents/{id}/transitions",
        name="moveIncident",
        summary="Acknowledge, contain, handle or close an incident",
        handler=_transition,
        answer=IncidentWithClocks,
        deed="act",
        body=Transition,
        problems=("not-found", "conflict"),
    ),
    Endpoint(
        method="POST",
        path="/api/v1/incidents/{id}/confirmations",
        name="confirmIncident",
        summary="Confirm a proposed level, or that a clock in doubt was missed",
        handler=_confirm,
        answer=IncidentWithClocks,
        deed="act",
        body=Confirmation,
        problems=("not-found", "conflict"),
    ),
    Endpoint(
        method="POST",
        path="/api/v1/incidents/{id}/corrections",
        name="correctIncident",
        summary="Correct facts and times of an incident by a person's word: its level and clocks follow",
        handler=_correct,
        answer=IncidentWithClocks,
        deed="act",
        body=Correction,
        problems=("not-found", "conflict"),
    ),
)
