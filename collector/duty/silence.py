"""Finds collectors below that have gone silent, or whose duty clock or auditor stands still.

Level-triggered: each look compares what the last heartbeats say with the incident that stands for the node,
and tells it what differs from the newest evidence it has.

    heartbeat older than 90 s  ─┐                          no incident, or its newest evidence says otherwise
    its auditor stands still   ─┼─> why ──> open or attach: people here and at the unit below are told
    its duty clock stands still ┘
    none of it                 ──> "back" ──> note: the incident is told; ending it is for a person

Only time in which this process was looking counts as silence: after a start, or a sleep of the host, every
collector below is given its 90 seconds anew.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from ..errors import RetryableError
from ..escalation import Directory, wake
from ..incident import Finding, reopens
from ..registry import Registry
from ..store.engine import Store
from ..store.incidents import Incident, get_live, lock_live
from ..store.nodes import Below, collectors_below
from ..store.notice_batch import NewNotice, add_notices

EVERY = timedelta(seconds=10)
SILENT = timedelta(seconds=90)
STANDS_STILL = {"auditor": timedelta(minutes=2), "clock": timedelta(minutes=1)}
KLASS = "DETECH"
SOURCE = "collector"
BACK = "back"
_MOST_SECONDS = 10 * 366 * 86400
_log = logging.getLogger(__name__)
_WORDS = {
    "silent": ("下级采集端失联", "collector silent"),
    "auditor": ("下级采集端自查停止", "collector's auditor stands still"),
    "clock": ("下级采集端时限钟停止", "collector's duty clock stands still"),
}


class OpenIncident(Protocol):
    """`Casework.open`."""

    def __call__(
        self, connection: AsyncConnection, finding: Finding, received_at: datetime, now: datetime, /
    ) -> Awaitable[str]:
        """Open an incident or attach to the one that stands for the fingerprint."""
        ...


class NoteEnd(Protocol):
    """`Casework.note`."""

    def __call__(
        self, connection: AsyncConnection, fingerprint: str, evidence: Mapping[str, Any], now: datetime, /
    ) -> Awaitable[object]:
        """Tell an incident that its cause is over."""
        ...


class Trouble(Struct, frozen=True):
    """What is wrong with a collector below: a key of the words, and since when."""

    why: str
    since: datetime


class Silence:
    """Watches the collectors below; `run` for ever, `look` once.

    Args:
        store: The state.
        open_incident, note_end: The writers of incidents.
        registry: Names of units.
        directory: Whom roles mean now.
        unit: This collector's own; its duty people are told as well as those of the unit below.
        now: The host's clock.

    Attributes:
        last_pass: When the last look ended.
        failures: How many looks ended in an error.
    """

    def __init__(
        self,
        store: Store,
        *,
        open_incident: OpenIncident,
        note_end: NoteEnd,
        registry: Callable[[], Registry],
        directory: Callable[[], Directory],
        unit: str,
        now: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._open = open_incident
        self._note = note_end
        self._registry = registry
        self._directory = directory
        self._unit = unit
        self._now = now
        self._watching_since: datetime | None = None
        self.last_pass: datetime | None = None
        self.failures = 0

    async def run(self) -> None:
        """Look every ten seconds."""
        while True:
            try:
                await self.look()
            except RetryableError as error:
                self.failures += 1
                _log.warning("watch over collectors below: %s", error)
            await asyncio.sleep(EVERY.total_seconds())

    async def look(self) -> None:
        """Compare once, and tell what has changed.

        Raises:
            StoreBusyError: The database is away.
        """
        now = self._now()
        if self._watching_since is None or self.last_pass is None or now - self.last_pass > SILENT:
            self._watching_since = now
        async with self._store.read() as connection:
            below = await collectors_below(connection)
            told = {one.id: await get_live(connection, fingerprint(one)) for one in below}
        for node in below:
            trouble = trouble_of(node, self._watching_since, now)
            if _differs(told[node.id], trouble):
                await self._store.run(lambda connection, node=node: self._tell(connection, node, now))  # type: ignore[misc]
        self.last_pass = now

    async def _tell(self, connection: AsyncConnection, node: Below, now: datetime) -> None:
        held = await lock_live(connection, fingerprint(node))
        trouble = trouble_of(node, self._watching_since or now, now)
        if not _differs(held, trouble):
            return  # another process was first
        if trouble is None:
            await self._note(connection, fingerprint(node), _evidence(node, BACK, now), now)
            return
        unit = self._registry().unit(node.unit)
        finding = finding_of(node, trouble, (unit.name, unit.name_en or unit.name) if unit else None, now)
        incident = await self._open(connection, finding, now, now)
        await add_notices(connection, self._notices(incident, finding, trouble), now)

    def _notices(self, incident: str, finding: Finding, trouble: Trouble) -> list[NewNotice]:
        """The chain wakes the unit below; who watches it from here has to hear of it too."""
        payload = {
            "subject": f"【烽燧】{finding.title} [Fengsui] {finding.title_en}",
            "body": f"{trouble.since.isoformat(' ', 'seconds')}",
            "kind": f"collector_{trouble.why}",
            "incident": incident,
        }
        moment = f"{trouble.why}_{trouble.since.isoformat()}"
        return [
            NewNotice(
                key=f"{incident}/{moment}/{call.person}/{call.channel}",
                incident=incident,
                person=call.person,
                channel=call.channel,
                payload=payload,
            )
            for call in wake(self._directory(), self._unit, "duty").calls
        ]


def fingerprint(node: Below) -> str:
    """Return what stands for a collector's silence."""
    return f"{node.id}/collector-silent"


