"""A finding opens an incident, or joins the one that stands for its fingerprint.

::

    finding ─> live incident of its fingerprint?  no   ─> opened: aware is when the report was committed
                                                  yes  ─> attached: counts, growing facts, earliest times
                                                          handled or closed: reopened
    ending  ─> noted as evidence: what went on since a time has lasted its minutes; good news moves nothing
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from ..incident import Finding, merge_evidence, merge_facts, merge_times, reopens
from ..store.incidents import Incident, insert_incident, lock_live
from .bench import Bench
from .case import ended, unreadable
from .dossier import Cause, Dossier, load, save_all
from .findings import matters, new_incident, tell_facts, text, times_of
from .waking import begin_chain

ATTACHED_EVERY = timedelta(seconds=10)


class Opening(Bench):
    """Opens incidents and lets findings join them."""

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
