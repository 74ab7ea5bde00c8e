"""How a run stands, in the execution-status form that CACAO tools exchange (pure).

The form is that of the workflow-status proposal, in which SOARCA's reporter answers: one document for the
run, with the newest visit of every step under its CACAO id. A person's open step awaits user input. What was
skipped or cancelled has no word of its own there; it stands as what came of it, our word in `status_text`.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

from .cacao import identifier, is_identifier
from .cacao_export import cacao_step_id, stamp
from .model import PERSONAL, Plan, Step

REQUEST_INTERVAL = 5
_OF_STEPS = {
    "ready": "ongoing",
    "waiting": "ongoing",
    "done": "successfully_executed",
    "skipped": "successfully_executed",
    "failed": "failed",
    "cancelled": "failed",
}
_OF_RUNS = {
    "running": "ongoing",
    "paused": "ongoing",
    "cancelling": "ongoing",
    "done": "successfully_executed",
    "failed": "failed",
    "cancelled": "failed",
}
_LATE = "not over by its deadline"


class Visit(Protocol):
    """What is told of a visit; rows and views of them alike."""

    @property
    def step(self) -> str:
        """Id of the step."""

    @property
    def visit(self) -> int:
        """Which visit of it."""

    @property
    def state(self) -> str:
        """Its state."""

    @property
    def out(self) -> Any:  # noqa: ANN401 - JSON of a row
        """Its result."""

    @property
    def why(self) -> str | None:
        """Why it failed, was skipped, or asks."""

    @property
    def actor(self) -> str | None:
        """Who ended it."""

    @property
    def ready_at(self) -> datetime:
        """When it began."""

    @property
    def ended_at(self) -> datetime | None:
        """When it ended."""


class Execution(Protocol):
    """What is told of a run."""

    @property
    def id(self) -> str:
        """Its id."""

    @property
    def state(self) -> str:
        """Its state."""

    @property
    def started_at(self) -> datetime:
        """When it began."""

    @property
    def ended_at(self) -> datetime | None:
        """When it ended."""


def execution_status(run: Execution, plan: Plan, visits: Iterable[Visit]) -> dict[str, Any]:
    """Return how a run of a plan stands.

    Args:
        run: The run.
        plan: As pinned.
        visits: Of all its steps; of each the newest is told.
    """
    newest: dict[str, Visit] = {}
    for each in visits:
        if each.step in plan.steps and (each.step not in newest or newest[each.step].visit < each.visit):
            newest[each.step] = each
    results = {cacao_step_id(plan, name): _step(run, plan, name, each) for name, each in newest.items()}
    errors = [told for each in results.values() for told in each["errors"]]
    waits = any(each["status"] == "await_user_input" for each in results.values())
    status = "await_user_input" if waits and run.state == "running" else _OF_RUNS[run.state]
    return {
        "type": "execution-status",
        "id": run.id,
        "execution_id": run.id,
        "playbook_id": plan.id if is_identifier(plan.id) else identifier("playbook", plan.id),
        "started": _time(run.started_at),
        **({"ended": _time(run.ended_at)} if run.ended_at is not None else {}),
        "status": status,
        "status_text": run.state,
        "errors": errors if run.state == "failed" else [],
        "step_results": results,
        "request_interval": REQUEST_INTERVAL,
    }


def _step(run: Execution, plan: Plan, name: str, visit: Visit) -> dict[str, Any]:
    step = plan.steps[name]
    failed = visit.state == "failed"
    return {
        "execution_id": run.id,
        "step_id": cacao_step_id(plan, name),
        "name": step.title.zh,
        "started": _time(visit.ready_at),
        **({"ended": _time(visit.ended_at)} if visit.ended_at is not None else {}),
        "status": _status(step, visit),
        "status_text": f"{visit.state}: {visit.why}" if visit.why else visit.state,
        "errors": [visit.why or "no reason given"] if failed else [],
        **({"executed_by": visit.actor} if visit.actor else {}),
        "automated_execution": not isinstance(step, PERSONAL),
        "variables": _variables(plan, step, visit.out),
    }


def _status(step: Step, visit: Visit) -> str:
    asks = isinstance(step, PERSONAL) or bool(_mapping(visit.out).get("choices"))
    if visit.state == "waiting" and asks:
        return "await_user_input"
    if visit.state == "failed" and (visit.why or "").startswith(_LATE):
        return "timeout_error"
    return _OF_STEPS[visit.state]


def _variables(plan: Plan, step: Step, out: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON of a row
    given = _mapping(out)
    return {
        f"__{name}__": {
            "type": "string",
            "name": f"__{name}__",
            "value": str(given[field]),
            "constant": name in plan.variables and plan.variables[name].constant,
        }
        for name, field in step.out.items()
        if field in given
    }


def _mapping(out: Any) -> Mapping[str, Any]:  # noqa: ANN401 - JSON of a row
    return out if isinstance(out, Mapping) else {}


def _time(at: datetime) -> str:
    return stamp(at.astimezone(UTC))
