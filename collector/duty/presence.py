"""Notices within 90 seconds that an agent has gone silent, and tells why as far as that can be told.

    last heartbeat said `stopping`          stopped, or shutting down where the host was: no alarm
    connection ended by the node, no word   killed: the agent died, its host lives: an incident
    connection open, its kernel answers     frozen: the agent was halted or hangs, its host lives: an incident
    connection open, nothing comes          network, or a host without power
    neither, or it asks and tells nothing   unknown: this collector was not looking, or can not say

What it was shows when the node is back: another boot is a reboot, the same boot with another process a
restart or, without a goodbye, a kill; the same process was cut off. Both ends stand in the journal.

Who kills agents often kills all he reaches. From the third of a unit within ten minutes on they are one
incident with all of them as its evidence: a duty officer is woken by a wave, not by each of its nodes.

An agent is given two and a half of its heartbeats, at least 75 seconds; only time in which this process was
looking counts.

Collectors on one database each see the connections they have themselves, and who is first tells. So the one
that knows most is first: an open connection says more than one that was ended, for the node may have ended it
to go over to another collector, and who saw neither waits longest:

    75 s   open here, or it said goodbye      79 s   the node ended it here      83 s   nothing was seen here
"""

import asyncio
import logging
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from ..errors import RetryableError
from ..incident import Finding
from ..store import journal
from ..store.engine import Store
from ..store.nodes import Agent, agents_to_look_at, set_presence

EVERY = timedelta(seconds=4)
SILENT = timedelta(seconds=75)
BEATS = 2.5
WAVE = timedelta(minutes=10)
WAVE_FROM = 3
KLASS = "DETECH"
SOURCE = "presence"
_ENDED_BEFORE = timedelta(seconds=45)
_log = logging.getLogger(__name__)
_ASKS_EVERY = 52.0
"""Seconds within which an agent that runs asks for orders again: a poll of 50, and what the way takes."""
_ACKS_EVERY = 40.0
"""Seconds within which a host that lives acknowledges a probe (`ingest.links`): two of them, and some."""
_YIELDS = {"killed": EVERY, "unknown": 2 * EVERY}
"""By what is known here: how much longer than the others this process waits before it tells."""
_TITLES = {
    "wave": ("多个探针在短时间内被终止", "several agents killed within minutes"),
    "killed": ("探针被终止：{name}", "agent killed: {name}"),
    "frozen": ("探针停滞，主机仍在应答：{name}", "agent frozen, its host still answers: {name}"),
}
Why = Literal["stopped", "shutdown", "killed", "frozen", "network", "unknown"]
After = Literal["reboot", "restart", "killed", "frozen", "network", "unknown"]


class Link(Protocol):
    """How a node's connections stand; `ingest.links` has them."""

    @property
    def open(self) -> int:
        """How many there are."""
        ...

    @property
    def ended_at(self) -> datetime | None:
        """When the node itself ended the last one."""
        ...

    @property
    def asked_ago(self) -> float | None:
        """Seconds since anything came over one of them, where that is known."""
        ...

    @property
    def acked_ago(self) -> float | None:
        """Seconds since the node's kernel acknowledged something, where that is known."""
        ...


class OpenIncident(Protocol):
    """`Casework.open`."""

    def __call__(
        self, connection: AsyncConnection, finding: Finding, received_at: datetime, now: datetime, /
    ) -> Awaitable[str]:
        """Open an incident or attach to the one that stands for the fingerprint."""
        ...


