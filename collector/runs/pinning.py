"""The pinned form of each plan, made once a content."""

from collections.abc import Mapping
from typing import Any

from ..plans import Plan, pin


class Pins:
    """Remembers what `pin` made of the plans in force; a reload brings new plans and so new pins."""

    def __init__(self) -> None:
        self._plans: Mapping[str, Plan] = {}
        self._pins: dict[str, tuple[dict[str, Any], str]] = {}

    def of(self, plan: Plan, plans: Mapping[str, Plan]) -> tuple[dict[str, Any], str]:
        """Return a plan's pinned content and its SHA-256, with the plans it calls put in."""
        if plans != self._plans:
            self._plans, self._pins = plans, {}
        if plan.id not in self._pins:
            self._pins[plan.id] = pin(plan, plans)
        return self._pins[plan.id]
