"""Who else goes outside through the host: connection tracking saw flows that are none of its own.

Containers and virtual machines of the host are its own; everybody else makes it a gateway, which joins their
network to the outside whatever the routing tables say. A container's bridge has a network of addresses, as
Docker, CNI and libvirt make them; Calico and Cilium give a pod a route into its link instead.

Where a bridge's packets pass the firewall (bridge-nf-call-iptables, as Docker and Proxmox set it), connection
tracking also tells of a virtual machine that stands in the host's own network, behind the host's own card:

    vnet0 (10.20.0.50) ── br0 ── eth0 ── 10.20.0.1     bridged: no route of the host is asked

Nobody is let out who could not go without the host. It is taken for that where the way to the source and all
ways to where it goes are one bridge, and no address is translated.
"""

from collections.abc import Iterator
from ipaddress import ip_network

from ..registry import Network
from .bridging import is_inner
from .facts import Exits, Guest, Sockets, address, network
from .judged import CERTAINTY, Judged
from .reasons import reason
from .scope import Scope
from .ways import Way, ways_out

_KEPT = 5


def judge_guests(exits: Exits, sockets: Sockets, scope: Scope) -> list[Judged]:
    """Judge use as a gateway; an asset that is meant to join zones may be one."""
    own = list(_own_networks(exits, scope))
    bridges = {link.name for link in exits.links if link.kind == "bridge"}
    ways = ways_out(exits, scope) if bridges and sockets.forwarded else []
    guests = [
        one
        for one in sockets.forwarded
        if not any(address(one.source_address) in network for network in own)
        and not _is_bridged(one, bridges, ways, exits)
    ]
    if not guests or scope.zone is None or scope.joins or scope.policy.exits == "free":
        return []
    why = [reason("gateway_for_others", count=len(guests), source=guests[0].source_address)]
    why += [reason("translates", action=one.action) for one in exits.forwarding.translations[:1]]
    return [
        Judged(
            key="gateway",
            verdict="bridging",
            link="",
            link_kind="unknown",
            next_hop=None,
            addresses=(),
            sanctioned_by=None,
            reasons=tuple(why),
            evidence=tuple(
                {
                    "source": one.source_address,
                    "remotes": list(one.remote_addresses[:_KEPT]),
                    "count": one.count,
                }
                for one in guests[:_KEPT]
            ),
            confidence=CERTAINTY["seen"],
        )
    ]


def _is_bridged(guest: Guest, bridges: set[str], ways: list[Way], exits: Exits) -> bool:
    if guest.translated_to or not bridges:
        return False
    source = address(guest.source_address)
    towards = {way.link for way in ways if way.family == source.version}
    if len(towards) != 1 or not towards <= bridges:
        return False
    back = (
        (destination.prefixlen, -route.metric, route.interface)
        for route in exits.routes
        if route.type == "unicast" and source in (destination := network(route.destination))
    )
    best = max(back, default=None, key=lambda one: one[:2])
    return best is not None and best[2] in towards


def _own_networks(exits: Exits, scope: Scope) -> Iterator[Network]:
    """Yield the networks of containers and virtual machines; a route that leads outside makes none."""
    inner = [link for link in exits.links if is_inner(link, exits, scope)]
    for link in inner:
        for one in link.addresses:
            if one.prefix is not None and one.prefix <= address(one.address).max_prefixlen:
                yield ip_network(f"{one.address}/{one.prefix}", strict=False)
    names = {link.name for link in inner}
    for route in exits.routes:
        if route.interface in names and route.type == "unicast":
            destination = network(route.destination)
            if not scope.leads_outside(destination):
                yield destination
