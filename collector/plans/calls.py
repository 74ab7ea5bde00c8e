"""Plans that call plans: who is reached, and circles among them (pure)."""

from collections.abc import Iterator, Mapping

from .model import Plan, PlaybookAction


def called_by(plan: Plan) -> Iterator[tuple[str, str]]:
    """Yield each calling step with the id of the plan that it calls."""
    for name, step in plan.steps.items():
        if isinstance(step, PlaybookAction) and step.first is None:
            yield name, step.plan


def circles(plan: Plan, plans: Mapping[str, Plan]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each step by which a plan comes to call itself, with the plans on the way back to it."""
    for name, called in called_by(plan):
        way = _way(called, plan.id, {**plans, plan.id: plan})
        if way is not None:
            yield name, (plan.id, *way)


def _way(start: str, goal: str, plans: Mapping[str, Plan]) -> tuple[str, ...] | None:
    ways: dict[str, tuple[str, ...]] = {start: (start,)}
    ahead = [start]
    while ahead:
        here = ahead.pop(0)
        if here == goal:
            return ways[here]
        for _, following in called_by(plans[here]) if here in plans else ():
            if following not in ways:
                ways[following] = (*ways[here], following)
                ahead.append(following)
    return None
