"""Who else goes outside through the host: connection tracking saw flows that are none of its own.

Containers and virtual machines of the host are its own; everybody else makes it a gateway, which joins their
network to the outside whatever the routing tables say. A container's bridge has a network of addresses, as
Docker, CNI and libvirt make them; Calico and Cilium give a pod a route into its link instead.
"""

from collections.abc import Iterator
from ipaddress import ip_network

from ..registry import Network
from .bridging import is_inner_bridge
from .facts import Exits, Sockets, address, network
from .judged import CERTAINTY, Judged
from .reasons import reason
from .scope import Scope

_KEPT = 5


def judge_guests(exits: Exits, sockets: Sockets, scope: Scope) -> list[Judged]:
    """Judge use as a gateway; an asset that is meant to join zones may be one."""
    own = list(_own_networks(exits, scope))
    guests = [
        one for one in sockets.forwarded if not any(address(one.source_address) in network for network in own)
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


def _own_networks(exits: Exits, scope: Scope) -> Iterator[Network]:
    """Yield the networks of containers and virtual machines; a route that leads outside makes none."""
    inner = [link for link in exits.links if link.kind == "container" or is_inner_bridge(link, exits)]
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