def trouble_of(node: Below, watching_since: datetime, now: datetime) -> Trouble | None:
    """Return what is wrong with a collector below, gravest first; None: nothing.

    A time that a heartbeat does not tell, as those of older collectors, is no trouble.
    """
    heard = node.heard_at or node.enrolled_at
    if now - max(heard, watching_since) > SILENT:
        return Trouble("silent", heard)
    for flow, limit in sorted(STANDS_STILL.items(), reverse=True):
        age = (node.said or {}).get(f"{flow}_age_seconds")
        if isinstance(age, int | float) and not isinstance(age, bool) and age > limit.total_seconds():
            return Trouble(flow, heard - timedelta(seconds=min(age, _MOST_SECONDS)))
    return None


def finding_of(node: Below, trouble: Trouble, names: tuple[str, str] | None, now: datetime) -> Finding:
    """Return what is said of a collector below in trouble; `names` of its unit in zh and en."""
    zh, en = _WORDS[trouble.why]
    name_zh, name_en = names or (node.unit, node.unit)
    return Finding(
        fingerprint=fingerprint(node),
        klass=KLASS,
        unit=node.unit,
        node=node.id,
        times={"occurred": trouble.since, "detected": now},
        first_seen=trouble.since,
        last_seen=now,
        title=f"{zh}：{name_zh}（{node.host_name}）",
        title_en=f"{en}: {name_en} ({node.host_name})",
        evidence=(_evidence(node, trouble.why, now) | {"since": trouble.since.isoformat()},),
        source=SOURCE,
    )


def _evidence(node: Below, why: str, now: datetime) -> dict[str, Any]:
    return {
        "source": SOURCE,
        "collector": node.id,
        "unit": node.unit,
        "why": why,
        "received_at": now.isoformat(),
        "heard_at": node.heard_at.isoformat() if node.heard_at else None,
        "heartbeat": node.said,
    }


def _differs(held: Incident | None, trouble: Trouble | None) -> bool:
    """Whether the incident has not been told yet how things stand."""
    said = held.evidence[-1].get("why", BACK) if held and held.evidence else BACK
    if trouble is None:
        return said != BACK
    return said != trouble.why or (held is not None and reopens(held.state))
