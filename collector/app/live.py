"""What a reload swaps: the world that flows ask for at every use, never keep."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from wire.program import Rule

from ..classes import Classes
from ..escalation import Directory, OnDuty, Policy, Roster
from ..plans import Plan
from ..regimes import Calendars, Regime
from ..registry import Registry
from ..settings import Settings
from ..workdays import CalendarFile, counted
from ..world import World, load_world
from ..yaml_marks import Mistake

KEPT = ("unit", "state_dir", "database", "listen")
"""Settings that hold until the next start: what is open stays open."""


class Live:
    """The world in use. Its methods are handed to flows as callables."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._working_days: Callable[[], Calendars] = Calendars

    def count_by(self, working_days: Callable[[], Calendars]) -> None:
        """Let rosters that name a calendar go by these working days from now on."""
        self._working_days = working_days

    def reload(self, file: str, environment: Mapping[str, str]) -> list[str]:
        """Read the files anew and use them, or keep what is in use.

        Returns:
            Names of changed settings that only a new start takes up.

        Raises:
            Mistakes: every mistake of every file; the old world stays in use.
            PermanentError: a file can't be read; the old world stays in use.
        """
        new = load_world(file, environment)
        old, self._world = self._world, new
        return [name for name in KEPT if getattr(old.settings, name) != getattr(new.settings, name)]

    def settings(self) -> Settings:
        """The settings in use."""
        return self._world.settings

    def registry(self) -> Registry:
        """The register in use."""
        return self._world.registry

    def classes(self) -> Classes:
        """The table of incident classes."""
        return self._world.classes

    def regimes(self) -> Sequence[Regime]:
        """The regimes in use."""
        return self._world.regimes

    def plans(self) -> Mapping[str, Plan]:
        """The plans in use by id."""
        return self._world.plans

    def left_out(self) -> Sequence[Mistake]:
        """What keeps plans from being in use."""
        return self._world.left_out

    def rules(self) -> Sequence[Rule]:
        """The rules that nodes evaluate."""
        return self._world.rules

    def refused(self) -> Sequence[Mistake]:
        """Rules that no node can evaluate, and why."""
        return self._world.refused

    def policy(self) -> Policy:
        """The escalation policy in use."""
        return self._world.policy

    def rosters(self) -> Mapping[str, Roster]:
        """The duty rosters in use by unit, by the working days in force."""
        return counted(self._world.rosters, self._working_days())

    def regions(self) -> set[str]:
        """Whose working days are asked for: where units are, and the calendars of rosters."""
        named = {roster.calendar for roster in self._world.rosters.values() if roster.calendar}
        return named | {unit.region for unit in self._world.registry.units.values()}

    def calendars(self) -> Sequence[CalendarFile]:
        """The operator's own years of working days."""
        return self._world.calendars

    def directory(self, at: datetime) -> Directory:
        """Whom roles mean at a moment: by the rosters where a unit has one, else by the register."""
        return OnDuty(registry=self.registry(), rosters=self.rosters(), at=at)

    def asset_role(self, asset: str) -> str | None:
        """The role of an asset, if the register has it."""
        found = self.registry().asset(asset)
        return found.role if found else None

    def counts(self) -> dict[str, int]:
        """How much there is of everything, for the journal."""
        world = self._world
        return {
            "units": len(world.registry.units),
            "assets": len(world.registry.assets),
            "exits": len(world.registry.exits),
            "regimes": len(world.regimes),
            "plans": len(world.plans),
            "plans_left_out": len({mistake.file for mistake in world.left_out}),
            "rules": len(world.rules),
            "rules_refused": len(world.refused),
            "rosters": len(world.rosters),
        }
