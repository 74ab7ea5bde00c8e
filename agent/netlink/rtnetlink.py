"""Links, addresses, routes, their next hops and rules (rtnetlink(7)) as plain values, all dumped at once."""

import socket
import struct
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache

from msgspec import Struct
from msgspec.structs import replace

from .message import Message, NetlinkError, Row, UnsupportedError, attributes, seen

NEWLINK, NEWADDR, NEWROUTE, NEWNEIGH, NEWRULE = 16, 20, 24, 28, 32
GETLINK, GETADDR, GETROUTE, GETNEIGH, GETRULE = 18, 22, 26, 30, 34
NEWNEXTHOP, GETNEXTHOP = 104, 106
FLAG_UP = 1
CLONED = 0x200
OPERSTATES = ("unknown", "notpresent", "down", "lowerlayerdown", "testing", "dormant", "up")
ROUTE_TYPES = (
    "unspec", "unicast", "local", "broadcast", "anycast", "multicast", "blackhole", "unreachable", "prohibit",
    "throw", "nat", "xresolve",
)  # fmt: skip
NEIGHBOUR_STATES = {
    0x01: "incomplete", 0x02: "reachable", 0x04: "stale", 0x08: "delay", 0x10: "probe", 0x20: "failed",
    0x40: "noarp", 0x80: "permanent",
}  # fmt: skip
RULE_ACTIONS = {1: "lookup", 2: "goto", 3: "nop", 6: "blackhole", 7: "unreachable", 8: "prohibit"}
_FAMILIES = {socket.AF_INET: 4, socket.AF_INET6: 6}
_SKIP_STATISTICS = struct.pack("=HHI", 8, 29, 8)


class Link(Struct, frozen=True):
    """A network interface as the kernel tells it; `hardware` is its ARPHRD number."""

    index: int
    name: str
    hardware: int
    up: bool
    state: str
    mac: str
    mtu: int
    info_kind: str
    master: int


class Address(Struct, frozen=True):
    """An address on a link; on a point-to-point link `peer` is the other end."""

    index: int
    family: int
    address: str
    prefix: int
    peer: str


class NextHop(Struct, frozen=True):
    """Where a route leads: a gateway (empty when on the link) and the link's number (0: none)."""

    gateway: str
    index: int


class Route(Struct, frozen=True):
    """A route of any table; several next hops share its packets.

    `nexthop` is the number of the object that holds them (ip-nexthop(8)), 0: none. A kernel that is told not
    to be compatible (`net.ipv4.nexthop_compat_mode`) gives the number alone.
    """

    family: int
    destination: str
    table: int
    type: str
    protocol: int
    scope: int
    metric: int
    source: str
    hops: tuple[NextHop, ...]
    nexthop: int = 0


class Object(Struct, frozen=True):
    """A next hop object: a hop of its own, or a group of others by their numbers."""

    number: int
    hop: NextHop
    group: tuple[int, ...] = ()


class Rule(Struct, frozen=True):
    """A policy routing rule; empty fields match everything."""

    family: int
    priority: int
    source: str
    destination: str
    incoming: str
    outgoing: str
    mark: int
    table: int
    action: str


class Neighbour(Struct, frozen=True):
    """Who answers for an address on a link: its hardware address (empty: nobody yet)."""

    index: int
    address: str
    mac: str
    state: str


class Tables(Struct, frozen=True):
    """All tables as they were at one look; `torn`: one changed whenever it was read, and holds too much."""

    links: tuple[Link, ...]
    addresses: tuple[Address, ...]
    routes: tuple[Route, ...]
    rules: tuple[Rule, ...]
    neighbours: tuple[Neighbour, ...] = ()
    torn: bool = False


def _number(data: bytes | None) -> int:
    return int.from_bytes(data, "little" if _LITTLE else "big") if data and len(data) <= 8 else 0


_LITTLE = struct.pack("=H", 1) == b"\1\0"


def _text(data: bytes | None) -> str:
    return data.split(b"\0", 1)[0].decode("utf-8", "replace") if data else ""


def address_text(data: bytes | None) -> str:
    """Return an IPv4 or IPv6 address in text; absent is empty.

    Raises:
        NetlinkError: neither 4 nor 16 bytes.
    """
    if not data:
        return ""
    if len(data) == 4:
        return socket.inet_ntop(socket.AF_INET, data)
    if len(data) == 16:
        return socket.inet_ntop(socket.AF_INET6, data)
    raise NetlinkError(f"address of {len(data)} bytes, expected 4 or 16")


def _head(layout: struct.Struct, payload: bytes) -> tuple[int, ...]:
    if len(payload) < layout.size:
        raise NetlinkError(f"message of {len(payload)} bytes, its head has {layout.size}")
    return layout.unpack_from(payload)


