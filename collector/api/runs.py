"""Runs: executions of emergency plans, and what a person says of a step."""

from typing import Annotated, Any

from msgspec import Meta, Struct

from ..desk.moves import complete_step
from ..store import views
from ..store.desk import RUNS, one, steps_of
from .endpoint import Call, Endpoint, Filter, Listed, Paging, found_or_404, listed


class RunQuery(Paging, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which runs."""

    incident: Filter | None = None
    state: Filter | None = None
    plan: Filter | None = None


class RunFile(views.RunRow, frozen=True, kw_only=True):
    """A run with its steps in the order they became ready."""

    steps: list[views.StepRow]


class StepDone(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person gives back for a step: named values, `{}` where none are asked for."""

    out: dict[Annotated[str, Meta(max_length=100)], Any] = {}


async def _list(call: Call) -> Listed[views.RunRow]:
    return await listed(call, RUNS)


async def _one(call: Call) -> RunFile:
    key = call.path["id"]
    async with call.desk.store.read() as conn:
        run = found_or_404(await one(conn, RUNS, views.RunRow, (key,), units=call.units), f"run {key!r}")
        steps = await steps_of(conn, [key])
    return RunFile(**{name: getattr(run, name) for name in run.__struct_fields__}, steps=steps)


async def _complete(call: Call) -> RunFile:
    await complete_step(
        call.desk, call.principal, call.path["id"], call.path["step"], call.body.out, now=call.now
    )
    return await _one(call)


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/api/v1/runs",
        name="listRuns",
        summary="Executions of plans, newest first",
        handler=_list,
        answer=Listed[views.RunRow],
        query=RunQuery,
    ),
    Endpoint(
        method="GET",
        path="/api/v1/runs/{id}",
        name="getRun",
        summary="One execution with its steps",
        handler=_one,
        answer=RunFile,
        problems=("not-found",),
    ),
    Endpoint(
        method="POST",
        path="/api/v1/runs/{id}/steps/{step:.+}",
        name="completeStep",
        summary="Say that a manual step is done",
        handler=_complete,
        answer=RunFile,
        deed="act",
        body=StepDone,
        problems=("not-found", "conflict"),
    ),
)
