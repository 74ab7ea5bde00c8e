"""Connections heard as they begin, between two looks of the sockets source: bounded, and every loss counted.

    ctnetlink NEW -> outside? -> waiting (each pair of ends once, 4096 at most) -> taken by the next look
                       |            full, or more than `_A_SECOND` read in this second: not read, counted
                       no: forgotten

In a flood the socket is left alone for the rest of the second, so that it costs a bounded share of a core;
the kernel then drops what does not fit and says so.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from msgspec import Struct

from ...netlink import conntrack
from ...netlink.conntrack import Flow
from ...netlink.message import NetlinkError, reason
from ..port import moment
from ..ranges import Ranges

_MAX_WAITING = 4096
_A_SECOND = 2000
_A_READ = 256
_MAX_SOURCES = 256
_MAX_REMOTES = 5


class Heard(Struct, frozen=True):
    """What was heard since the last look; `lost` counts the datagrams the kernel or we could not keep."""

    flows: tuple[Flow, ...] = ()
    lost: int = 0
    overflows: int = 0


class NewFlows:
    """Hears connections begin.

    Attributes:
        deaf: Why nothing can be heard here; empty where it can.
        waiting: Set when something waits to be taken.
    """

    def __init__(self, ranges: Ranges, loop: asyncio.AbstractEventLoop) -> None:
        self.deaf = ""
        self.waiting = asyncio.Event()
        self._ranges = ranges
        self._loop = loop
        self._flows: dict[tuple[str, str, int, str, int], Flow] = {}
        self._lost = self._overflows = 0
        self._read, self._second = 0, 0
        self._socket: conntrack.NewFlows | None = None

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Listen for the time of a block; where the kernel does not let us, `deaf` says why."""
        try:
            self._socket = conntrack.NewFlows()
        except OSError as error:
            self.deaf = reason(error.errno)
            yield
            return
        self._loop.add_reader(self._socket.fileno(), self.drain)
        try:
            yield
        finally:
            self._loop.remove_reader(self._socket.fileno())
            self._socket.close()
            self._socket = None

    def drain(self) -> None:
        """Read some of what waits."""
        if self._socket is None:
            return
        second = int(self._loop.time())
        if second != self._second:
            self._second, self._read = second, 0
        if self._read >= _A_SECOND:
            return
        datagrams = self._socket.drain(_A_READ)
        self._read += len(datagrams)
        for datagram in datagrams:
            self._keep(datagram)
        if self._read >= _A_SECOND:
            self._loop.remove_reader(self._socket.fileno())
            self._loop.call_later(1.0 - self._loop.time() % 1.0, self._again)

    def _again(self) -> None:
        if self._socket is not None:
            self._loop.add_reader(self._socket.fileno(), self.drain)

    def _keep(self, datagram: bytes) -> None:
        try:
            for flow in conntrack.flows(datagram, self._ranges.outside):
                if self._ranges.asks(flow.target, flow.target_port):
                    continue
                if len(self._flows) >= _MAX_WAITING:
                    self._lost += 1
                    continue
                ends = (flow.protocol, flow.source, flow.source_port, flow.target, flow.target_port)
                self._flows[ends] = flow
                self.waiting.set()
        except NetlinkError:
            self._lost += 1

    def take(self) -> Heard:
        """Return what was heard since the last call, and begin anew."""
        overflows = self._socket.overflows if self._socket else 0
        heard = Heard(tuple(self._flows.values()), self._lost, overflows - self._overflows)
        self._flows, self._lost, self._overflows = {}, 0, overflows
        self.waiting.clear()
        return heard


class Guest(Struct):
    """Somebody else who goes outside through this host."""

    first_seen: datetime
    last_seen: datetime
    count: int
    remotes: list[str]
    translated: str


class Guests:
    """Who uses this host as a gateway: flows whose source is none of our addresses. Pure."""

    def __init__(self) -> None:
        self._guests: dict[str, Guest] = {}

    def note(self, flows: list[Flow], now: datetime) -> bool:
        """Take in flows of others; say whether one came that was not known."""
        begun = False
        for flow in flows:
            guest = self._guests.get(flow.source)
            if guest is None:
                if len(self._guests) >= _MAX_SOURCES:
                    continue
                guest = self._guests[flow.source] = Guest(now, now, 0, [], flow.translated)
                begun = True
            guest.count += 1
            guest.last_seen = now
            if flow.target not in guest.remotes and len(guest.remotes) < _MAX_REMOTES:
                guest.remotes.append(flow.target)
        return begun

    def rows(self) -> list[dict[str, Any]]:
        """Return the body's rows."""
        return [
            {
                "source_address": source,
                "remote_addresses": guest.remotes,
                "translated_to": guest.translated or None,
                "count": guest.count,
                "first_seen": moment(guest.first_seen),
                "last_seen": moment(guest.last_seen),
            }
            for source, guest in self._guests.items()
        ]

    def forget(self) -> None:
        """Drop what was told."""
        self._guests.clear()
