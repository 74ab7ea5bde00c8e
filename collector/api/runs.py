"""Runs: executions of emergency plans, and what a person says of a step."""

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from ..desk.moves import act_on_run, complete_step, start_by_warning, start_run
from ..desk.problem import ProblemError
from ..plans import unpin
from ..plans.cacao_status import execution_status
from ..plans.warned import Warned
from ..store import views
from ..store.desk import RUNS, one, steps_of
from .endpoint import Call, Endpoint, Filter, Listed, Paging, found_or_404, listed


class RunQuery(Paging, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which runs."""

    incident: Filter | None = None
    state: Filter | None = None
    plan: Filter | None = None
    unit: Filter | None = None


class RunFile(views.RunRow, frozen=True, kw_only=True):
    """A run with its steps in the order they became ready."""

    steps: list[views.StepRow]


class StepDone(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person gives back for a step: named values, `{}` where none are asked for."""

    out: dict[Annotated[str, Meta(max_length=100)], Any] = {}


class RunBegun(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which plan to start, for an incident or for a unit, and why; or the warning that asks it of a unit."""

    plan: Filter = ""
    reason: Annotated[str, Meta(max_length=2000)] = ""
    incident: Filter | None = None
    unit: Filter | None = None
    warning: Warned | None = None


class RunDeed(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to do to a run: `skip` and `retry` name a step, `level` a level, `pause` may name its end."""

    deed: Literal["pause", "resume", "cancel", "skip", "retry", "level"]
    step: Annotated[str, Meta(max_length=200)] = ""
    level: Literal["I", "II", "III", "IV"] | None = None
    until: datetime | None = None
    reason: Annotated[str, Meta(max_length=2000)] = ""

    def __post_init__(self) -> None:
        """Refuse a time without an offset."""
        if self.until is not None and self.until.tzinfo is None:
            raise ValueError("until to be a time with offset")


async def _list(call: Call) -> Listed[views.RunRow]:
    return await listed(call, RUNS)


async def _one(call: Call) -> RunFile:
    return await _file(call, call.path["id"])


async def _file(call: Call, key: str) -> RunFile:
    async with call.desk.store.read() as conn:
        run = found_or_404(await one(conn, RUNS, views.RunRow, (key,), units=call.units), f"run {key!r}")
        steps = await steps_of(conn, [key])
    return RunFile(**{name: getattr(run, name) for name in run.__struct_fields__}, steps=steps)


class ExecutionStatus(Struct, frozen=True, kw_only=True):
    """How a run stands, in the execution-status form of CACAO tools."""

    type: str
    id: str
    execution_id: str
    playbook_id: str
    started: str
    status: str
    status_text: str
    errors: list[str]
    step_results: dict[str, Any]
    request_interval: int
    ended: str | None = None


async def _status(call: Call) -> ExecutionStatus:
    key = call.path["id"]
    async with call.desk.store.read() as conn:
        run = found_or_404(await one(conn, RUNS, views.RunPlan, (key,), units=call.units), f"run {key!r}")
        steps = await steps_of(conn, [key])
    return ExecutionStatus(**execution_status(run, unpin(run.plan_body), steps))


async def _complete(call: Call) -> RunFile:
    await complete_step(
        call.desk, call.principal, call.path["id"], call.path["step"], call.body.out, now=call.now
    )
    return await _one(call)


async def _start(call: Call) -> RunFile:
    wanted = call.body
    if wanted.warning is not None:
        if wanted.plan or wanted.incident or wanted.unit is None:
            raise ProblemError("malformed", "warning: expected a unit beside it, no plan and no incident")
        key = await start_by_warning(call.desk, call.principal, wanted.warning, wanted.unit, now=call.now)
        return await _file(call, key)
    run = await start_run(
        call.desk,
        call.principal,
        wanted.plan,
        incident=wanted.incident,
        unit=wanted.unit,
        reason=wanted.reason,
        now=call.now,
    )
    return await _file(call, run)


async def _act(call: Call) -> RunFile:
    asked = call.body
    await act_on_run(
        call.desk,
        call.principal,
        call.path["id"],
        asked.deed,
        step=asked.step,
        level=asked.level,
        until=asked.until,
        reason=asked.reason,
        now=call.now,
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
        method="GET",
        path="/api/v1/runs/{id}/status",
        name="getRunStatus",
        summary="One execution in the execution-status form of CACAO tools",
        handler=_status,
        answer=ExecutionStatus,
        problems=("not-found",),
    ),
    Endpoint(
        method="POST",
        path="/api/v1/runs",
        name="startRun",
        summary="Start a plan by hand; one that runs for the incident already is answered as it stands",
        handler=_start,
        answer=RunFile,
        deed="act",
        body=RunBegun,
        problems=("not-found", "conflict"),
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
    Endpoint(
        method="POST",
        path="/api/v1/runs/{id}/deeds",
        name="actOnRun",
        summary="Pause, resume or cancel a run, skip or retry a step, set the response level",
        handler=_act,
        answer=RunFile,
        deed="act",
        body=RunDeed,
        problems=("not-found", "conflict"),
    ),
)
