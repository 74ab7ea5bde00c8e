"""Does the host join zones that are to be apart: by links in two of them, or by forwarding into a way out?"""

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from wire.vocabulary import ZONES, Name, Zone

from .facts import Exits, Link, address, network
from .judged import CERTAINTY, Judged
from .reasons import Reason, reason
from .scope import Scope


def judge_zones(exits: Exits, scope: Scope, judged: list[Judged]) -> list[Judged]:
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
            legs_of: dict[Zone, list[str]] = {"internet": [way.link, *between]}
            one = _bridge(exits, legs_of, reason("forwards", links=names), *_translates(exits, way.link))
            found.append(one)
    return list(_merged(found).values())


def _merged(found: Iterable[Judged]) -> dict[str, Judged]:
    """Return one judgement a pair of links, with all that speaks for it."""
    merged: dict[str, Judged] = {}
    for one in found:
        before = merged.get(one.key)
        if before is None:
            merged[one.key] = one
            continue
        reasons = dict.fromkeys((*before.reasons, *one.reasons))
        new = tuple(row for row in one.evidence if row not in before.evidence)
        merged[one.key] = replace(before, reasons=tuple(reasons), evidence=(*before.evidence, *new))
    return merged


def _legs(exits: Exits, scope: Scope) -> Iterator[tuple[Zone, list[str]]]:
    """Yield every zone with the node's live links in it; those of containers and guests do not count."""
    legs: dict[Zone, list[str]] = {}
    for link in exits.links:
        if not link.live or is_inner(link, exits, scope):
            continue
        for one in link.addresses:
            zone = scope.zone_of(address(one.address))
            if zone is not None and link.name not in legs.setdefault(zone, []):
                legs[zone].append(link.name)
    yield from sorted(legs.items())


def is_inner(link: Link, exits: Exits, scope: Scope) -> bool:
    """Whether a link leads to the host's own containers and virtual machines alone.

    A veth by which the host goes out is its card: the host itself is a container then (LXC).
    """
    if link.kind != "container":
        return is_inner_bridge(link, exits)
    return not any(
        route.interface == link.name
        and route.type == "unicast"
        and route.gateway
        and scope.leads_outside(network(route.destination))
        for route in exits.routes
    )


def is_inner_bridge(link: Link, exits: Exits) -> bool:
    """Whether a bridge joins only containers and virtual machines: nothing of the host's own is in it."""
    inner = {"container", "tun", "loopback", "bridge"}
    return link.kind == "bridge" and all(one.kind in inner for one in exits.links if one.master == link.name)


def _forwards(exits: Exits, way: Judged, other: str) -> bool:
    """Whether packets go both ways between a way's link and another."""
    switches, ends = exits.forwarding, {way.link, other}
    ipv6 = way.key.endswith("/6")
    if switches.ipv4_links is None:
        on = switches.ipv6 if ipv6 else switches.ipv4
        return on and (not switches.interfaces or ends <= set(switches.interfaces))
    if ipv6:
        return switches.ipv6 or ends <= set(switches.ipv6_links)
    return ends <= set(switches.ipv4_links)


def _translates(exits: Exits, link: str) -> list[Reason]:
    rules = [one for one in exits.forwarding.translations if one.outgoing in {"", link}]
    return [reason("translates", action=one.action) for one in rules[:1]]


def _bridge(exits: Exits, legs: dict[Zone, list[str]], *why: Reason) -> Judged:
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
        reasons=why,
        evidence=tuple({"zone": zone, "links": found} for zone, found in legs.items()),
        confidence=CERTAINTY["answers"],
    )


def _names(groups: Iterable[list[str]]) -> str:
    return ", ".join(name for group in groups for name in group)


def _zones(legs: Iterable[Zone]) -> Name:
    names = [ZONES[zone] for zone in legs]
    return Name("、".join(name.zh for name in names), " and ".join(name.en for name in names))
