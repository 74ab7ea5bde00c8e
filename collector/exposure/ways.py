"""The ways out that routing tables hold, and which of them packets took.

A way is (link, next hop, family): all routes that lead outside by it are one way. Every table counts that a
rule looks at, halves of a default route count as the default they replace, and a route to a few addresses
outside is a way as well. A link's own subnet is not; no subnet is as wide as what VPN clients put in place
of a default (2000::/3), though a tunnel's own address may lie in it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from msgspec import Struct

from ..registry import Address
from .facts import Exits, Link, Route, Sockets, address, network
from .scope import Scope

_LOCAL_TABLE = 255
_ALWAYS_LOOKED_AT = frozenset({253, 254})
_WIDEST_SUBNET = {4: 8, 6: 32}


class Talk(Struct, frozen=True):
    """Someone on the node talks to an address outside; `count` connections."""

    local: Address
    remote: Address
    count: int = 1
    process: str | None = None


class Way(Struct, frozen=True, kw_only=True):
    """A way out.

    Fields:
        link: Name of the link.
        next_hop: The gateway; None where packets go straight onto the link.
        family: 4 or 6.
        routes: What leads out by it, best first.
        looked_at: Whether any rule looks at a table with one of the routes.
    """

    link: str
    next_hop: Address | None
    family: int
    routes: tuple[Route, ...]
    looked_at: bool

    @property
    def key(self) -> str:
        """A name that stays the same on that node."""
        return f"way/{self.link}/{self.next_hop or '-'}/{self.family}"

    def best_for(self, remote: Address) -> tuple[int, int] | None:
        """Return how well the way fits an address (longer prefix, smaller metric), None: not at all."""
        fits = (
            (destination.prefixlen, -route.metric)
            for route in self.routes
            if remote in (destination := network(route.destination))
        )
        return max(fits, default=None)


def ways_out(exits: Exits, scope: Scope) -> list[Way]:
    """Return every way out of the node's tables, in the order of their keys."""
    links = {link.name: link for link in exits.links}
    tables = _tables_looked_at(exits)
    routes: dict[tuple[str, Address | None, int], list[Route]] = defaultdict(list)
    for route in exits.routes:
        if _leads_out(route, links, scope):
            hop = address(route.gateway) if route.gateway else None
            routes[(route.interface or "", hop, route.family)].append(route)
    ways = [
        Way(
            link=link,
            next_hop=hop,
            family=family,
            routes=tuple(sorted(found, key=lambda one: (network(one.destination).prefixlen, one.metric))),
            looked_at=any(_is_looked_at(route, tables) for route in found),
        )
        for (link, hop, family), found in routes.items()
    ]
    return sorted(ways, key=lambda way: way.key)


def talks_of(exits: Exits, sockets: Sockets, scope: Scope) -> list[Talk]:
    """Return who talks to whom outside, from both kinds of evidence, each pair once."""
    found: dict[tuple[Address, Address], Talk] = {}
    for connection in sockets.connections:
        local, remote = address(connection.local_address), address(connection.remote_address)
        found[(local, remote)] = Talk(local, remote, max(connection.count, 1), connection.process)
    for use in exits.evidence:
        for text in use.remote_addresses:
            local, remote = address(use.local_address), address(text)
            found.setdefault((local, remote), Talk(local, remote))
    return [talk for talk in found.values() if scope.outside(talk.remote)]


def attribute(talks: Iterable[Talk], ways: Iterable[Way], exits: Exits) -> dict[str, list[Talk]]:
    """Return the talks of each way by its key.

    A talk's local address tells its link; of several ways over that link the one with the best route to the
    remote address took it, as the kernel chooses. Where they fit equally well, all of them count.
    """
    owners = {address(one.address): link.name for link in exits.links for one in link.addresses}
    taken: dict[str, list[Talk]] = defaultdict(list)
    by_link: dict[tuple[str, int], list[Way]] = defaultdict(list)
    for way in ways:
        by_link[(way.link, way.family)].append(way)
    for talk in talks:
        candidates = by_link.get((owners.get(talk.local, ""), talk.remote.version), [])
        fits = {way.key: fit for way in candidates if (fit := way.best_for(talk.remote)) is not None}
        best = max(fits.values(), default=None)
        for key, fit in fits.items():
            if fit == best:
                taken[key].append(talk)
    return taken


def _tables_looked_at(exits: Exits) -> Mapping[int, frozenset[int] | None]:
    """Return the tables that rules look at by family; None where every table has to count.

    That is so where no rule was told, and where a rule leaves the choice to the link (VRF: table 0).
    """
    found: dict[int, frozenset[int] | None] = {}
    for family in (4, 6):
        tables = {rule.table for rule in exits.rules if rule.family == family and rule.action == "lookup"}
        found[family] = None if not tables or 0 in tables else frozenset(tables) | _ALWAYS_LOOKED_AT
    return found


def _is_looked_at(route: Route, tables: Mapping[int, frozenset[int] | None]) -> bool:
    known = tables.get(route.family)
    return known is None or route.table in known


def _leads_out(route: Route, links: Mapping[str, Link], scope: Scope) -> bool:
    if route.type != "unicast" or route.table == _LOCAL_TABLE:
        return False
    link = links.get(route.interface or "")
    if link is not None and not link.live:
        return False
    return scope.leads_outside(network(route.destination)) and not _is_own_subnet(route, link)


def _is_own_subnet(route: Route, link: Link | None) -> bool:
    destination = network(route.destination)
    if route.gateway or link is None or destination.prefixlen < _WIDEST_SUBNET[destination.version]:
        return False
    return any(address(one.address) in destination for one in link.addresses)
