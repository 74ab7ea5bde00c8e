"""A run in memory: its visits, what conditions may name, and what of it is to be written."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from ..plans.model import Plan, Step
from ..store.incidents import Incident
from ..store.runs import Key, Run, StepRow


class Board:
    """A run with its visits in memory: what `transition` moves, and what of it is to be written.

    Attributes:
        incident: What the run is about, as it was when the run was loaded.
        limits: Due times of the incident's obligations, for steps whose deadline hangs on one.
        moves: Visits that ended or came to wait for a person, in their order.
    """

    def __init__(
        self,
        run: Run,
        plan: Plan,
        rows: list[StepRow],
        *,
        incident: Incident | None = None,
        limits: Mapping[str, datetime] | None = None,
    ) -> None:
        self.run = run
        self.plan = plan
        self.rows: dict[Key, StepRow] = {row.key: row for row in rows}
        self.limits = limits or {}
        self.incident = incident
        self._as_read = dict(self.rows)
        self._visits: dict[str, int] = {}
        self.moves: list[StepRow] = []
        for row in rows:
            self._visits[row.step] = max(row.visit, self._visits.get(row.step, 0))

    @property
    def scope(self) -> dict[str, Any]:
        """What a condition or a text may name now."""
        run = {"id": self.run.id, "plan": self.run.plan, "drill": self.run.drill}
        told = _told(self.incident) if self.incident is not None else {}
        return {"incident": told, "vars": self.run.variables, "run": run}

    @property
    def new(self) -> list[StepRow]:
        """Visits that are not in the database yet."""
        return [row for key, row in self.rows.items() if key not in self._as_read]

    @property
    def changed(self) -> list[StepRow]:
        """Visits that differ from what the database has."""
        return [
            row for key, row in self.rows.items() if key in self._as_read and row is not self._as_read[key]
        ]

    def visits(self, step: str) -> int:
        """Return how often a step was opened."""
        return self._visits.get(step, 0)

    def step_of(self, row: StepRow) -> Step:
        """Return what the plan says of a visit."""
        return self.plan.steps[row.step]

    def put(self, row: StepRow) -> None:
        """Set a visit to what it is now."""
        self.rows[row.key] = row

    def enter(self, step: str, parent: str, now: datetime) -> None:
        """Open a new visit of a step, ready to be looked at."""
        what = self.plan.steps[step]
        visit = self.visits(step) + 1
        self._visits[step] = visit
        ends = [now + what.timeout] if what.timeout is not None else []
        if what.due is not None and what.due.obligation in self.limits:
            ends.append(self.limits[what.due.obligation] - what.due.ahead)
        self.put(
            StepRow(
                run=self.run.id,
                step=step,
                visit=visit,
                parent=parent,
                kind=what.kind,
                state="ready",
                owner_role=what.owner,
                out=None,
                why=None,
                actor=None,
                ready_at=now,
                wake_at=now,
                deadline=min(ends, default=None),
                ended_at=None,
            )
        )

    def below(self, name: str) -> Iterator[StepRow]:
        """Yield the open visits of a branching visit's branches, at every depth."""
        for row in list(self.rows.values()):
            if row.open and row.parent == name:
                yield row
                yield from self.below(row.name)


def _told(incident: Incident) -> dict[str, Any]:
    """What of an incident conditions and texts may name."""
    return {
        "id": incident.id,
        "class": incident.klass,
        "level": incident.level,
        "state": incident.state,
        "title": incident.title,
        "title_en": incident.title_en,
        "unit": incident.unit,
        "asset": incident.asset,
        "node": incident.node,
        "count": incident.count,
        "facts": incident.facts,
    }


def begin_run(
    plan: Plan,
    *,
    run_id: str,
    incident: Incident | None,
    sha256: str,
    now: datetime,
    drill: bool = False,
) -> Board:
    """Return a new run of a plan, standing at its first step."""
    run = Run(
        id=run_id,
        incident=incident.id if incident is not None else None,
        plan=plan.id,
        plan_sha256=sha256,
        state="running",
        variables={name: variable.value for name, variable in plan.variables.items()},
        drill=drill,
        started_at=now,
        ended_at=None,
        progress_at=now,
    )
    board = Board(run, plan, [], incident=incident)
    board.enter(plan.first, "", now)
    return board