class Presence:
    """Watches the agents of this collector; `run` for ever, `look` once.

    Attributes:
        last_pass: When the last look ended.
    """

    def __init__(
        self,
        store: Store,
        *,
        links: Callable[[str], Link],
        open_incident: OpenIncident,
        now: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._links = links
        self._open = open_incident
        self._now = now
        self._watching_since: datetime | None = None
        self._killed: dict[str, deque[datetime]] = defaultdict(deque)
        self.last_pass: datetime | None = None

    async def run(self) -> None:
        """Look every four seconds."""
        while True:
            try:
                await self.look()
            except RetryableError as error:
                _log.warning("watch over agents: %s", error)
            await asyncio.sleep(EVERY.total_seconds())

    async def look(self) -> None:
        """Compare once, and write down what has changed.

        Raises:
            StoreBusyError: The database is away.
        """
        now = self._now()
        if self._watching_since is None or self.last_pass is None or now - self.last_pass > SILENT:
            self._watching_since = now
        async with self._store.read() as conn:
            agents = await agents_to_look_at(conn, now - SILENT)
        for agent in agents:
            why = why_silent(agent.said, self._links(agent.id), agent.last_seen or agent.enrolled_at)
            silent = _silent(agent, self._watching_since, now, _YIELDS.get(why, timedelta(0)))
            if silent != (agent.presence is not None):
                await self._store.run(lambda conn, one=agent: self._tell(conn, one, now))  # type: ignore[misc]
        self.last_pass = now

    async def _tell(self, conn: AsyncConnection, agent: Agent, now: datetime) -> None:
        if agent.presence is None:
            await self._gone(conn, agent, now)
        else:
            await self._back(conn, agent, agent.presence, now)

    async def _gone(self, conn: AsyncConnection, agent: Agent, now: datetime) -> None:
        heard = agent.last_seen or agent.enrolled_at
        why = why_silent(agent.said, self._links(agent.id), heard)
        said = agent.said or {}
        seen = {
            "why": why,
            "since": heard.isoformat(),
            "boot_id": said.get("boot_id"),
            "started": said.get("started"),
        }
        if not await set_presence(conn, agent.id, seen, agent.last_seen):
            return  # another process was first, or it spoke meanwhile
        await journal.write(conn, _entry(agent, "node.silent", seen), now)
        if why in {"killed", "frozen"}:
            wave = why == "killed" and self._is_wave(agent.unit, now)
            await self._open(conn, finding_of(agent, why, heard, now, wave=wave), now, now)

    def _is_wave(self, unit: str, now: datetime) -> bool:
        """Count a kill; say whether its unit has so many that they are one matter.

        A count of this process alone, and one too many where a write is tried again: what it decides is under
        which fingerprint a kill is told, never whether.
        """
        killed = self._killed[unit]
        killed.append(now)
        while killed[0] < now - WAVE:
            killed.popleft()
        return len(killed) >= WAVE_FROM

    async def _back(
        self, conn: AsyncConnection, agent: Agent, presence: dict[str, Any], now: datetime
    ) -> None:
        after = why_back(presence, agent.said or {})
        if await set_presence(conn, agent.id, None, agent.last_seen):
            told = {"after": after, "silent_since": presence.get("since"), "had_been": presence.get("why")}
            await journal.write(conn, _entry(agent, "node.back", told), now)


def why_silent(said: dict[str, Any] | None, link: Link, heard: datetime) -> Why:
    """Return what a silence looks like from here."""
    if said and said.get("stopping"):
        return "shutdown" if said.get("why") == "shutdown" else "stopped"
    if link.open:
        return _of_open(link)
    if link.ended_at is not None and link.ended_at >= heard - _ENDED_BEFORE:
        return "killed"
    return "unknown"


def _of_open(link: Link) -> Why:
    """Return what the kernels know of a connection that is open and brings no report."""
    if link.asked_ago is None or link.acked_ago is None or link.acked_ago > _ACKS_EVERY:
        return "network"
    return "frozen" if link.asked_ago > _ASKS_EVERY else "unknown"


def why_back(before: dict[str, Any], said: dict[str, Any]) -> After:
    """Return what a silence was, now that the node speaks again.

    >>> why_back({"why": "network", "boot_id": "a", "started": 7}, {"boot_id": "b", "started": 3})
    'reboot'
    >>> why_back({"why": "network", "boot_id": "a", "started": 7}, {"boot_id": "a", "started": 7})
    'network'
    """
    if before.get("boot_id") is None or said.get("boot_id") is None:
        return "unknown"
    if said["boot_id"] != before["boot_id"]:
        return "reboot"
    if said.get("started") == before.get("started"):
        return "frozen" if before.get("why") == "frozen" else "network"
    return "restart" if before.get("why") in {"stopped", "shutdown"} else "killed"


def finding_of(agent: Agent, why: Why, heard: datetime, now: datetime, *, wave: bool) -> Finding:
    """Return what is said of an agent that was killed or frozen; `wave`: with many others of its unit."""
    name = agent.host_name
    zh, en = _TITLES["wave" if wave else why]
    return Finding(
        fingerprint=f"{agent.unit}/agents-killed" if wave else f"{agent.id}/agent-{why}",
        klass=KLASS,
        unit=agent.unit,
        node=None if wave else agent.id,
        times={"occurred": heard, "detected": now},
        first_seen=heard,
        last_seen=now,
        title=zh.format(name=name),
        title_en=en.format(name=name),
        evidence=(
            {
                "source": SOURCE,
                "node": agent.id,
                "host": name,
                "why": why,
                "since": heard.isoformat(),
                "received_at": now.isoformat(),
            },
        ),
        source=SOURCE,
    )


def _silent(agent: Agent, watching_since: datetime, now: datetime, yields: timedelta) -> bool:
    every = (agent.said or {}).get("every")
    wait = SILENT
    if isinstance(every, int | float) and not isinstance(every, bool) and 0 <= every <= 3600:
        wait = max(SILENT, timedelta(seconds=BEATS * every))
    heard = agent.last_seen or agent.enrolled_at
    if agent.presence is not None:
        return heard <= datetime.fromisoformat(agent.presence["since"])
    return now - max(heard, watching_since) > wait + yields


def _entry(agent: Agent, action: str, detail: dict[str, Any]) -> journal.Entry:
    return journal.Entry(actor="system", action=action, subject=f"node:{agent.id}", detail=detail)
