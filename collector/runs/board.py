"""A run in memory: its visits, what conditions may name, and what of it is to be written."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct

from wire.vocabulary import Level

from ..plans.model import Plan, Step
from ..store.incidents import Incident
from ..store.runs import Key, Run, StepRow

SIDE = "@"
"""Parent of what runs beside the main line: another response level, a joined plan, what takes back."""


class Deed(Struct, frozen=True):
    """Something that was done to a run as a whole, for the journal."""

    action: str
    actor: str
    detail: Mapping[str, Any]


class Board:
    """A run with its visits in memory: what `transition` moves, and what of it is to be written.

    Attributes:
        incident: What the run is about, as it was when the run was loaded.
        limits: Due times of the incident's obligations, for steps whose deadline hangs on one.
        moves: Visits that ended or came to wait for a person, in their order.
        deeds: What was done to the run as a whole, in its order.
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
        self.deeds: list[Deed] = []
        self.was_open = run.ended_at is None
        for row in rows:
            self._visits[row.step] = max(row.visit, self._visits.get(row.step, 0))

    @property
    def scope(self) -> dict[str, Any]:
        """What a condition or a text may name now."""
        run = {"id": self.run.id, "plan": self.run.plan, "drill": self.run.drill, "level": self.run.level}
        told = _told(self.incident) if self.incident is not None else {}
        warning = (self.run.cause or {}).get("warning") or {}
        return {"incident": told, "vars": self.run.variables, "run": run, "warning": warning}

    @property
    def level_now(self) -> Level | None:
        """The incident's level now, ungraded counting as the least; None where the run has no incident."""
        return (self.incident.level or "IV") if self.incident is not None else None

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

    def newest(self, step: str) -> StepRow | None:
        """Return the newest visit of a step."""
        return self.rows.get((step, self.visits(step)))

    def tell(self, action: str, actor: str, **detail: Any) -> None:  # noqa: ANN401 - an entry's detail
        """Have something that was done to the run as a whole written to the journal."""
        self.deeds.append(Deed(action, actor, detail))

    def lawful(self, step: Step) -> list[datetime]:
        """Return the deadline that a step has from outside the plan, where it is known by now."""
        due = step.due
        if due is None:
            return []
        at = due.at if due.at is not None else self.limits.get(due.obligation or "")
        return [at - due.ahead] if at is not None else []

    def enter(self, step: str, parent: str, now: datetime) -> Key:
        """Open a new visit of a step, ready to be looked at."""
        what = self.plan.steps[step]
        visit = self.visits(step) + 1
        self._visits[step] = visit
        ends = [now + what.timeout] if what.timeout is not None else []
        ends += self.lawful(what)
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
        return step, visit

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
    unit: str = "",
    level: Level | None = None,
    cause: Mapping[str, Any] | None = None,
    origin: str | None = None,
) -> Board:
    """Return a new run of a plan, standing at its first step.

    Args:
        plan: As pinned.
        run_id: Its id.
        incident: What it is about, if it is about one; then `unit` and `level` are the incident's.
        sha256: Of the pinned content.
        now: When it begins.
        drill: Whether it is without effects.
        unit: Whose run it is, where it has no incident.
        level: Its response level, where it has no incident.
        cause: See `Run`.
        origin: See `Run`.
    """
    run = Run(
        id=run_id,
        incident=incident.id if incident is not None else None,
        unit=incident.unit if incident is not None else unit,
        plan=plan.id,
        plan_sha256=sha256,
        state="running",
        variables={name: variable.value for name, variable in plan.variables.items()},
        drill=drill,
        started_at=now,
        ended_at=None,
        progress_at=now,
        level=(incident.level or "IV") if incident is not None else level,
        cause=dict(cause) if cause is not None else None,
        origin=origin,
    )
    board = Board(run, plan, [], incident=incident)
    board.enter(plan.first, "", now)
    return board
