"""Which plan an incident calls for (pure)."""

from collections.abc import Iterable, Mapping

from ..plans import Plan


def choose(
    plans: Mapping[str, Plan],
    *,
    klass: str,
    level: str | None,
    asset_role: str | None,
    hint: str | None,
) -> Plan | None:
    """Return the plan that was asked for, else the most particular one that covers the incident.

    Args:
        plans: Plans by id.
        klass: GB/T 20986 class.
        level: None counts as IV, the least.
        asset_role: Role of the asset, where there is one.
        hint: Plan that a stage asked for; one that is not there is passed over.
    """
    if hint is not None and hint in plans:
        return plans[hint]
    fitting = [plan for plan in plans.values() if _covers(plan, klass, level or "IV", asset_role)]
    return min(fitting, key=_breadth, default=None)


def choose_for_warning(plans: Iterable[Plan], *, colour: str, klass: str) -> Plan | None:
    """Return the narrowest plan that a warning of this colour and class starts."""
    fitting = [plan for plan in plans if colour in plan.warnings and klass in plan.classes]
    return min(fitting, key=_breadth, default=None)


def _covers(plan: Plan, klass: str, level: str, asset_role: str | None) -> bool:
    return (
        klass in plan.classes
        and level in plan.levels
        and (not plan.asset_roles or asset_role in plan.asset_roles)
    )


def _breadth(plan: Plan) -> tuple[bool, int, int, str]:
    """How much else a plan is for: the narrowest is meant most; the id makes it one answer everywhere."""
    return not plan.asset_roles, len(plan.levels), len(plan.classes), plan.id


def covered(plans: Iterable[Plan]) -> frozenset[str]:
    """Return the classes for which there is a plan."""
    return frozenset(code for plan in plans for code in plan.classes)
