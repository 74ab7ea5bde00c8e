"""From a finding to an incident's row, and what a further finding changes of it (pure)."""

from datetime import datetime

import msgspec

from wire.ids import uuid7

from ..incident import Finding, merge_evidence, merge_facts, merge_times, reopens
from ..store.incidents import Incident
from .case import unreadable
from .dossier import Dossier


def new_incident(finding: Finding, received_at: datetime, now: datetime) -> Incident:
    """Return the row of an incident as its first finding opens it, not graded yet."""
    times = finding.times | {"aware": received_at}
    return Incident(
        id=uuid7(now),
        fingerprint=finding.fingerprint,
        unit=finding.unit,
        asset=finding.asset,
        node=finding.node,
        klass=finding.klass,
        level=None,
        level_by=None,
        reasons=[],
        next_level=None,
        state="open",
        acknowledged_by=None,
        title=finding.title,
        title_en=finding.title_en,
        facts=msgspec.to_builtins(finding.facts),
        times={name: text(at) for name, at in times.items()},
        evidence=merge_evidence([], finding.evidence),
        count=finding.count,
        first_seen=finding.first_seen,
        last_seen=finding.last_seen,
        opened_at=now,
        updated_at=now,
        closed_at=None,
        late=finding.late,
        plan_hint=finding.plan_hint,
        plan_pending=True,
        drill=finding.drill,
        version=1,
    )


def matters(held: Incident, finding: Finding, received_at: datetime) -> bool:
    """Whether a finding can change more than the count."""
    times = times_of(held)
    return (
        reopens(held.state)
        or merge_facts(held.facts, finding.facts) != held.facts
        or merge_times(times, finding.times | {"aware": received_at}) != times
    )


def tell_facts(dossier: Dossier, old: Incident, actor: str, reason: str) -> None:
    """Write down which facts and times changed, from what to what."""
    new = dossier.incident
    names = sorted({*old.facts, *new.facts})
    changed = {
        name: [old.facts.get(name), new.facts.get(name)]
        for name in names
        if old.facts.get(name) != new.facts.get(name)
    }
    times = {
        name: [old.times.get(name), new.times.get(name)]
        for name in sorted({*old.times, *new.times})
        if old.times.get(name) != new.times.get(name)
    }
    detail = {"facts": changed, "times": times, "reason": reason, "unreadable_facts": unreadable(new.facts)}
    dossier.tell("incident.moved", f"incident:{new.id}", detail, actor)


def times_of(incident: Incident) -> dict[str, datetime]:
    """Return an incident's times as times."""
    return msgspec.convert(incident.times, dict[str, datetime])


def text(at: datetime) -> str:
    """Return a time as it stands in JSON."""
    text: str = msgspec.to_builtins(at)
    return text
