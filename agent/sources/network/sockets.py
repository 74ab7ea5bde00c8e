"""Who on this host talks to addresses outside the internal ranges.

A look every `poll` seconds reads the kernel's table, and one comes at once when the kernel says that a
connection to the outside began (`newflows.py`, where connections are tracked). What is gone by then is kept
as the event told it, without a process; elsewhere a connection that this host closed stays in TIME_WAIT for
a minute. Processes are looked up only for connections that go outside and are new.
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from msgspec import Struct

from ...bounded import Seconds
from ...budget import Budget, RefusedError
from ...netlink import inet_diag, rtnetlink
from ...netlink.conntrack import Flow as NewFlow
from ...netlink.message import NetlinkError
from ..port import Clock, Emit, Observation, Reading, Unreadable, moment
from ..programs.procfs import hidden_because, socket_owners
from ..ranges import INTERNAL, Ranges
from ..rounds.runs import Paid, Runs
from .newflows import Guests, NewFlows

_FIN_WAIT1, _FIN_WAIT2, _TIME_WAIT, _LAST_ACK, _CLOSING = 4, 5, 6, 9, 11
_STATES = inet_diag.states(
    inet_diag.ESTABLISHED, _FIN_WAIT1, _FIN_WAIT2, _TIME_WAIT, inet_diag.CLOSE_WAIT, _LAST_ACK, _CLOSING
)
_MAX_ROWS = 1000
_MAX_FLOWS = 10_000
_BETWEEN = 1.0
_SETTLED = 5.0


class SocketsSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of the sockets source.

    Fields:
        enabled: Whether it runs.
        poll: Seconds between looks; below 60, the time a closed connection can still be seen.
        period: Seconds after which the full picture is told again.
        budget: What it may cost.
    """

    enabled: bool = True
    poll: Seconds = 30.0
    period: Seconds = 3600.0
    budget: Budget = Budget()


class Talk(NamedTuple):
    """Who talks to whom: what makes connections one row."""

    protocol: str
    local_address: str
    remote_address: str
    remote_port: int
    program: str | None
    uid: int | None


class Flow(Struct):
    """What was seen of a talk so far."""

    who: Mapping[str, Any] | None
    first_seen: datetime
    last_seen: datetime
    count: int = 0
    open: bool = True


class Ledger:
    """The talks seen, from look to look: pure."""

    def __init__(self) -> None:
        self._flows: dict[Talk, Flow] = {}
        self._connections: dict[tuple[str, str, int, str, int], Talk] = {}

    def unknown(self, found: Iterable[inet_diag.Socket]) -> set[int]:
        """Return the inodes whose process is still to be found."""
        return {one.inode for one in found if one.inode and _ends(one) not in self._connections}

    def note(
        self, found: Iterable[inet_diag.Socket], owners: Mapping[int, Mapping[str, Any]], now: datetime
    ) -> bool:
        """Take in one look; say whether a talk began or ended."""
        before = {talk for talk, flow in self._flows.items() if flow.open}
        known, self._connections = self._connections, {}
        for flow in self._flows.values():
            flow.open = False
        begun = False
        for one in found:
            talk = known.get(_ends(one)) or _talk(one, owners.get(one.inode))
            self._connections[_ends(one)] = talk
            begun = self._count(talk, one, owners, now, fresh=_ends(one) not in known) or begun
        return begun or before != {talk for talk, flow in self._flows.items() if flow.open}

    def _count(
        self,
        talk: Talk,
        one: inet_diag.Socket,
        owners: Mapping[int, Mapping[str, Any]],
        now: datetime,
        *,
        fresh: bool,
    ) -> bool:
        flow = self._flows.get(talk)
        begun = flow is None
        if flow is None:
            if len(self._flows) >= _MAX_FLOWS:
                return False
            flow = self._flows[talk] = Flow(owners.get(one.inode), now, now)
            flow.open = False
        flow.count += fresh
        if fresh or one.state == inet_diag.ESTABLISHED:
            flow.last_seen = now
        flow.open = flow.open or one.state == inet_diag.ESTABLISHED
        return begun

    def note_gone(self, flows: Iterable[NewFlow], now: datetime) -> bool:
        """Take in what began and is gone already; say whether a talk is new."""
        begun = False
        for one in flows:
            ends = (one.protocol, one.source, one.source_port, one.target, one.target_port)
            if ends in self._connections:
                continue
            talk = Talk(one.protocol, one.source, one.target, one.target_port, None, None)
            flow = self._flows.get(talk)
            if flow is None:
                if len(self._flows) >= _MAX_FLOWS:
                    continue
                flow = self._flows[talk] = Flow(None, now, now, 0, open=False)
                begun = True
            flow.count += 1
            flow.last_seen = now
        return begun

    def processes(self) -> set[int]:
        """Return the processes of the talks seen."""
        return {flow.who["pid"] for flow in self._flows.values() if flow.who}

    def rows(self) -> list[dict[str, Any]]:
        """Return the body's rows, newest first."""
        newest = sorted(self._flows.items(), key=lambda item: item[1].last_seen, reverse=True)
        return [_row(talk, flow) for talk, flow in newest]

    def forget_ended(self) -> None:
        """Drop what has ended and was told."""
        live = set(self._connections.values())
        self._flows = {talk: flow for talk, flow in self._flows.items() if flow.open or talk in live}


