"""Which nodes hold a connection, and how the last one ended: what tells a killed agent from a lost line.

process killed   its kernel ends the connection in the same moment    ended by peer, nothing said before
process frozen   its kernel goes on acknowledging what comes          open, acknowledged, nothing asked
line lost        nothing comes, nothing ends                          open, as far as we know
our own doing    an idle connection closed by us                      says nothing of the node

The kernels' own probes (`keep_asking`) have a living host acknowledge at least every half minute.
"""

import asyncio
import socket
import struct
from contextlib import suppress
from datetime import datetime
from typing import Protocol

from msgspec import Struct

PROBE_SECONDS = 15
# More than 180 s of unanswered probes end a connection otherwise, and with it what is known of the line.
_PROBES = 127
# struct tcp_info of linux/tcp.h: milliseconds since data, and since an acknowledgement, last came.
_AGES = struct.Struct("=52xII")


class Link(Struct, frozen=True):
    """How a node's connections stand.

    Fields:
        open: How many there are.
        ended_at: When the node itself ended the last one.
        asked_ago: Seconds since anything came over one of them; None: nobody can say.
        acked_ago: Seconds since the node's kernel last acknowledged something; None: nobody can say.
    """

    open: int = 0
    ended_at: datetime | None = None
    asked_ago: float | None = None
    acked_ago: float | None = None


class Socket(Protocol):
    """As much of a transport's socket as is used; asyncio and uvloop both have it."""

    def dup(self) -> socket.socket:
        """Return a second handle of it."""
        ...


class Links:
    """Kept in memory by the process that holds the connections; after its start nothing is known."""

    def __init__(self) -> None:
        self._open: dict[str, set[asyncio.BaseTransport]] = {}
        self._ended: dict[str, datetime] = {}

    def opened(self, node: str, transport: asyncio.BaseTransport) -> None:
        """A node's connection was accepted."""
        if node:
            self._open.setdefault(node, set()).add(transport)
            self._ended.pop(node, None)

    def closed(self, node: str, transport: asyncio.BaseTransport, *, by_peer: bool, at: datetime) -> None:
        """It ended; `by_peer`: the other side did it."""
        held = self._open.get(node)
        if held is None:
            return
        held.discard(transport)
        if not held:
            del self._open[node]
            if by_peer:
                self._ended[node] = at

    def of(self, node: str) -> Link:
        """Return how a node's connections stand."""
        held = self._open.get(node, ())
        ages = [found for transport in held if (found := ages_of(transport))]
        asked, acked = (min(each) for each in zip(*ages, strict=True)) if ages else (None, None)
        return Link(len(held), self._ended.get(node), asked, acked)


def keep_asking(listening: Socket) -> None:
    """Let the kernel probe every idle connection that is accepted here; the other side's kernel answers."""
    with listening.dup() as handle:
        handle.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL):
            handle.setsockopt(socket.IPPROTO_TCP, option, PROBE_SECONDS)
        handle.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, _PROBES)


def ages_of(transport: asyncio.BaseTransport) -> tuple[float, float] | None:
    """Return the seconds since data and since an acknowledgement came; None where the kernel doesn't say."""
    found: Socket | None = transport.get_extra_info("socket")
    with suppress(OSError, struct.error):
        if found is not None:
            with found.dup() as handle:
                told = handle.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _AGES.size)
            data, acknowledged = _AGES.unpack(told)
            return data / 1000, acknowledged / 1000
    return None