_IFINFO = struct.Struct("=BxHiII")
_IFADDR = struct.Struct("=BBBBI")
_RTMSG = struct.Struct("=BBBBBBBBI")
_HOP = struct.Struct("=HBBi")
_NDMSG = struct.Struct("=BxxxiHBB")
_NHMSG = struct.Struct("=BBBxI")
_NOWHERE = (NextHop("", 0),)


def decode_link(payload: bytes) -> Link:
    """Return the link of an RTM_NEWLINK message.

    Raises:
        NetlinkError: damaged bytes.
    """
    _, hardware, index, flags, _ = _head(_IFINFO, payload)
    found = attributes(payload[_IFINFO.size :])
    info = attributes(found.get(18, b""))
    state = _number(found.get(16))
    return Link(
        index=index,
        name=_text(found.get(3)),
        hardware=hardware,
        up=bool(flags & FLAG_UP),
        state=OPERSTATES[state] if state < len(OPERSTATES) else "unknown",
        mac=found[1].hex(":") if len(found.get(1, b"")) == 6 else "",
        mtu=_number(found.get(4)),
        info_kind=_text(info.get(1)),
        master=_number(found.get(10)),
    )


def decode_address(payload: bytes) -> Address | None:
    """Return the address of an RTM_NEWADDR message, None for a family we do not know.

    Raises:
        NetlinkError: damaged bytes.
    """
    family, prefix, _, _, index = _head(_IFADDR, payload)
    if family not in _FAMILIES:
        return None
    found = attributes(payload[_IFADDR.size :])
    remote = address_text(found.get(1))
    local = address_text(found.get(2)) or remote
    return Address(
        index=index,
        family=_FAMILIES[socket.AddressFamily(family)],
        address=local,
        prefix=prefix,
        peer="" if remote == local else remote,
    )


def _network(data: bytes | None, length: int, family: int) -> str:
    if not data:
        return f"{'0.0.0.0' if family == 4 else '::'}/{length}"  # noqa: S104 - a destination, not a bind
    return f"{address_text(data)}/{length}"


def _gateway(gateway: bytes | None, via: bytes | None) -> str:
    """Return RTA_GATEWAY, or RTA_VIA: a gateway of the other family."""
    return address_text(gateway) or (address_text(via[2:]) if via else "")


@lru_cache(maxsize=4096)
def _single(gateway: bytes | None, via: bytes | None, link: bytes | None) -> tuple[NextHop, ...]:
    """Return the one next hop of a route; a whole internet table shares a few."""
    return (NextHop(_gateway(gateway, via), _number(link)),)


def _hops(data: bytes) -> Iterator[NextHop]:
    offset = 0
    while len(data) - offset >= _HOP.size:
        length, _, _, index = _HOP.unpack_from(data, offset)
        if not _HOP.size <= length <= len(data) - offset:
            raise NetlinkError(f"next hop at offset {offset} claims {length} bytes of {len(data) - offset}")
        found = attributes(data[offset + _HOP.size : offset + length])
        yield NextHop(_gateway(found.get(5), found.get(18)), index)
        offset += length + 3 & ~3


def decode_route(payload: bytes) -> Route | None:
    """Return the route of an RTM_NEWROUTE message, None for cached ones and families we do not know.

    Raises:
        NetlinkError: damaged bytes.
    """
    number, length, _, _, table, protocol, scope, kind, flags = _head(_RTMSG, payload)
    if number not in _FAMILIES or flags & CLONED:
        return None
    family = _FAMILIES[socket.AddressFamily(number)]
    found = attributes(payload[_RTMSG.size :])
    return Route(
        family=family,
        destination=_network(found.get(1), length, family),
        table=_number(found.get(15)) or table,
        type=ROUTE_TYPES[kind] if kind < len(ROUTE_TYPES) else str(kind),
        protocol=protocol,
        scope=scope,
        metric=_number(found.get(6)),
        source=address_text(found.get(7)),
        hops=tuple(_hops(found[9])) if 9 in found else _single(found.get(5), found.get(18), found.get(4)),
        nexthop=_number(found.get(30)),
    )


