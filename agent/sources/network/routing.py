"""The kernel's tables as the body of an `exits` report has them: links, routes, rules, next hops, use."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...netlink import inet_diag, rtnetlink
from ...netlink.linkkind import classify, read_device
from ..ranges import Ranges

_MAX_ROUTES = 4096
_MAX_REMOTES = 5
_HALVES = {"0.0.0.0/1", "128.0.0.0/1", "::/1", "8000::/1", "2000::/3", "2000::/4", "3000::/4"}
Way = tuple[rtnetlink.Route, rtnetlink.NextHop]


def routing(
    tables: rtnetlink.Tables, root: Path = Path("/"), ssids: Mapping[int, str] | None = None
) -> dict[str, Any]:
    """Return the body's `links`, `routes`, `rules`, `gateways`; `routes_total` where the limit cut."""
    names = {link.index: link.name for link in tables.links}
    ways = [(route, hop) for route in tables.routes for hop in route.hops]
    addresses = _addresses(tables)
    body: dict[str, Any] = {
        "links": [
            _link(link, addresses[link.index], names, root, (ssids or {}).get(link.index))
            for link in tables.links
        ],
        "routes": [_route(route, hop, names) for route, hop in _most_telling(ways)],
        "rules": [_rule(rule) for rule in tables.rules[:_MAX_ROUTES]],
        "gateways": [
            {"interface": names.get(index), "address": address, "mac": mac}
            for (index, address), mac in sorted(hops(tables).items())
        ],
    }
    if len(ways) > _MAX_ROUTES:
        body["routes_total"] = len(ways)
    return body


def _most_telling(ways: list[Way]) -> list[Way]:
    """Return as many as are told: defaults, then of each link and gateway the widest ranges.

    On a router with a whole internet table one route over a stick must not be what is left out.
    """
    if len(ways) <= _MAX_ROUTES:
        return ways
    ranks: Counter[tuple[int, str, int, int]] = Counter()
    ranked = []
    for way in sorted(ways, key=lambda one: _length(one[0])):
        route, hop = way
        same = (hop.index, hop.gateway, route.family, route.table)
        if ranks[same] < _MAX_ROUTES:
            ranked.append((_default(route) is None, ranks[same], way))
            ranks[same] += 1
    ranked.sort(key=lambda one: one[:2])
    return [way for _, _, way in ranked[:_MAX_ROUTES]]


def _length(route: rtnetlink.Route) -> int:
    return int(route.destination.rpartition("/")[2])


def _addresses(tables: rtnetlink.Tables) -> Mapping[int, list[rtnetlink.Address]]:
    found: dict[int, list[rtnetlink.Address]] = defaultdict(list)
    for row in tables.addresses:
        found[row.index].append(row)
    return found


def hops(tables: rtnetlink.Tables) -> dict[tuple[int, str], str]:
    """Return the hardware address of every next hop of a unicast route that leads on, empty where not known.

    It tells a gateway from another that took over its address.
    """
    known = {(row.index, row.address): row.mac for row in tables.neighbours}
    wanted = {
        (hop.index, hop.gateway)
        for route in tables.routes
        if route.type == "unicast"
        for hop in route.hops
        if hop.gateway
    }
    return {hop: known.get(hop, "") for hop in sorted(wanted)[:_MAX_ROUTES]}


def _link(
    link: rtnetlink.Link,
    addresses: list[rtnetlink.Address],
    names: Mapping[int, str],
    root: Path,
    ssid: str | None,
) -> dict[str, Any]:
    device = read_device(link.name, root)
    return {
        "name": link.name,
        "kind": classify(link.hardware, link.info_kind, device),
        "driver": device.driver or link.info_kind,
        "usb": device.usb or None,
        "ssid": ssid,
        "state": link.state,
        "up": link.up,
        "mac": link.mac,
        "mtu": link.mtu,
        "master": names.get(link.master),
        "addresses": [
            {"address": row.address, "prefix": row.prefix, "family": row.family, "peer": row.peer or None}
            for row in addresses
        ],
    }


def _route(route: rtnetlink.Route, hop: rtnetlink.NextHop, names: Mapping[int, str]) -> dict[str, Any]:
    return {
        "family": route.family,
        "destination": route.destination,
        "default": _default(route),
        "gateway": hop.gateway or None,
        "interface": names.get(hop.index),
        "table": route.table,
        "type": route.type,
        "metric": route.metric,
        "source": route.source or None,
        "protocol": route.protocol,
    }


def _default(route: rtnetlink.Route) -> str | None:
    """Say whether the route takes in everything, or half of it as VPN clients do to outrank the default.

    Of IPv6 only 2000::/3 is the internet so far: OpenVPN takes it, or its halves.
    """
    if route.type != "unicast":
        return None
    if route.destination in {"0.0.0.0/0", "::/0"}:
        return "full"
    return "half" if route.destination in _HALVES else None


def _rule(rule: rtnetlink.Rule) -> dict[str, Any]:
    return {
        "family": rule.family,
        "priority": rule.priority,
        "from": rule.source or None,
        "to": rule.destination or None,
        "incoming": rule.incoming or None,
        "outgoing": rule.outgoing or None,
        "mark": rule.mark,
        "table": rule.table,
        "action": rule.action,
    }


def in_use(tables: rtnetlink.Tables, ranges: Ranges) -> list[dict[str, Any]]:
    """Return the evidence of use: which link's address talks to whom outside, from the socket table.

    Raises:
        NetlinkError: the kernel refused.
        OSError: no netlink here.
    """
    names = {link.index: link.name for link in tables.links}
    owners = {row.address: names.get(row.index, "") for row in tables.addresses}
    talks: dict[str, list[str]] = {}
    for found in ranges.talks(inet_diag.states(inet_diag.ESTABLISHED)):
        talks.setdefault(found.local_address, []).append(found.remote_address)
    return [
        {
            "interface": owners.get(local, ""),
            "local_address": local,
            "connections": len(remotes),
            "remote_addresses": sorted(set(remotes))[:_MAX_REMOTES],
        }
        for local, remotes in sorted(talks.items())
    ]
