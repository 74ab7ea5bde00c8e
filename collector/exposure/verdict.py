"""The verdict on everything by which a node reaches the internet or is reached from it.

    way out ── zone not known ............................ unknown
        ├───── zone's exits are free, or hop is registered  sanctioned
        ├───── no rule looks at it, link not told ......... unknown
        └───── else ── connections go by it? ── no ........ available
                                              └ yes ....... used
    links in two zones, or forwarding into a way out ...... bridging
    something listens on an address outside ............... exposed_service
    others go outside through the host .................... bridging

A verdict is per way, per service and per pair of zones; the node's is the gravest of them.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from wire.vocabulary import LINK_KINDS, ZONES, LinkKind, Verdict

from ..registry import Address, SanctionedExit
from .bridging import judge_zones
from .facts import Exits, Facts, Link, Reached, address
from .guests import judge_guests
from .judged import CERTAINTY, GRAVITY, Judged
from .mail import judge_mail
from .proxies import judge_proxies
from .reasons import Reason, reason
from .scope import Scope
from .services import judge_services
from .ways import Talk, Way, attribute, talks_of, ways_out

_KEPT = 5


def judge(facts: Facts, scope: Scope) -> tuple[Judged, ...]:
    """Judge all a node's ways out, its bridging and its services; the gravest first.

    Nothing is judged before the node has told its exits.
    """
    if facts.exits is None:
        return ()
    exits = facts.exits
    ways = ways_out(exits, scope)
    everyone = talks_of(exits, facts.sockets, scope)
    talks = attribute(everyone, ways, exits)
    judged = [_judge_way(way, talks.get(way.key, []), exits, scope) for way in ways]
    judged += judge_proxies(exits.proxies, scope)
    judged += judge_zones(exits, scope, judged)
    judged += judge_guests(exits, facts.sockets, scope)
    judged += judge_services(facts.asset.services, exits, scope)
    judged += judge_mail(facts, everyone, scope)
    return tuple(sorted(judged, key=lambda one: (-GRAVITY[one.verdict], one.key)))


def _judge_way(way: Way, talks: list[Talk], exits: Exits, scope: Scope) -> Judged:
    link = next((one for one in exits.links if one.name == way.link), None)
    kind: LinkKind = link.kind if link else "unknown"
    reached = [one for one in exits.reached if _came_by(one, way)]
    verdict, by, why = _sanction(way, link, scope)
    if by is not None and (stranger := _other_egress(reached, scope.registry.exits[by])):
        verdict, by, why = "available", None, (stranger,)
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
        reasons=(*why, *_shape(way), *_proofs(way, reached, exits), *_resolvers(verdict, exits, scope)),
        evidence=tuple(_seen(way, talks)),
        confidence=_certainty(verdict, way, talks, reached, exits),
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


def _came_by(one: Reached, way: Way) -> bool:
    return one.interface == way.link and address(one.seen_address).version == way.family


def _other_egress(reached: Iterable[Reached], exit_: SanctionedExit) -> Reason | None:
    """Return why it is not the registered exit after all: the outside saw an address none of its own."""
    for one in reached:
        seen = address(one.seen_address)
        if exit_.egress and not any(seen in known for known in exit_.egress):
            return reason("egress_not_registered", seen=one.seen_address, exit=exit_.name)
    return None


def _hardware(way: Way, exits: Exits) -> str:
    """Return the hardware address that answers for the next hop, empty: none does."""
    for one in exits.gateways:
        if one.interface == way.link and way.next_hop == address(one.address):
            return one.mac
    return ""


def _proofs(way: Way, reached: list[Reached], exits: Exits) -> Iterator[Reason]:
    if mac := _hardware(way, exits):
        yield reason("gateway_answers", mac=mac)
    for one in reached[:1]:
        yield reason("reached_beacon", beacon=one.beacon, seen=one.seen_address)


def _certainty(verdict: Verdict, way: Way, talks: list[Talk], reached: list[Reached], exits: Exits) -> float:
    if verdict == "unknown":
        return CERTAINTY["guessed"]
    best = "proved" if reached else "seen" if talks else "answers" if _hardware(way, exits) else "configured"
    return CERTAINTY[best]


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
