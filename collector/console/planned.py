"""What a pinned plan says of a step: its words and the form a person fills."""

from typing import Any

from msgspec import Struct

from ..store.views import RunPlan, StepRow


class Planned(Struct, frozen=True, kw_only=True):
    """A step's words, each `{zh, en}`, and its form: field name to `{title, type, required, choices}`."""

    title: Any
    text: Any
    form: dict[str, dict[str, Any]]


def planned(run: RunPlan, step: StepRow) -> Planned:
    """Return what the run's plan says of a step; nothing where it does not know it."""
    steps = run.plan_body.get("steps")
    body = steps.get(step.step) if isinstance(steps, dict) else None
    found: dict[str, Any] = body if isinstance(body, dict) else {}
    form = found.get("form")
    return Planned(
        title=found.get("title"),
        text=found.get("text"),
        form={
            name: {"type": "text", "required": True, "choices": [], **field}
            for name, field in (form if isinstance(form, dict) else {}).items()
            if isinstance(field, dict)
        },
    )
