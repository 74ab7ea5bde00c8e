"""What a pinned plan says of a step: its words and the form a person fills."""

from typing import Any

from msgspec import Struct

from ..store.views import RunPlan, StepRow


class Planned(Struct, frozen=True, kw_only=True):
    """What a reader sees of a step.

    Fields:
        title, text: Each `{zh, en}`.
        form: Field name to `{title, type, required, choices}`.
        command: The text of a foreign command that a person carries out.
        choices: What a branching step that could not decide by itself asks a person.
    """

    kind: str
    title: Any
    text: Any
    form: dict[str, dict[str, Any]]
    choices: list[str]
    command: str = ""

    @property
    def asks(self) -> bool:
        """Whether the step waits for a person's word."""
        return self.kind in {"manual", "approve"} or bool(self.choices)


def ordered(run: RunPlan, steps: list[StepRow]) -> list[StepRow]:
    """Return a run's visits in the order in which the plan writes its steps, without its ends."""
    written = list(run.plan_body.get("steps") or {})
    places = {name: place for place, name in enumerate(written)}
    own = [step for step in steps if step.run == run.id and step.kind not in {"start", "end"}]
    return sorted(own, key=lambda step: (places.get(step.step, len(written)), step.visit))


def planned(run: RunPlan, step: StepRow) -> Planned:
    """Return what the run's plan says of a step; nothing where it does not know it."""
    steps = run.plan_body.get("steps")
    body = steps.get(step.step) if isinstance(steps, dict) else None
    found: dict[str, Any] = body if isinstance(body, dict) else {}
    form = found.get("form")
    choices = step.out.get("choices") if isinstance(step.out, dict) else None
    return Planned(
        kind=step.kind,
        choices=[str(choice) for choice in choices] if isinstance(choices, list) else [],
        title=found.get("title"),
        text=found.get("text"),
        command=str(found.get("command") or ""),
        form={
            name: {"type": "text", "required": True, "choices": {}, **field}
            for name, field in (form if isinstance(form, dict) else {}).items()
            if isinstance(field, dict)
        },
    )
