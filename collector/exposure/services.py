"""What listens on an address outside though its zone's policy does not name it."""

from collections.abc import Iterable

from wire.vocabulary import ZONES

from ..registry import Address
from .bridging import is_inner
from .facts import Exits, Link, Service, address
from .judged import Judged
from .reasons import reason
from .scope import Scope

_DHCP_CLIENTS = frozenset({("udp", 68), ("udp", 546)})


def judge_services(services: Iterable[Service], exits: Exits, scope: Scope) -> list[Judged]:
    """Judge what listens on addresses outside; one row a protocol and port."""
    outside = {
        address(one.address): link
        for link in exits.links
        if link.live and not (link.kind == "container" and is_inner(link, exits, scope))
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
