"""The only writer of incidents and clocks.

::

    finding ──> open ──┐                        one transaction: the incident's row (the lock), its clocks,
    person  ──> move ──┼─> dossier ──> grade ─> alarms, notices and journal entries; or nothing of it
    receipt ──> record ┤                │
    alarm   ──> fire ──┘                └──> regimes.explain answers level and obligations

No method opens a transaction: the caller's carries its own rows too, a cursor or a filing's receipt.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from ..incident import merge_facts
from ..store import clocks as clock_rows
from ..store.acknowledgements import last_deeds
from ..store.clocks import Alarm
from ..store.incidents import lock_free
from ..store.proofs import Proof
from ..store.runs import wake_runs
from .bench import UnknownIncidentError
from .deeds import Deeds
from .dossier import Cause, Dossier, load, save_all
from .drilling import end_for_drill
from .findings import tell_facts
from .firing import REGRADE, due_of, fire
from .opening import Opening
from .texts import Jump, Outage
from .waking import PROGRESS


class Fired(Struct, frozen=True, kw_only=True):
    """What a tick did.

    Fields:
        alarms: Those that sounded.
        late: By how much each was late, in seconds.
        waiting: Incidents with due alarms that another process holds, or that the limit left.
    """

    alarms: list[Alarm]
    late: list[float]
    waiting: int


class Casework(Opening, Deeds):
    """Opens, moves, grades and files; see the module."""

    async def regrade(
        self,
        connection: AsyncConnection,
        incident: str,
        now: datetime,
        facts: Mapping[str, Any] | None = None,
        actor: str = "system",
    ) -> None:
        """Grade anew, with further facts if there are any; facts only grow and clocks only get earlier.

        Raises:
            UnknownIncidentError: There is no such incident.
        """
        dossier = await self._locked(connection, incident)
        old = dossier.incident
        dossier.change(facts=merge_facts(old.facts, facts or {}))
        if dossier.incident.facts != old.facts:
            tell_facts(dossier, old, actor, "")
            dossier.change(updated_at=now)
        await self._grade(connection, dossier, Cause(actor=actor), now)
        await save_all(connection, [dossier], now)

    async def end_drill(
        self, connection: AsyncConnection, incident: str, actor: str, reason: str, now: datetime
    ) -> None:
        """Close an incident of a drill that is over; nobody is woken for it any more.

        Raises:
            NoDrillError: It is a real incident.
            UnknownIncidentError: There is no such incident.
        """
        dossier = await self._locked(connection, incident)
        end_for_drill(dossier, Cause(actor=actor, reason=reason), now)
        await save_all(connection, [dossier], now)
        await wake_runs(connection, incident, now)

    async def record_filing(  # noqa: PLR0917 - the form is fixed between the rooms
        self,
        connection: AsyncConnection,
        clock_id: str,
        filing_id: str,
        filed_at: datetime,
        receipt_at: datetime | None,
        complete: bool,  # noqa: FBT001 - a fact of the filing, fixed in the contract of the rooms
        actor: str,
        now: datetime,
    ) -> None:
        """Let a filing count: a receipt meets its clock, and what runs from the filing begins.

        Raises:
            UnknownIncidentError: There is no such clock.
        """
        clock = await clock_rows.get_clock(connection, clock_id)
        if clock is None:
            raise UnknownIncidentError(f"clock {clock_id}: there is none; a filing names a clock of `clocks`")
        dossier = await self._locked(connection, clock.incident)
        proof = Proof(id=filing_id, clock=clock_id, at=filed_at, receipt_at=receipt_at, complete=complete)
        await self._grade(connection, dossier, Cause(actor=actor), now, proof)
        await save_all(connection, [dossier], now)
        await wake_runs(connection, clock.incident, now)

    async def fire_due(
        self,
        connection: AsyncConnection,
        now: datetime,
        *,
        incidents: Collection[str] | None = None,
        limit: int = 500,
        outage: Outage | None = None,
        jumps: Sequence[Jump] = (),
    ) -> Fired:
        """Fire the alarms that are due, incident by incident; those another process holds are left to it.

        Args:
            connection: A write transaction.
            now: Alarms up to this moment are due.
            incidents: Whose alarms; absent: the incidents of the `limit` alarms that are due longest.
            limit: How many due alarms are then looked at.
            outage: The last time nobody was running; late alarms say so.
            jumps: What the host clock jumped over; a clock due within waits for a person's word.
        """
        keys = await clock_rows.due_incidents(connection, now, limit) if incidents is None else incidents
        held = await lock_free(connection, keys)
        dossiers = await load(connection, held)
        await self._grade_due(connection, dossiers, now)
        await _look_for_progress(connection, dossiers, now)
        setting = self._setting(outage, jumps)
        alarms = [alarm for dossier in dossiers for alarm in fire(dossier, setting, now)]
        await save_all(connection, dossiers, now)
        late = [(now - alarm.at).total_seconds() for alarm in alarms]
        return Fired(alarms=alarms, late=late, waiting=len(keys) - len(held))

    async def _grade_due(
        self, connection: AsyncConnection, dossiers: Sequence[Dossier], now: datetime
    ) -> None:
        grown = [one for one in dossiers if one.has_due(REGRADE, now)]
        for dossier in grown:
            # The moment has come; what grading plans next is another alarm.
            for alarm in due_of(dossier, now):
                if alarm.kind == REGRADE:
                    dossier.end(alarm, "fired", now)
            await self._grade(connection, dossier, Cause(reason="time passed"), now)


async def _look_for_progress(connection: AsyncConnection, dossiers: Sequence[Dossier], now: datetime) -> None:
    waiting = [one for one in dossiers if one.has_due(PROGRESS, now)]
    deeds = await last_deeds(connection, [one.incident.id for one in waiting])
    for dossier in waiting:
        dossier.progress_at = deeds.get(dossier.incident.id)
