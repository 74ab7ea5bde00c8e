"""Finds collectors below that have gone silent or stand still, and those whose people nobody can reach.

Level-triggered: each look compares what the last heartbeats say (`below`) with the incident that stands for
the matter, and tells it what differs from the newest evidence it has.

    wrong ──────> no incident, or its newest evidence says otherwise
                  ──> open or attach: people here and at the unit below are told
    none of it ─> "back" ──> note: the incident is told; what ends by itself is handled, the rest by a person

Only time in which this process was looking counts as silence: after a start, or a sleep of the host, every
collector below is given its 90 seconds anew.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from ..errors import RetryableError
from ..escalation import Directory, wake
from ..incident import Finding, reopens
from ..registry import Registry
from ..store.engine import Store
from ..store.incidents import Incident, get_live, lock_live
from ..store.nodes import Below, collectors_below
from ..store.notice_batch import NewNotice, add_notices
from .below import BACK, MATTERS, SILENT, Matter, Trouble, Unknown, evidence_of, finding_of, lines_of

EVERY = timedelta(seconds=10)
_log = logging.getLogger(__name__)


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


class End(Protocol):
    """`Casework.move`."""

    def __call__(  # noqa: PLR0917 - the form is fixed between the rooms
        self, connection: AsyncConnection, incident: str, to: str, actor: str, now: datetime, reason: str, /
    ) -> Awaitable[None]:
        """Take an incident to a later state."""
        ...


class Silence:
    """Watches the collectors below; `run` for ever, `look` once.

    Args:
        store: The state.
        open_incident, note_end, end: The writers of incidents.
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
        end: End,
        registry: Callable[[], Registry],
        directory: Callable[[], Directory],
        unit: str,
        now: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._open = open_incident
        self._note = note_end
        self._end = end
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
            told = {
                (one.id, matter.name): await get_live(connection, matter.fingerprint(one))
                for one in below
                for matter in MATTERS
            }
        for node in below:
            for matter in MATTERS:
                trouble = matter.judge(node, self._watching_since, now)
                if _differs(told[node.id, matter.name], trouble):
                    await self._store.run(
                        lambda connection, node=node, matter=matter: self._tell(connection, node, matter, now)  # type: ignore[misc]
                    )
        self.last_pass = now

    async def _tell(self, connection: AsyncConnection, node: Below, matter: Matter, now: datetime) -> None:
        fingerprint = matter.fingerprint(node)
        held = await lock_live(connection, fingerprint)
        trouble = matter.judge(node, self._watching_since or now, now)
        if isinstance(trouble, Unknown) or not _differs(held, trouble):
            return  # another process was first
        if trouble is None:
            await self._note(connection, fingerprint, evidence_of(node, BACK, now), now)
            if matter.ends and held is not None and not reopens(held.state):
                await self._end(connection, held.id, "handled", "system", now, matter.ends)
            return
        unit = self._registry().unit(node.unit)
        names = (unit.name, unit.name_en or unit.name) if unit else None
        finding = finding_of(node, matter, trouble, names, now)
        incident = await self._open(connection, finding, now, now)
        await add_notices(
            connection, self._notices(incident, finding, trouble, lines_of(node.said, trouble)), now
        )

    def _notices(self, incident: str, finding: Finding, trouble: Trouble, body: str) -> list[NewNotice]:
        """The chain wakes the unit below; who watches it from here has to hear of it too."""
        payload = {
            "subject": f"【烽燧】{finding.title} [Fengsui] {finding.title_en}",
            "body": body,
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


def _differs(held: Incident | None, trouble: Trouble | Unknown | None) -> bool:
    """Whether the incident has not been told yet how things stand."""
    if isinstance(trouble, Unknown):
        return False
    said = held.evidence[-1].get("why", BACK) if held and held.evidence else BACK
    if trouble is None:
        return said != BACK
    return said != trouble.why or (held is not None and reopens(held.state))
