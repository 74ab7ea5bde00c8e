"""One incident with its clocks and armed alarms during one transaction, and everything that shall be written.

Rules change a dossier without I/O; `save_all` then writes any number of dossiers in a handful of statements:
rows, notices and journal entries together, or nothing.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy.ext.asyncio import AsyncConnection

from wire.ids import uuid7

from ..store import clocks as clock_rows
from ..store import journal
from ..store.acknowledgements import end_acknowledgements
from ..store.clocks import Alarm, AlarmState, Clock
from ..store.incidents import Incident, update_incident
from ..store.notice_batch import NewNotice, add_notices
from .alarms import SHIPPED

SYSTEM = "system"


class Cause(Struct, frozen=True, kw_only=True):
    """Who changes something, and why; only a named person with a reason may make a clock later."""

    actor: str = SYSTEM
    reason: str = ""

    @property
    def by_person(self) -> bool:
        """Whether a named person gave a reason."""
        return self.actor.startswith(("user:", "person:")) and bool(self.reason.strip())


class Dossier:
    """An incident in work.

    Attributes:
        incident: The row as it shall be.
        clocks: By id, as they shall be.
        armed: The alarms that will fire, by id.
        generations: Highest generation so far of the incident's own kinds of alarm, `escalate` and `regrade`.
        warn_at: At how many per cent of their time its clocks are told of.
        progress_at: When a person last did something for it; known only where a rule asks.
        before, new_alarms, ended, notices, entries: What `save_all` writes.
    """

    def __init__(
        self,
        incident: Incident,
        clocks: Iterable[Clock] = (),
        armed: Iterable[Alarm] = (),
        generations: dict[str, int] | None = None,
    ) -> None:
        self.incident = incident
        self.clocks = {clock.id: clock for clock in clocks}
        self.armed = {alarm.id: alarm for alarm in armed}
        self.generations = generations or {}
        self.warn_at = SHIPPED
        self.progress_at: datetime | None = None
        self.before = incident
        self._known = dict(self.clocks)
        self.new_alarms: dict[str, Alarm] = {}
        self.ended: dict[AlarmState, list[str]] = {"fired": [], "cancelled": []}
        self.notices: list[NewNotice] = []
        self.entries: list[journal.Entry] = []

    def change(self, **values: Any) -> None:  # noqa: ANN401 - the fields of an incident
        """Change the incident's row."""
        self.incident = replace(self.incident, **values)

    def put(self, clock: Clock) -> None:
        """Open a clock or change one."""
        self.clocks[clock.id] = clock

    def arm(self, *, clock: str, generation: int, kind: str, at: datetime, now: datetime) -> Alarm:
        """Add an alarm."""
        alarm = Alarm(
            id=uuid7(now), incident=self.incident.id, clock=clock, generation=generation, kind=kind, at=at
        )
        self.armed[alarm.id] = self.new_alarms[alarm.id] = alarm
        return alarm

    def end(self, alarm: Alarm, state: AlarmState, now: datetime) -> None:
        """Take an alarm from the armed ones: it fired, or it is not wanted any more."""
        del self.armed[alarm.id]
        if alarm.id in self.new_alarms:
            fired_at = now if state == "fired" else None
            self.new_alarms[alarm.id] = replace(alarm, state=state, fired_at=fired_at)
        else:
            self.ended[state].append(alarm.id)

    def cancel(self, *, clock: str = "", prefix: str = "", now: datetime) -> None:
        """Cancel the armed alarms of a clock, or the incident's own of a kind."""
        for alarm in list(self.armed.values()):
            if alarm.clock == clock and alarm.kind.startswith(prefix):
                self.end(alarm, "cancelled", now)

    def has_due(self, prefix: str, now: datetime) -> bool:
        """Whether an armed alarm of this kind is due."""
        return any(alarm.kind.startswith(prefix) and alarm.at <= now for alarm in self.armed.values())

    def say(self, notice: NewNotice) -> None:
        """Queue a notice."""
        self.notices.append(notice)

    def tell(self, action: str, subject: str, detail: dict[str, Any], actor: str = SYSTEM) -> None:
        """Write a journal entry."""
        self.entries.append(
            journal.Entry(
                actor=actor, action=action, subject=subject, incident=self.incident.id, detail=detail
            )
        )

    def clock_changes(self) -> tuple[list[Clock], list[tuple[Clock, Clock]]]:
        """Return the clocks to be added, and those to be changed as they were and as they shall be."""
        new = [clock for key, clock in self.clocks.items() if key not in self._known]
        kept = [(self._known[key], clock) for key, clock in self.clocks.items() if key in self._known]
        return new, [(old, clock) for old, clock in kept if old is not clock and old != clock]

    def concerns_plans(self, added: Sequence[Clock], changed: Sequence[tuple[Clock, Clock]]) -> bool:
        """Whether runs have to look: another level may call for another plan, a clock set a deadline."""
        moved = any(before.due_at != after.due_at for before, after in changed)
        return self.incident.level != self.before.level or bool(added) or moved


async def load(connection: AsyncConnection, incidents: Sequence[Incident]) -> list[Dossier]:
    """Return the dossiers of locked incidents."""
    keys = [incident.id for incident in incidents]
    clocks: dict[str, list[Clock]] = defaultdict(list)
    for clock in await clock_rows.clocks_of(connection, keys):
        clocks[clock.incident].append(clock)
    armed: dict[str, list[Alarm]] = defaultdict(list)
    for alarm in await clock_rows.armed_of(connection, keys):
        armed[alarm.incident].append(alarm)
    generations = await clock_rows.last_generations(connection, keys)
    return [
        Dossier(incident, clocks[incident.id], armed[incident.id], generations.get(incident.id))
        for incident in incidents
    ]


async def save_all(connection: AsyncConnection, dossiers: Sequence[Dossier], now: datetime) -> None:
    """Write everything that was changed, queued and told, in the connection's transaction."""
    new: list[Clock] = []
    old: list[tuple[Clock, Clock]] = []
    for dossier in dossiers:
        added, changed = dossier.clock_changes()
        if dossier.concerns_plans(added, changed):
            dossier.change(plan_pending=True)
        if dossier.incident != dossier.before:
            await update_incident(connection, dossier.before, dossier.incident)
        new += added
        old += changed
    burning = [one.incident.id for one in dossiers if one.incident.state == "open" != one.before.state]
    await end_acknowledgements(connection, burning, now)
    await clock_rows.insert_clocks(connection, new)
    await clock_rows.update_clocks(connection, old)
    await _save_alarms(connection, dossiers, now)
    await journal.write_all(connection, [entry for one in dossiers for entry in one.entries], now)
    await add_notices(connection, [notice for one in dossiers for notice in one.notices], now)


async def _save_alarms(connection: AsyncConnection, dossiers: Sequence[Dossier], now: datetime) -> None:
    await clock_rows.arm(connection, [alarm for one in dossiers for alarm in one.new_alarms.values()])
    for state in ("fired", "cancelled"):
        keys = [key for one in dossiers for key in one.ended[state]]
        await clock_rows.end_alarms(connection, keys, state, now)
