"""Whom a role means at a moment: rosters where a unit has one, bodies by who speaks to them (pure)."""

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct

from ..registry import Person, Registry
from .matter import BODIES
from .rota import Roster


class OnDuty(Struct, frozen=True, kw_only=True):
    """The register as it answers at one moment; a `Directory`.

    Fields:
        rosters: By unit; a unit without one has its plain `duty` list.
        at: The moment.
    """

    registry: Registry
    rosters: Mapping[str, Roster]
    at: datetime

    def persons(self, unit: str, role: str, /) -> tuple[Person, ...]:
        """Return whom a role means for a unit now, in the order they are woken.

        A body is reached through the people who bear its name as their role, in the unit or else in the
        nearest unit above that has any. The informatization authority without such people is the unit above
        the superior, or the superior where it is the top.
        """
        if role == "duty" and unit in self.rosters:
            keys = self.rosters[unit].on_duty(self.at)
            return tuple(person for key in keys if (person := self.registry.person(key)))
        if role == "superior":
            above = self.registry.superior_of(unit)
            return self.persons(above.id, "duty") if above else ()
        if role in BODIES:
            return self._speakers(unit, role)
        return self.registry.persons(unit, role)

    def _speakers(self, unit: str, body: str) -> tuple[Person, ...]:
        line = list(self.registry.line(unit))
        for step in line:
            if found := self.registry.persons(step.id, body):
                return found
        if body == "informatization" and len(line) > 1:
            return self.persons(line[min(2, len(line) - 1)].id, "duty")
        return ()
