"""The verdict on everything by which a node reaches the internet or is reached from it.

    way out ── zone not known ............................ unknown
        ├───── zone's exits are free, or hop is registered  sanctioned
        ├───── no rule looks at it, link not told ......... unknown
        └───── else ── connections go by it? ── no ........ available
                                              └ yes ....... used
    links in two zones, or forwarding into a way out ...... bridging
    something listens on an address outside ............... exposed_service

A verdict is per way, per service and per pair of zones; the node's is the gravest of them.
"""

from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct

from wire.vocabulary import LINK_KINDS, ZONES, LinkKind, Name, Verdict, Zone

from ..registry import Address, SanctionedExit
from .facts import Exits, Facts, Link, Proxy, Service, address
from .reasons import Reason, reason
from .scope import Scope
from .ways import Talk, Way, attribute, talks_of, ways_out

GRAVITY: dict[Verdict, int] = {
    "sanctioned": 0,
    "unknown": 1,
    "available": 2,
    "exposed_service": 3,
    "used": 4,
    "bridging": 5,
}
_KEPT = 5
_DHCP_CLIENTS = frozenset({("udp", 68), ("udp", 546)})
_PROXY_PORTS = {"https": 443, "socks4": 1080, "socks5": 1080, "socks5h": 1080}


class Judged(Struct, frozen=True, kw_only=True):
    """One thing judged.

    Fields:
        key: A name that stays the same on that node.
        link, link_kind: The link it goes by; several names joined by `+` for bridging.
        next_hop: The gateway, or the proxy.
        addresses: Of the link, or those that are listened on.
        sanctioned_by: Id of the sanctioned exit.
        reasons: What led to the verdict, the deciding one first.
        evidence: What was seen, as JSON values.
    """

    key: str
    verdict: Verdict
    link: str
    link_kind: LinkKind
    next_hop: str | None
    addresses: tuple[str, ...]
    sanctioned_by: str | None
    reasons: tuple[Reason, ...]
    evidence: tuple[dict[str, Any], ...]


def judge(facts: Facts, scope: Scope) -> tuple[Judged, ...]:
    """Judge all a node's ways out, its bridging and its services; the gravest first.

    Nothing is judged before the node has told its exits.
    """
    if facts.exits is None:
        return ()
    exits = facts.exits
    ways = ways_out(exits, scope)
    talks = attribute(talks_of(exits, facts.sockets, scope), ways, exits)
    judged = [_judge_way(way, talks.get(way.key, []), exits, scope) for way in ways]
    judged += _judge_proxies(exits.proxies, scope)
    judged += _judge_zones(exits, scope, judged)
    judged += _judge_services(facts.asset.services, exits, scope)
    return tuple(sorted(judged, key=lambda one: (-GRAVITY[one.verdict], one.key)))


def worst(judged: Iterable[Judged]) -> Verdict | None:
    """Return the gravest verdict, None where nothing was judged."""
    return max((one.verdict for one in judged), key=GRAVITY.__getitem__, default=None)


def _judge_way(way: Way, talks: list[Talk], exits: Exits, scope: Scope) -> Judged:
    link = next((one for one in exits.links if one.name == way.link), None)
    kind: LinkKind = link.kind if link else "unknown"
    verdict, by, why = _sanction(way, link, scope)
    if verdict == "available" and talks:
        verdict = "used"
        why = (_in_use(talks), *why)
    return Judged(
        key=way.key,
        verdict=verdict,
        link=way.link,
        link_kind=kind,
        next_hop=str(way.next_hop) if way.next_hop else None,
        addresses=tuple(one.address for one in link.addresses) if link else (),
        sanctioned_by=by,
        reasons=(*why, *_shape(way), *_resolvers(verdict, exits, scope)),
        evidence=tuple(_seen(way, talks)),
    )


def _sanction(way: Way, link: Link | None, scope: Scope) -> tuple[Verdict, str | None, tuple[Reason, ...]]:
    if scope.zone is None:
        return "unknown", None, (reason("zone_not_known"),)
    zone = ZONES[scope.zone]
    if scope.policy.exits == "free":
        return "sanctioned", None, (reason("free_zone", zone=zone),)
    if link is None:
        return "unknown", None, (reason("link_not_known", link=way.link or "?"),)
    if scope.policy.exits == "none":
        why = reason("zone_allows_none", zone=zone)
    else:
        found = _registered(way.next_hop, scope.exits)
        fitting = next((one for one in found if not one.link_kinds or link.kind in one.link_kinds), None)
        if fitting is not None:
            return "sanctioned", fitting.id, (reason("registered_exit", hop=way.next_hop, exit=fitting.name),)
        why = _why_not(way, link, found, scope)
    if not way.looked_at:
        return "unknown", None, (reason("table_without_rule", table=way.routes[0].table), why)
    return "available", None, (why,)


