"""Takes alerts into incidents, in one transaction a message: answered means kept.

::

    firing      first time of fingerprint + startsAt    the incident is opened, or attached to
    resolved    first time                              the incident hears that its cause is over
    either      again, as senders repeat by intent      nothing
    unreadable, or of a classified asset                quarantine; once for the same bytes

What a rule's labels say of it: `class` (GB/T 20986, else `OTH`), `asset` and `unit` (of the register, else
this collector's own unit), and `fact`, one of those that last: `portal_down`, `page_tampered`,
`homepage_tampered`, `cii_whole_down`, `cii_main_down`.
"""

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from ..classes import Classes
from ..desk.world import Taken
from ..incident import Finding
from ..registry import Registry
from ..store.engine import Store
from ..store.facts import add_quarantine, first_sight
from .port import Alert, Read, Unreadable

OTHER = "OTH"
LASTING = frozenset({"portal_down", "page_tampered", "homepage_tampered", "cii_whole_down", "cii_main_down"})
_TITLE = 200


class Open(Protocol):
    """`Casework.open`."""

    def __call__(
        self, conn: AsyncConnection, finding: Finding, received_at: datetime, now: datetime, /
    ) -> Awaitable[str]:
        """Return the incident's id."""
        ...


class NoteEnd(Protocol):
    """`Casework.note`."""

    def __call__(
        self,
        conn: AsyncConnection,
        fingerprint: str,
        evidence: Mapping[str, Any],
        now: datetime,
        facts: Mapping[str, Any] | None = None,
        /,
    ) -> Awaitable[object]:
        """Tell an incident that its cause is over."""
        ...


class Intake:
    """Takes what the formats have read.

    Args:
        store: The state.
        open_incident, note_end: The writers of incidents.
        registry, classes: As loaded last.
        unit: This collector's own.
        formats: How a message is read, by the intake's name.
    """

    def __init__(
        self,
        store: Store,
        *,
        open_incident: Open,
        note_end: NoteEnd,
        registry: Callable[[], Registry],
        classes: Callable[[], Classes],
        unit: str,
        formats: Mapping[str, Callable[[bytes], Read]],
    ) -> None:
        self._store = store
        self._open = open_incident
        self._note = note_end
        self._registry = registry
        self._classes = classes
        self._unit = unit
        self._formats = formats

    async def take(self, name: str, body: bytes, now: datetime) -> Taken:
        """Keep a message and what follows from it.

        Raises:
            StoreBusyError: The database is away; the sender tries again.
        """
        read = self._formats[name](body)
        return await self._store.run(lambda conn: self._keep(conn, name, read, now))

    async def _keep(self, conn: AsyncConnection, name: str, read: Read, now: datetime) -> Taken:
        source = f"intake:{name}"
        taken = repeated = aside = 0
        for alert in read.alerts:
            moment = alert.starts_at.isoformat()
            state = "over" if alert.ends_at else "firing"
            if not await first_sight(conn, source, f"{alert.fingerprint}/{moment}/{state}", now):
                repeated += 1
            elif self._is_classified(alert):
                await _set_aside(conn, source, Unreadable("labels.asset", "a classified asset", b""), now)
                aside += 1
            else:
                await self._tell(conn, source, alert, now)
                taken += 1
        for part in read.unreadable:
            seen = hashlib.sha256(part.body).hexdigest()
            if await first_sight(conn, source, f"unreadable/{seen}", now):
                await _set_aside(conn, source, part, now)
            aside += 1
        return Taken(accepted=taken, repeated=repeated, quarantined=aside)

    def _is_classified(self, alert: Alert) -> bool:
        asset = self._registry().asset(alert.labels.get("asset"))
        return asset is not None and asset.classified

    async def _tell(self, conn: AsyncConnection, source: str, alert: Alert, now: datetime) -> None:
        finding = finding_of(
            alert,
            source,
            registry=self._registry(),
            classes=self._classes(),
            unit=self._unit,
            now=now,
        )
        if alert.ends_at is None:
            await self._open(conn, finding, now, now)
        else:
            await self._note(conn, finding.fingerprint, finding.evidence[0], now, finding.facts)


async def _set_aside(conn: AsyncConnection, source: str, part: Unreadable, now: datetime) -> None:
    await add_quarantine(conn, source=source, where=part.where, why=part.why, body=part.body, now=now)


def finding_of(
    alert: Alert, source: str, *, registry: Registry, classes: Classes, unit: str, now: datetime
) -> Finding:
    """Return what an alert says; what lies later than now has not happened."""
    asked = alert.labels.get("class", "")
    klass = asked if asked and classes.knows(asked) else OTHER
    asset = registry.asset(alert.labels.get("asset"))
    named = registry.unit(alert.labels.get("unit"))
    owner = asset.unit if asset else named.id if named else unit
    began, ended = min(alert.starts_at, now), min(alert.ends_at or alert.starts_at, now)
    title = _title(alert)
    return Finding(
        fingerprint=f"{source}/{klass}/{alert.fingerprint}",
        klass=klass,
        unit=owner,
        asset=asset.id if asset else None,
        facts=_facts(alert, began, ended),
        times={"occurred": began, "detected": began},
        first_seen=began,
        last_seen=ended,
        title=title,
        title_en=title,
        source=source,
        evidence=(
            {
                "labels": alert.labels,
                "annotations": alert.annotations,
                "links": alert.links,
                "starts_at": alert.starts_at.isoformat(),
                "restored": alert.ends_at is not None,
            },
        ),
    )


def _facts(alert: Alert, began: datetime, ended: datetime) -> dict[str, Any]:
    fact = alert.labels.get("fact")
    if fact not in LASTING:
        return {}
    if alert.ends_at is None:
        return {f"{fact}_since": began.isoformat()}
    return {f"{fact}_minutes": int((ended - began).total_seconds() // 60)}


def _title(alert: Alert) -> str:
    """One line in the words of whoever wrote the rule, whatever their language."""
    name = alert.labels.get("alertname", "")
    said = alert.annotations.get("summary") or alert.annotations.get("description") or ""
    where = alert.labels.get("instance", "")
    words = " ".join(": ".join(filter(None, (name, said or where))).split())
    return words[:_TITLE] or alert.fingerprint[:_TITLE]
