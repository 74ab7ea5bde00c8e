"""What persons do to an incident: take it on, move it, correct it, confirm what is in doubt.

A clock may get later, or end, by these alone: by a named person with a reason.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from ..errors import PermanentError
from ..incident import IllegalMoveError, State, check_move
from ..store.acknowledgements import add_acknowledgement, standing
from ..store.runs import wake_runs
from .bench import Bench
from .case import ended
from .confirming import confirm_level, confirm_missed
from .dossier import Cause, save_all
from .findings import tell_facts, text
from .lapsing import taken_on
from .waking import end_chain

_TIMES_OF_STATES = {"contained": "contained", "handled": "handled", "closed": "handled"}
_OVER = frozenset({"handled", "closed"})


class NeedsReasonError(PermanentError):
    """Only a named person who gives a reason may do this."""


class Deeds(Bench):
    """Does what persons decide."""

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