def decode_object(payload: bytes) -> Object:
    """Return the next hop object of an RTM_NEWNEXTHOP message.

    Raises:
        NetlinkError: damaged bytes.
    """
    _head(_NHMSG, payload)
    found = attributes(payload[_NHMSG.size :])
    members = found.get(2, b"")
    numbers = struct.iter_unpack("=I4x", members[: len(members) // 8 * 8])
    return Object(
        number=_number(found.get(1)),
        hop=NextHop(address_text(found.get(6)), _number(found.get(5))),
        group=tuple(number for (number,) in numbers),
    )


def with_hops(route: Route, objects: Mapping[int, Object]) -> Route:
    """Return a route with the next hops of its object, where the kernel gave the object's number alone."""
    held = objects.get(route.nexthop)
    if held is None or route.hops != _NOWHERE:
        return route
    hops = tuple(objects[number].hop for number in held.group if number in objects)
    return replace(route, hops=hops or (held.hop,))


def decode_rule(payload: bytes) -> Rule | None:
    """Return the rule of an RTM_NEWRULE message, None for a family we do not know.

    Raises:
        NetlinkError: damaged bytes.
    """
    number, to_length, from_length, _, table, _, _, action, _ = _head(_RTMSG, payload)
    if number not in _FAMILIES:
        return None
    family = _FAMILIES[socket.AddressFamily(number)]
    found = attributes(payload[_RTMSG.size :])
    return Rule(
        family=family,
        priority=_number(found.get(6)),
        source=_network(found.get(2), from_length, family) if from_length else "",
        destination=_network(found.get(1), to_length, family) if to_length else "",
        incoming=_text(found.get(3)),
        outgoing=_text(found.get(17)),
        mark=_number(found.get(10)),
        table=_number(found.get(15)) or table,
        action=RULE_ACTIONS.get(action, str(action)),
    )


def decode_neighbour(payload: bytes) -> Neighbour | None:
    """Return the neighbour of an RTM_NEWNEIGH message, None for a family we do not know (bridge ports).

    Raises:
        NetlinkError: damaged bytes.
    """
    family, index, state, _, _ = _head(_NDMSG, payload)
    if family not in _FAMILIES:
        return None
    found = attributes(payload[_NDMSG.size :])
    mac = found.get(2, b"")
    return Neighbour(
        index=index,
        address=address_text(found.get(1)),
        mac=mac.hex(":") if len(mac) == 6 else "",
        state=NEIGHBOUR_STATES.get(state, "unknown"),
    )


class _Look:
    """Reads tables and remembers whether one of them was torn."""

    torn = False

    def rows(
        self, kind: int, answer: int, request: bytes, decode: Callable[[bytes], Row | None]
    ) -> tuple[Row, ...]:
        def read(row: Message) -> Row | None:
            return decode(row.payload) if row.type == answer else None

        found, whole = seen(socket.NETLINK_ROUTE, kind, request, read)
        self.torn |= not whole
        return tuple(found if whole else {_identity(row): row for row in found}.values())


def _identity(row: object) -> object:
    """Return by what a row of several dumps is the same: of a link that changed meanwhile the last one is."""
    return row.index if isinstance(row, Link) else row


def own_addresses() -> frozenset[str]:
    """Return the addresses of this host.

    Raises:
        NetlinkError: the kernel refused, or its answer could not be read.
        OSError: no netlink socket here (a sandbox), or no answer.
    """
    rows = _Look().rows(GETADDR, NEWADDR, bytes(_IFADDR.size), decode_address)
    return frozenset(row.address for row in rows)


def rules(kind: int = GETRULE, reader: _Look | None = None) -> tuple[Rule, ...]:
    """Return the rules; none where the kernel was built with one table only and knows no rules.

    Raises:
        NetlinkError: the kernel refused, or its answer could not be read.
        OSError: no netlink socket here (a sandbox), or no answer.
    """
    try:
        return (reader or _Look()).rows(kind, NEWRULE, bytes(_RTMSG.size), decode_rule)
    except UnsupportedError:
        return ()


def _routes(reader: _Look) -> tuple[Route, ...]:
    found = reader.rows(GETROUTE, NEWROUTE, bytes(_RTMSG.size), decode_route)
    if not any(row.nexthop and row.hops == _NOWHERE for row in found):
        return found
    objects = reader.rows(GETNEXTHOP, NEWNEXTHOP, bytes(_NHMSG.size), decode_object)
    known = {one.number: one for one in objects}
    return tuple(with_hops(row, known) for row in found)


def look() -> Tables:
    """Dump all tables.

    Raises:
        NetlinkError: the kernel refused, or its answer could not be read.
        OSError: no netlink socket here (a sandbox), or no answer.
    """
    reader = _Look()
    return Tables(
        links=reader.rows(GETLINK, NEWLINK, bytes(_IFINFO.size) + _SKIP_STATISTICS, decode_link),
        addresses=reader.rows(GETADDR, NEWADDR, bytes(_IFADDR.size), decode_address),
        neighbours=reader.rows(GETNEIGH, NEWNEIGH, bytes(_NDMSG.size), decode_neighbour),
        routes=_routes(reader),
        rules=rules(reader=reader),
        torn=reader.torn,
    )