def _ends(one: inet_diag.Socket) -> tuple[str, str, int, str, int]:
    return (one.protocol, one.local_address, one.local_port, one.remote_address, one.remote_port)


def _talk(one: inet_diag.Socket, who: Mapping[str, Any] | None) -> Talk:
    program = (who["program"] or who["name"]) if who else None
    return Talk(one.protocol, one.local_address, one.remote_address, one.remote_port, program, one.uid)


def _row(talk: Talk, flow: Flow) -> dict[str, Any]:
    who = flow.who or {}
    return {
        "protocol": talk.protocol,
        "local_address": talk.local_address,
        "remote_address": talk.remote_address,
        "remote_port": talk.remote_port,
        "process": who.get("name"),
        "pid": who.get("pid"),
        "program": who.get("program"),
        "uid": talk.uid,
        "first_seen": moment(flow.first_seen),
        "last_seen": moment(flow.last_seen),
        "count": flow.count,
        "open": flow.open,
    }


class Sockets(Paid):
    """The sockets source."""

    name = "sockets"

    def __init__(
        self,
        settings: SocketsSettings | None = None,
        *,
        internal_ranges: tuple[str, ...] = INTERNAL,
        root: Path = Path("/"),
        beacons: Collection[tuple[str, int]] = (),
    ) -> None:
        self._settings = settings or SocketsSettings()
        self._internal = internal_ranges
        self._ranges = Ranges(internal_ranges, beacons=beacons)
        self._proc = root / "proc"
        self._runs = Runs(self.name, self._settings.budget)
        self._guests = Guests()

    async def once(self, now: datetime) -> Reading:
        """Look once."""
        ledger = Ledger()
        try:
            hidden = await self._runs.look(lambda: self.sweep(ledger, now)[1])
        except (RefusedError, NetlinkError, OSError) as error:
            return Reading(unreadable=(Unreadable(self.name, "socket table", str(error)),))
        unreadable: tuple[Unreadable, ...] = ()
        if hidden:
            why = hidden_because()
            unreadable = (Unreadable(self.name, f"process of {hidden} connections", why),)
        return Reading((Observation("sockets", self.name, now, self._body(ledger)),), unreadable)

    async def watch(self, emit: Emit, clock: Clock) -> None:
        """Look every `poll` seconds and when a connection began; tell when a talk began or ended."""
        news = NewFlows(self._ranges, asyncio.get_running_loop())
        with news.listening():
            if news.deaf:
                self._runs.note_gap(
                    f"connections that begin and end between two looks are not seen: {news.deaf}"
                )
            await self._watch(emit, clock, news)

    async def _watch(self, emit: Emit, clock: Clock, news: NewFlows) -> None:
        loop = asyncio.get_running_loop()
        ledger = Ledger()
        due = told_at = 0.0
        pending = looked = False
        while True:
            heard = news.take()
            if heard.lost or heard.overflows:
                why = f"new connections: {heard.lost} not kept, {heard.overflows} times dropped by the kernel"
                self._runs.note_gap(why)
            now = clock()
            changed = False
            try:
                changed = await self._runs.look(partial(self._look, ledger, heard.flows, now))
                looked = True
            except RefusedError:
                pass
            except (NetlinkError, OSError) as error:
                self._runs.note_trouble(f"socket table could not be read: {error}")
            pending = pending or changed
            settled = loop.time() - told_at >= min(_SETTLED, self._settings.poll)
            if looked and ((pending and settled) or loop.time() >= due):
                observation = Observation("sockets", self.name, now, self._body(ledger))
                self._runs.pay(observation)
                await emit(observation)
                ledger.forget_ended()
                self._guests.forget()
                told_at, pending = loop.time(), False
                due = told_at + self._settings.period
            await self._runs.tell(emit, "sockets", clock())
            await asyncio.sleep(max(min(_BETWEEN, self._settings.poll), self._runs.resting))
            with suppress(TimeoutError):
                async with asyncio.timeout(
                    min(_SETTLED, self._settings.poll) if pending else self._settings.poll
                ):
                    await news.waiting.wait()

    def _look(self, ledger: Ledger, heard: tuple[NewFlow, ...], now: datetime) -> bool:
        changed = self.sweep(ledger, now)[0]
        if not heard:
            return changed
        own = rtnetlink.own_addresses()
        gone = ledger.note_gone((flow for flow in heard if flow.source in own), now)
        guests = self._guests.note([flow for flow in heard if flow.source not in own], now)
        return changed or gone or guests

    def sweep(self, ledger: Ledger, now: datetime) -> tuple[bool, int]:
        """Take one look into `ledger`; return whether it changed and how many processes stay hidden.

        Raises:
            NetlinkError: the kernel refused, or its answer could not be read.
            OSError: no netlink socket here, or no answer.
        """
        found = self._ranges.talks(_STATES)
        unknown = ledger.unknown(found)
        owners = socket_owners(unknown, self._proc, ledger.processes())
        return ledger.note(found, owners, now), len(unknown - owners.keys())

    def _body(self, ledger: Ledger) -> dict[str, Any]:
        rows = ledger.rows()
        return {
            "connections": rows[:_MAX_ROWS],
            "total": len(rows),
            "forwarded": self._guests.rows(),
            "internal_ranges": list(self._internal),
        }
