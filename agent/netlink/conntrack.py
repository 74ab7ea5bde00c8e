"""Connections the moment they begin (ctnetlink, group NEW): what opens and closes between two looks is here.

The kernel tracks connections where a firewall or address translation asks for it, and tells only those with
CAP_NET_ADMIN. Each flow has two tuples: the one its first packet has, and the one answers will have. They
mirror each other unless the host translates addresses; then the answer's target is the address the outside
sees.

    original  192.168.5.7:40000 -> 203.0.113.9:443
    reply     203.0.113.9:443   -> 198.18.0.2:40000     translated to 198.18.0.2
"""

from collections.abc import Callable, Iterator

from msgspec import Struct

from .events import Events
from .message import NetlinkError, attributes, split
from .rtnetlink import address_text

NETLINK_NETFILTER = 12
NEW = 1 << 8
"""Subsystem ctnetlink (1), message IPCTNL_MSG_CT_NEW (0)."""
_GROUP_NEW = 1
_HEAD = 4
_ORIGINAL, _REPLY = 1, 2
_ADDRESSES, _PROTOCOL = 1, 2
_V4_SOURCE, _V4_TARGET, _V6_SOURCE, _V6_TARGET = 1, 2, 3, 4
_NUMBER, _SOURCE_PORT, _TARGET_PORT = 1, 2, 3
_PROTOCOLS = {1: "icmp", 6: "tcp", 17: "udp", 33: "dccp", 58: "icmpv6", 132: "sctp"}
_BUFFER = 1 << 21
Wanted = Callable[[bytes], bool]


class Flow(Struct, frozen=True):
    """A connection that began; `translated` is its source as the outside sees it, empty: as it is."""

    protocol: str
    source: str
    source_port: int
    target: str
    target_port: int
    translated: str


class _Tuple(Struct, frozen=True):
    source: bytes
    target: bytes
    protocol: int
    source_port: int
    target_port: int


def _tuple(data: bytes) -> _Tuple | None:
    found = attributes(data)
    ends, protocol = attributes(found.get(_ADDRESSES, b"")), attributes(found.get(_PROTOCOL, b""))
    source = ends.get(_V4_SOURCE) or ends.get(_V6_SOURCE)
    target = ends.get(_V4_TARGET) or ends.get(_V6_TARGET)
    if not source or not target:
        return None
    if {len(source), len(target)} - {4, 16}:
        raise NetlinkError(f"flow between addresses of {len(source)} and {len(target)} bytes")
    return _Tuple(
        source,
        target,
        int.from_bytes(protocol.get(_NUMBER, b"")),
        int.from_bytes(protocol.get(_SOURCE_PORT, b"")),
        int.from_bytes(protocol.get(_TARGET_PORT, b"")),
    )


def decode_flow(payload: bytes, wanted: Wanted) -> Flow | None:
    """Return the flow of a message, None where its target (4 or 16 bytes) is not `wanted`.

    Raises:
        NetlinkError: damaged bytes.
    """
    if len(payload) < _HEAD:
        raise NetlinkError(f"netfilter message of {len(payload)} bytes, its head has {_HEAD}")
    found = attributes(payload[_HEAD:])
    original = _tuple(found.get(_ORIGINAL, b""))
    if original is None or not wanted(original.target):
        return None
    reply = _tuple(found.get(_REPLY, b""))
    translated = reply is not None and reply.target != original.source
    return Flow(
        protocol=_PROTOCOLS.get(original.protocol, str(original.protocol)),
        source=address_text(original.source),
        source_port=original.source_port,
        target=address_text(original.target),
        target_port=original.target_port,
        translated=address_text(reply.target) if reply and translated else "",
    )


def flows(datagram: bytes, wanted: Wanted) -> Iterator[Flow]:
    """Yield the flows that a datagram says have begun.

    Raises:
        NetlinkError: damaged bytes.
    """
    for message in split(datagram):
        flow = decode_flow(message.payload, wanted) if message.type == NEW else None
        if flow:
            yield flow


class NewFlows(Events):
    """The socket on which connections begin."""

    def __init__(self, buffer: int = _BUFFER) -> None:
        """Begin to listen.

        Raises:
            OSError: no connection tracking here, or no right to it (CAP_NET_ADMIN).
        """
        super().__init__(NETLINK_NETFILTER, (_GROUP_NEW,), buffer)
