"""Everything a document about an incident may rest on, and where each figure of it was said (pure)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import Struct

from ..registry import Asset, Person, Unit
from ..statement import Source, Words
from ..store.clocks import Clock
from ..store.filings import Filing
from ..store.incidents import Incident
from ..store.journal import Row

_OWN = "registry"


class Measure(Struct, frozen=True, kw_only=True):
    """A step of the incident's plan.

    Fields:
        title: As the plan words it.
        actor: Who ended it.
    """

    run: str
    step: str
    kind: str
    title: Words
    state: str
    actor: str | None
    ended_at: datetime | None


class Material(Struct, frozen=True, kw_only=True):
    """An incident with all that hangs on it.

    Fields:
        kind: Name of its class.
        criteria: What the law's lines that graded it say, by their ids.
        host: Of the node it was found on.
        contact: Who answers for it: the first person on duty.
        journal: Its entries, oldest first.
        at: The time the material was gathered.
    """

    incident: Incident
    unit: Unit | None
    asset: Asset | None
    operator: Unit | None
    contact: Person | None
    kind: Words
    criteria: dict[str, Words]
    host: str | None
    clocks: tuple[Clock, ...]
    filings: tuple[Filing, ...]
    journal: tuple[Row, ...]
    measures: tuple[Measure, ...]
    at: datetime

    @property
    def zone(self) -> ZoneInfo:
        """The unit's own time zone."""
        try:
            return ZoneInfo(self.unit.timezone if self.unit else "UTC")
        except (ZoneInfoNotFoundError, ValueError):
            return ZoneInfo("UTC")

    @property
    def ransomware(self) -> bool:
        """Whether the law's ransomware items apply."""
        return self.incident.klass == "MPRANS" or self.incident.facts.get("ransom_demanded") is True

    def source(self, group: str, name: str) -> Source:
        """Return where a fact or time comes from: the journal entry that set it and the report that said it.

        Args:
            group: `facts` or `times`.
            name: Its name.
        """
        value = getattr(self.incident, group).get(name)
        entry = next(
            (row for row in reversed(self.journal) if _sets(row, group, name, value)),
            None,
        )
        report = next(
            (item for item in self.incident.evidence if _same(_said(item, group, name), value)),
            None,
        )
        if report is None and entry is not None and entry.action == "incident.opened":
            report = next(iter(self.incident.evidence[:1]), None) if self.incident.count < 2 else None
        return Source(
            of=f"{group}.{name}",
            by=entry.actor if entry else "system",
            report=str(report["report"]) if report and report.get("report") else None,
            journal=entry.id if entry else None,
            at=entry.at if entry else None,
        )

    def registered(self, of: str) -> Source:
        """Return the register as a source."""
        return Source(of=of, by=_OWN)


def reports(incident: Incident) -> tuple[Source, ...]:
    """Return the reports kept as evidence, oldest first, each once."""
    found: dict[str, Source] = {}
    for item in incident.evidence:
        report = item.get("report")
        if isinstance(report, str) and report:
            at = instant(item.get("received_at"))
            found[report] = Source(of="evidence", by=f"node:{incident.node}", report=report, at=at)
    return tuple(found.values())


def instant(value: object) -> datetime | None:
    """Return a time that stands in JSON with its offset."""
    try:
        at = msgspec.convert(value, datetime)
    except msgspec.ValidationError:
        return None
    return at if at.tzinfo else None


def title_of(plan: Mapping[str, Any], step: str) -> Words:
    """Return the words of a plan's step; its id where the plan does not know it."""
    steps = plan.get("steps")
    body = steps.get(step) if isinstance(steps, dict) else None
    title = body.get("title") if isinstance(body, dict) else None
    if isinstance(title, dict):
        zh, en = str(title.get("zh") or step), str(title.get("en") or title.get("zh") or step)
        return Words(zh, en)
    return Words(str(title or step), str(title or step))


def _said(item: Mapping[str, Any], group: str, name: str) -> object:
    told = item.get(group)
    return told.get(name) if isinstance(told, dict) else item.get(f"{name}_at")


def _sets(row: Row, group: str, name: str, value: object) -> bool:
    told = row.detail.get(group)
    if row.action not in {"incident.opened", "incident.moved"} or not isinstance(told, dict):
        return False
    said = told.get(name)
    if row.action == "incident.moved" and isinstance(said, list):
        said = said[-1] if said else None
    return name in told and _same(said, value)


def _same(one: object, other: object) -> bool:
    if one is None:
        return False
    at = instant(one) if isinstance(one, str) else None
    return one == other or (at is not None and at == instant(other))


def ended(measures: Sequence[Measure]) -> tuple[Measure, ...]:
    """Return the steps that were done, in the order of their ends."""
    done = [
        (one.ended_at, one.step, one)
        for one in measures
        if one.state == "done" and one.ended_at and one.kind in DEEDS
    ]
    return tuple(one for _, _, one in sorted(done, key=lambda each: each[:2]))


DEEDS = frozenset({"manual", "approve", "order_agent", "notify", "http_request", "file_report"})
"""Kinds of steps that do something; the rest only leads from one to another."""
