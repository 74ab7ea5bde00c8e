"""The only writer of incidents and clocks.

::

    finding ──> open ──┐                        one transaction: the incident's row (the lock), its clocks,
    person  ──> move ──┼─> dossier ──> grade ─> alarms, notices and journal entries; or nothing of it
    receipt ──> record ┤                │
    alarm   ──> fire ──┘                └──> regimes.explain answers level and obligations

No method opens a transaction: the caller's carries its own rows too, a cursor or a filing's receipt.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from ..errors import PermanentError
from ..escalation import Policy, Roster
from ..incident import (
    Finding,
    IllegalMoveError,
    State,
    check_move,
    merge_evidence,
    merge_facts,
    merge_times,
    reopens,
)
from ..regimes import Calendars, Regime
from ..registry import Registry
from ..store import clocks as clock_rows
from ..store.acknowledgements import add_acknowledgement, last_deeds, standing
from ..store.clocks import Alarm
from ..store.incidents import Incident, insert_incident, lock_free, lock_incident, lock_live
from ..store.proofs import Proof, proofs_of
from ..store.runs import wake_runs
from .case import ended, unreadable
from .confirming import confirm_level, confirm_missed
from .dossier import Cause, Dossier, load, save_all
from .drilling import end_for_drill
from .findings import matters, new_incident, tell_facts, text, times_of
from .firing import REGRADE, due_of, fire
from .grading import grade
from .lapsing import taken_on
from .texts import Jump, Outage
from .waking import PROGRESS, Setting, begin_chain, end_chain

ATTACHED_EVERY = timedelta(seconds=10)
_TIMES_OF_STATES = {"contained": "contained", "handled": "handled", "closed": "handled"}
_OVER = frozenset({"handled", "closed"})


class UnknownIncidentError(PermanentError):
    """There is no such incident, or no such clock."""


class NeedsReasonError(PermanentError):
    """Only a named person who gives a reason may do this."""


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


class Casework:
    """Opens, moves, grades and files; see the module.

    Args:
        registry, regimes, policy: What is in force; asked at every call, so that a reload counts at once.
        rosters: By unit; likewise.
        calendars: What limits in working days count by; likewise.
        language: Of notices and of the contents of reports.
    """

    def __init__(
        self,
        *,
        registry: Callable[[], Registry],
        regimes: Callable[[], Sequence[Regime]],
        policy: Callable[[], Policy],
        rosters: Callable[[], Mapping[str, Roster]] = dict,
        calendars: Callable[[], Calendars] = Calendars,
        language: str = "zh",
    ) -> None:
        self._rosters = rosters
        self._calendars = calendars
        self._registry = registry
        self._regimes = regimes
        self._policy = policy
        self._language = language

    async def open(
        self, connection: AsyncConnection, finding: Finding, received_at: datetime, now: datetime
    ) -> str:
        """Open an incident for a finding, or attach the finding to the one that stands for its fingerprint.

        Args:
            connection: A write transaction; the cursor that led here moves in it.
            finding: What was found.
            received_at: When the report was committed; the incident's `aware`.
            now: The time to judge at.

        Returns:
            The incident's id.
        """
        held = await lock_live(connection, finding.fingerprint)
        while held is None:
            new = new_incident(finding, received_at, now)
            if await insert_incident(connection, new):
                await self._opened(connection, new, finding, now)
                return new.id
            held = await lock_live(connection, finding.fingerprint)  # another process was first
        await self._attach(connection, held, finding, received_at, now)
        return held.id

    async def note(
        self,
        connection: AsyncConnection,
        fingerprint: str,
        evidence: Mapping[str, Any],
        now: datetime,
        facts: Mapping[str, Any] | None = None,
    ) -> str | None:
        """Tell the incident that stands for a fingerprint that its cause is over: evidence, never a move.

        What went on since a time has lasted its minutes; a handled incident is not reopened by good news.

        Returns:
            The incident's id; None where none stands for the fingerprint.
        """
        held = await lock_live(connection, fingerprint)
        if held is None:
            return None
        dossier = (await load(connection, [held]))[0]
        dossier.change(
            evidence=merge_evidence(held.evidence, (dict(evidence),)),
            facts=ended(merge_facts(held.facts, facts or {}), now),
            updated_at=now,
        )
        detail = {"count": held.count, "source": "system", "ended": True}
        dossier.tell("incident.attached", f"incident:{held.id}", detail)
        if dossier.incident.facts != held.facts:
            tell_facts(dossier, held, "system", "the cause is over")
            await self._grade(connection, dossier, Cause(), now)
        await save_all(connection, [dossier], now)
        return held.id

    async def move(  # noqa: PLR0917 - the form is fixed between the rooms
        self,
        connection: AsyncConnection,
        incident: str,
        to_state: str,
        actor: str,
        now: datetime,
        reason: str = "",
    ) -> None:
        """Take an incident to a later state; `acknowledged` and further end the escalation chain.

        Handling ends what went on since a time, so the incident does not grow graver by the clock any more.

        Raises:
            IllegalMoveError: Its state does not lead there.
            UnknownIncidentError: There is no such incident.
        """
        if to_state == "acknowledged":
            await self.acknowledge(connection, incident, actor, now, reason=reason)
            return
        dossier = await self._locked(connection, incident)
        old = dossier.incident
        state = check_move(old.state, to_state)
        times = dict(old.times)
        if name := _TIMES_OF_STATES.get(state):
            times.setdefault(name, text(now))
        dossier.change(
            state=state,
            times=times,
            facts=ended(old.facts, now) if state in _OVER else old.facts,
            acknowledged_by=old.acknowledged_by or actor,
            closed_at=now if state == "closed" else None,
            updated_at=now,
        )
        end_chain(dossier, now)
        detail = {"from": old.state, "to": state, "reason": reason}
        dossier.tell("incident.moved", f"incident:{incident}", detail, actor)
        await self._grade(connection, dossier, Cause(actor=actor), now)
        await save_all(connection, [dossier], now)
        await wake_runs(connection, incident, now)

    async def acknowledge(
        self,
        connection: AsyncConnection,
        incident: str,
        actor: str,
        now: datetime,
        *,
        reason: str = "",
        way: str = "desk",
        link: str | None = None,
    ) -> int:
        """Take an incident on; when as many people have as its level needs, its chain ends.

        Args:
            connection: A write transaction.
            incident: Which one.
            actor: Who.
            now: The time.
            reason: What they say to it.
            way: `desk` or `link`.
            link: The one-time link that was used.

        Returns:
            How many more people it needs.

        Raises:
            IllegalMoveError: It is taken on already, or this person has done so.
            UnknownIncidentError: There is no such incident.
        """
        dossier = await self._locked(connection, incident)
        old = dossier.incident
        check_move(old.state, "acknowledged")
        known = await standing(connection, incident)
        missing = self._policy().needed(old.level) - len(known) - 1
        if any(one.actor == actor for one in known):
            raise IllegalMoveError(
                f"{actor} has acknowledged it already; it needs {missing + 1} more of other people"
            )
        await add_acknowledgement(connection, incident=incident, actor=actor, way=way, link=link, now=now)
        state: State = "acknowledged" if missing <= 0 else "open"
        dossier.change(state=state, acknowledged_by=old.acknowledged_by or actor, updated_at=now)
        detail = {"from": old.state, "to": state, "reason": reason, "way": way, "needed": max(missing, 0)}
        dossier.tell("incident.moved", f"incident:{incident}", detail, actor)
        if missing <= 0:
            taken_on(dossier, self._setting(), now)
        await self._grade(connection, dossier, Cause(actor=actor), now)
        await save_all(connection, [dossier], now)
        await wake_runs(connection, incident, now)
        return max(missing, 0)

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

    async def correct(
        self,
        connection: AsyncConnection,
        incident: str,
        now: datetime,
        *,
        actor: str,
        reason: str,
        facts: Mapping[str, Any] | None = None,
        times: Mapping[str, datetime | None] | None = None,
    ) -> None:
        """Replace facts and times by a person's word; the level may fall, clocks may get later or end.

        Args:
            connection: A write transaction.
            incident: Which one.
            now: The time to judge at.
            actor: `user:<name>` or `person:<key>`.
            reason: Why; it stands in the journal.
            facts: New values; None takes a value away.
            times: Likewise.

        Raises:
            NeedsReasonError: No named person, or no reason.
            UnknownIncidentError: There is no such incident.
        """
        cause = Cause(actor=actor, reason=reason)
        if not cause.by_person:
            found = f"actor {actor!r} and reason {reason!r}"
            raise NeedsReasonError(
                f"incident {incident}: found {found}; expected a named person and a reason, "
                "because a clock may get later by this"
            )
        dossier = await self._locked(connection, incident)
        old = dossier.incident
        new_times = old.times | {name: at and text(at) for name, at in (times or {}).items()}
        new_facts = old.facts | dict(facts or {})
        dossier.change(
            facts={name: value for name, value in new_facts.items() if value is not None},
            times={name: value for name, value in new_times.items() if value is not None},
            updated_at=now,
        )
        tell_facts(dossier, old, actor, reason)
        await self._grade(connection, dossier, cause, now)
        await save_all(connection, [dossier], now)

    async def confirm(
        self,
        connection: AsyncConnection,
        incident: str,
        actor: str,
        now: datetime,
        *,
        level: str | None = None,
        clock: str | None = None,
        reason: str = "",
    ) -> None:
        """Take a person's word: that the proposed level holds, or that a clock in doubt was missed.

        Raises:
            IllegalMoveError: There is nothing to confirm.
            NotAPersonError: The actor is no named person.
            UnknownIncidentError: There is no such incident.
        """
        dossier = await self._locked(connection, incident)
        cause = Cause(actor=actor, reason=reason)
        if level is not None:
            confirm_level(dossier, level, cause, now)
        if clock is not None:
            confirm_missed(dossier, clock, cause)
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
        limit: int = 500,
        outage: Outage | None = None,
        jumps: Sequence[Jump] = (),
        only: str | None = None,
        skip: Collection[str] = (),
    ) -> Fired:
        """Fire the alarms that are due, incident by incident; those another process holds are left to it.

        Args:
            connection: A write transaction.
            now: Alarms up to this moment are due.
            limit: How many due alarms are looked at.
            outage: The last time nobody was running; late alarms say so.
            jumps: What the host clock jumped over; a clock due within waits for a person's word.
            only: Look at this incident alone.
            skip: Leave these incidents out.
        """
        keys = [only] if only else await clock_rows.due_incidents(connection, now, limit, skip)
        held = await lock_free(connection, keys)
        dossiers = await load(connection, held)
        await self._grade_due(connection, dossiers, now)
        await _look_for_progress(connection, dossiers, now)
        setting = self._setting(outage, jumps)
        alarms = [alarm for dossier in dossiers for alarm in fire(dossier, setting, now)]
        await save_all(connection, dossiers, now)
        late = [(now - alarm.at).total_seconds() for alarm in alarms]
        return Fired(alarms=alarms, late=late, waiting=len(keys) - len(held))

    async def _opened(
        self, connection: AsyncConnection, new: Incident, finding: Finding, now: datetime
    ) -> None:
        dossier = Dossier(new)
        detail = {
            "fingerprint": new.fingerprint,
            "class": new.klass,
            "unit": new.unit,
            "asset": new.asset,
            "node": new.node,
            "title": new.title,
            "title_en": new.title_en,
            "facts": new.facts,
            "times": new.times,
            "late": new.late,
            "source": finding.source,
            "unreadable_facts": unreadable(new.facts),
        }
        actor = finding.source if finding.source.startswith("node:") else "system"
        dossier.tell("incident.opened", f"incident:{new.id}", detail, actor)
        await self._grade(connection, dossier, Cause(), now)
        await save_all(connection, [dossier], now)

    async def _attach(
        self,
        connection: AsyncConnection,
        held: Incident,
        finding: Finding,
        received_at: datetime,
        now: datetime,
    ) -> None:
        dossier = (
            (await load(connection, [held]))[0] if matters(held, finding, received_at) else Dossier(held)
        )
        times = merge_times(times_of(held), finding.times | {"aware": received_at})
        dossier.change(
            count=held.count + finding.count,
            first_seen=min(held.first_seen, finding.first_seen),
            last_seen=max(held.last_seen, finding.last_seen),
            evidence=merge_evidence(held.evidence, finding.evidence),
            facts=merge_facts(held.facts, finding.facts),
            times={name: text(at) for name, at in times.items()},
            plan_hint=held.plan_hint or finding.plan_hint,
        )
        if now - held.updated_at >= ATTACHED_EVERY:
            dossier.change(updated_at=now)
            detail = {"count": dossier.incident.count, "source": finding.source}
            dossier.tell("incident.attached", f"incident:{held.id}", detail)
        if matters(held, finding, received_at):
            await self._attached(connection, dossier, held, now)
        await save_all(connection, [dossier], now)

    async def _attached(
        self, connection: AsyncConnection, dossier: Dossier, held: Incident, now: datetime
    ) -> None:
        if dossier.incident.facts != held.facts:
            tell_facts(dossier, held, "system", "")
        if reopens(held.state):
            dossier.change(state="open", acknowledged_by=None, updated_at=now)
            detail = {"from": held.state, "to": "open", "reason": "reported again"}
            dossier.tell("incident.moved", f"incident:{held.id}", detail)
        await self._grade(connection, dossier, Cause(), now)
        if reopens(held.state) and not any(
            alarm.kind.startswith("escalate") for alarm in dossier.armed.values()
        ):
            begin_chain(dossier, self._setting(), now)

    async def _grade_due(
        self, connection: AsyncConnection, dossiers: Sequence[Dossier], now: datetime
    ) -> None:
        grown = [one for one in dossiers if any(alarm.kind == REGRADE for alarm in due_of(one, now))]
        for dossier in grown:
            # The moment has come; what grading plans next is another alarm.
            for alarm in due_of(dossier, now):
                if alarm.kind == REGRADE:
                    dossier.end(alarm, "fired", now)
            await self._grade(connection, dossier, Cause(reason="time passed"), now)

    async def _grade(
        self,
        connection: AsyncConnection,
        dossier: Dossier,
        cause: Cause,
        now: datetime,
        proof: Proof | None = None,
    ) -> None:
        stored = (await proofs_of(connection, [dossier.incident.id])).get(dossier.incident.id, [])
        proofs = [one for one in stored if proof is None or one.id != proof.id]
        proofs += [proof] if proof else []
        grade(dossier, proofs, self._regimes(), setting=self._setting(), cause=cause, now=now)

    async def _locked(self, connection: AsyncConnection, incident: str) -> Dossier:
        held = await lock_incident(connection, incident)
        if held is None:
            raise UnknownIncidentError(f"incident {incident}: there is none")
        return (await load(connection, [held]))[0]

    def _setting(self, outage: Outage | None = None, jumps: Sequence[Jump] = ()) -> Setting:
        return Setting(
            registry=self._registry(),
            policy=self._policy(),
            rosters=self._rosters(),
            calendars=self._calendars(),
            language=self._language,
            outage=outage,
            jumps=tuple(jumps),
        )


async def _look_for_progress(connection: AsyncConnection, dossiers: Sequence[Dossier], now: datetime) -> None:
    waiting = [one for one in dossiers if any(alarm.kind.startswith(PROGRESS) for alarm in due_of(one, now))]
    deeds = await last_deeds(connection, [one.incident.id for one in waiting])
    for dossier in waiting:
        dossier.progress_at = deeds.get(dossier.incident.id)