def _registered(hop: Address | None, exits: Iterable[SanctionedExit]) -> list[SanctionedExit]:
    return [] if hop is None else [one for one in exits if any(hop in known for known in one.next_hops)]


def _why_not(way: Way, link: Link, found: list[SanctionedExit], scope: Scope) -> Reason:
    if way.next_hop is None:
        return reason("no_next_hop")
    if found:
        return reason("link_kind_not_allowed", exit=found[0].name, kind=LINK_KINDS[link.kind])
    if others := _registered(way.next_hop, scope.registry.exits.values()):
        return reason("exit_not_for_node", hop=way.next_hop, exit=others[0].name)
    return reason("next_hop_not_registered", hop=way.next_hop)


def _in_use(talks: list[Talk]) -> Reason:
    return reason("in_use", count=sum(talk.count for talk in talks), remote=talks[0].remote)


def _shape(way: Way) -> Iterator[Reason]:
    """Say what sort of route it is."""
    lengths = {int(route.destination.rpartition("/")[2]) for route in way.routes}
    if 0 in lengths:
        yield reason("default_route")
    elif 1 in lengths:
        yield reason("split_default")
    else:
        yield reason("public_route", destination=way.routes[0].destination)
    tables = sorted({route.table for route in way.routes} - {253, 254})
    if tables:
        yield reason("policy_table", table=tables[0])


def _resolvers(verdict: Verdict, exits: Exits, scope: Scope) -> Iterator[Reason]:
    if verdict in {"available", "used"}:
        for resolver in exits.resolvers[:_KEPT]:
            try:
                outside = scope.outside(address(resolver.address))
            except ValueError:  # resolv.conf holds what people write
                continue
            if outside:
                yield reason("public_resolver", resolver=resolver.address)


def _seen(way: Way, talks: list[Talk]) -> Iterator[dict[str, Any]]:
    for route in way.routes[:_KEPT]:
        yield {"route": route.destination, "table": route.table, "metric": route.metric}
    for talk in talks[:_KEPT]:
        yield {
            "local": str(talk.local),
            "remote": str(talk.remote),
            "count": talk.count,
            "process": talk.process,
        }


def _judge_proxies(proxies: Iterable[Proxy], scope: Scope) -> list[Judged]:
    found: dict[str, Proxy] = {}
    for proxy in proxies:
        place = _proxy_address(proxy)
        if place:
            found.setdefault(place, proxy)
    return [_judge_proxy(place, proxy, scope) for place, proxy in sorted(found.items())]


def _proxy_address(proxy: Proxy) -> str | None:
    """Return `host:port` of a proxy setting, None where it names none."""
    if proxy.name.lower() == "no_proxy":
        return None
    text = proxy.value if "://" in proxy.value else f"http://{proxy.value}"
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port or _PROXY_PORTS.get(parts.scheme, 80)
    except ValueError:  # people write anything into a proxy variable
        return None
    if not host:
        return None
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _judge_proxy(place: str, proxy: Proxy, scope: Scope) -> Judged:
    verdict: Verdict = "available"
    by = next((one for one in scope.exits if place in one.proxies), None)
    if scope.zone is None:
        verdict, why = "unknown", reason("zone_not_known")
    elif scope.policy.exits == "free":
        verdict, why = "sanctioned", reason("free_zone", zone=ZONES[scope.zone])
    elif scope.policy.exits == "sanctioned" and by is not None:
        verdict, why = "sanctioned", reason("registered_proxy", proxy=place, exit=by.name)
    elif _is_local(place):
        verdict, why = "unknown", reason("local_proxy", proxy=place)
    else:
        why = reason("proxy_not_registered", proxy=place)
    return Judged(
        key=f"proxy/{place}",
        verdict=verdict,
        link="",
        link_kind="unknown",
        next_hop=place,
        addresses=(),
        sanctioned_by=by.id if by and verdict == "sanctioned" else None,
        reasons=(why,),
        evidence=({"setting": proxy.name, "source": proxy.source},),
    )


def _is_local(place: str) -> bool:
    host = place.rpartition(":")[0].strip("[]")
    try:
        return address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _judge_zones(exits: Exits, scope: Scope, judged: list[Judged]) -> list[Judged]:
    """Judge live links in zones that the node is not meant to join, and forwarding into a way out."""
    legs = dict(_legs(exits, scope))
    found = []
    if scope.zone is not None and not set(legs) <= {scope.zone, *scope.joins} and len(legs) > 1:
        why = reason("two_zones", links=_names(legs.values()), zones=_zones(legs))
        found.append(_bridge(exits, legs, why))
    inner = {name for zone, names in legs.items() if zone != "internet" for name in names}
    for way in judged:
        if way.verdict not in {"available", "used"} or not way.link:
            continue
        between = sorted(name for name in inner - {way.link} if _forwards(exits, way, name))
        if between:
            names = ", ".join([*between, way.link])
            one = _bridge(exits, {"internet": [way.link, *between]}, reason("forwards", links=names))
            found.append(one)
    return list({one.key: one for one in found}.values())


