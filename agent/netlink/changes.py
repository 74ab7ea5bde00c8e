"""The socket on which the kernel says that a table changed: "look again", and nothing else.

An event is only a reason to look: whoever hears one dumps the tables (`rtnetlink.look`), so a lost event
costs nothing but the time until the next one, and an overflow of the socket is just another reason.
"""

import socket
from typing import TYPE_CHECKING

from .events import EVENT_BUFFER, Events
from .message import Message, NetlinkError, split
from .rtnetlink import NEWNEIGH, decode_neighbour

if TYPE_CHECKING:
    from collections.abc import Mapping

DELNEIGH = 29
# RTNLGRP numbers: link, neighbour; IPv4 address, route, rule; IPv6 address, route, rule; forwarding of both;
# next hop objects, with which routes come and go untold.
_GROUPS = (1, 3, 5, 7, 8, 9, 11, 19, 24, 25, 32)


class Changes:
    """The open socket.

    Neighbours come and go all day; only a next hop whose hardware address is not as it was told counts.

    Attributes:
        hops: The hardware address of each next hop as it was last told, by (link, address).
    """

    def __init__(self, buffer: int = EVENT_BUFFER) -> None:
        self._events = Events(socket.NETLINK_ROUTE, _GROUPS, buffer)
        self.hops: Mapping[tuple[int, str], str] = {}

    @property
    def overflows(self) -> int:
        """How often the kernel had to drop events (ENOBUFS)."""
        return self._events.overflows

    def fileno(self) -> int:
        """Return the file descriptor."""
        return self._events.fileno()

    def drain(self) -> bool:
        """Read everything that waits; say whether any of it is a reason to look, an overflow included."""
        overflows = self.overflows
        waiting = self._events.drain()
        return self.overflows > overflows or any(self._matters(datagram) for datagram in waiting)

    def _matters(self, datagram: bytes) -> bool:
        try:
            return any(self._is_news(message) for message in split(datagram))
        except NetlinkError:
            return True

    def _is_news(self, message: Message) -> bool:
        if message.type not in {NEWNEIGH, DELNEIGH}:
            return True
        row = decode_neighbour(message.payload)
        if row is None or (row.index, row.address) not in self.hops:
            return False
        return message.type == NEWNEIGH and row.mac not in {"", self.hops[row.index, row.address]}

    def close(self) -> None:
        """Close the socket."""
        self._events.close()