def _legs(exits: Exits, scope: Scope) -> Iterator[tuple[Zone, list[str]]]:
    """Yield every zone with the node's live links in it; those of containers and guests do not count."""
    legs: dict[Zone, list[str]] = {}
    for link in exits.links:
        if not link.live or link.kind == "container" or _is_inner_bridge(link, exits):
            continue
        for one in link.addresses:
            zone = scope.zone_of(address(one.address))
            if zone is not None and link.name not in legs.setdefault(zone, []):
                legs[zone].append(link.name)
    yield from sorted(legs.items())


def _is_inner_bridge(link: Link, exits: Exits) -> bool:
    """Whether a bridge joins only containers and virtual machines: nothing of the host's own is in it."""
    inner = {"container", "tun", "loopback", "bridge"}
    return link.kind == "bridge" and all(one.kind in inner for one in exits.links if one.master == link.name)


def _forwards(exits: Exits, way: Judged, other: str) -> bool:
    on = exits.forwarding.ipv6 if way.key.endswith("/6") else exits.forwarding.ipv4
    between = exits.forwarding.interfaces
    return on and (not between or (way.link in between and other in between))


def _bridge(exits: Exits, legs: dict[Zone, list[str]], why: Reason) -> Judged:
    names = sorted({name for found in legs.values() for name in found})
    links = [link for link in exits.links if link.name in names]
    kinds = [link.kind for link in links if link.kind not in {"wired", "bridge"}]
    return Judged(
        key=f"bridging/{'+'.join(names)}",
        verdict="bridging",
        link="+".join(names),
        link_kind=kinds[0] if kinds else "wired",
        next_hop=None,
        addresses=tuple(one.address for link in links for one in link.addresses),
        sanctioned_by=None,
        reasons=(why,),
        evidence=tuple({"zone": zone, "links": found} for zone, found in legs.items()),
    )


def _names(groups: Iterable[list[str]]) -> str:
    return ", ".join(name for group in groups for name in group)


def _zones(legs: Iterable[Zone]) -> Name:
    names = [ZONES[zone] for zone in legs]
    return Name("、".join(name.zh for name in names), " and ".join(name.en for name in names))


def _judge_services(services: Iterable[Service], exits: Exits, scope: Scope) -> list[Judged]:
    """Judge what listens on addresses outside; one row a protocol and port."""
    outside = {
        address(one.address): link
        for link in exits.links
        if link.live and link.kind != "container"
        for one in link.addresses
        if scope.outside(address(one.address))
    }
    found: dict[str, tuple[Service, dict[Address, Link]]] = {}
    for service in services:
        reached = {one: link for one, link in outside.items() if _listens_on(service, one)}
        if reached and not _is_allowed(service, scope):
            known = found.setdefault(f"{service.protocol}/{service.port}", (service, {}))
            known[1].update(reached)
    return [_expose(name, service, reached, scope) for name, (service, reached) in sorted(found.items())]


def _listens_on(service: Service, one: Address) -> bool:
    """Whether a service is reached at an address; `::` takes in IPv4 as Linux does by default."""
    listening = address(service.address)
    if (service.protocol, service.port) in _DHCP_CLIENTS:
        return False
    return listening == one or (listening.is_unspecified and listening.version >= one.version)


def _is_allowed(service: Service, scope: Scope) -> bool:
    allowed = scope.policy.services
    if allowed is None:
        return scope.policy.exits == "free"
    return f"{service.protocol}/{service.port}" in allowed


def _expose(name: str, service: Service, reached: dict[Address, Link], scope: Scope) -> Judged:
    first, link = next(iter(reached.items()))
    who = service.process or "?"
    why = [reason("listens_public", process=who, address=first, service=name)]
    if scope.zone is not None:
        why.append(reason("service_not_allowed", zone=ZONES[scope.zone], service=name))
    else:
        why.append(reason("zone_not_known"))
    return Judged(
        key=f"service/{name}",
        verdict="exposed_service" if scope.zone is not None else "unknown",
        link=link.name,
        link_kind=link.kind,
        next_hop=None,
        addresses=tuple(str(one) for one in reached),
        sanctioned_by=None,
        reasons=tuple(why),
        evidence=({"service": name, "process": service.process, "address": service.address},),
    )
