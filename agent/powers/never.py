"""What is never blocked on this node, and what isolation lets through: found anew each time it is asked for.

    never   the collectors, the gateways of every table, the resolvers, the node's own addresses, loopback,
            multicast, and the operator's management ranges
    kept    the collectors' ports; the management ranges; the resolvers' port 53 where a collector is
            known by a name, since without them the node could not find it again

An address that can't be found out (a name that does not resolve) is told, not left out: then nothing is
blocked.
"""

import socket
from collections.abc import Callable, Iterable, Sequence
from ipaddress import ip_address, ip_network
from pathlib import Path
from urllib.parse import urlsplit

from msgspec import Struct

from ..netlink import rtnetlink
from ..netlink.message import NetlinkError
from .firewall import Guard, Kept, Network
from .port import ForbiddenError

_RESOLVERS = ("etc/resolv.conf", "run/systemd/resolve/resolv.conf", "run/NetworkManager/no-stub-resolv.conf")
_DNS = 53
_ALWAYS = tuple(ip_network(text) for text in ("127.0.0.0/8", "::1/128", "224.0.0.0/4", "ff00::/8"))
Resolve = Callable[[str], Iterable[str]]


class Never(Struct, frozen=True):
    """Networks by why they are never blocked, and what isolation lets through."""

    reasons: tuple[tuple[Network, str], ...]
    kept: tuple[Kept, ...]

    def check(self, network: Network) -> None:
        """Raise where a block would touch what is never blocked.

        Raises:
            ForbiddenError: it would.
        """
        for one, why in self.reasons:
            if one.version == network.version and one.overlaps(network):
                raise ForbiddenError(f"{network} is never blocked on this node: {one} is {why}")

    @property
    def guard(self) -> Guard:
        """What the packet filter's rules are made of."""
        return Guard(tuple(dict.fromkeys(one for one, _ in self.reasons)), self.kept)


def resolved(host: str) -> list[str]:
    """Return the addresses of a host; raises OSError where there are none."""
    return [str(found[4][0]).partition("%")[0] for found in socket.getaddrinfo(host, None)]


def never_of(
    collectors: Sequence[str], management: Sequence[str], root: Path = Path("/"), resolve: Resolve = resolved
) -> Never:
    """Find out what is never blocked now.

    Args:
        collectors: `https://HOST:PORT`.
        management: Networks from which people work on this node.
        root: Where /etc and /run are.
        resolve: Finds addresses of a host.

    Raises:
        ForbiddenError: what has to stay reachable can't be found out.
    """
    reasons = [(network, "loopback or multicast") for network in _ALWAYS]
    kept: list[Kept] = []
    named = False
    for url in collectors:
        parts = urlsplit(url)
        for address in _addresses(parts.hostname or "", resolve):
            reasons.append((address, "the collector"))
            kept.append(Kept(address, parts.port or 443))
        named = named or not _is_address(parts.hostname or "")
    servers = list(_resolvers(root))
    reasons += [(server, "the resolver") for server in servers]
    if named:
        kept += [Kept(server, _DNS) for server in servers]
    for text in management:
        reasons.append((ip_network(text), "the management range"))
        kept.append(Kept(ip_network(text)))
    reasons += _gateways_and_own()
    return Never(tuple(reasons), tuple(dict.fromkeys(kept)))


def _addresses(host: str, resolve: Resolve) -> list[Network]:
    try:
        found = [host] if _is_address(host) else list(resolve(host))
    except OSError as error:
        raise ForbiddenError(
            f"the collector {host} can't be resolved ({error}); nothing is blocked"
        ) from None
    return list(dict.fromkeys(ip_network(address) for address in found))


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _resolvers(root: Path) -> Iterable[Network]:
    for name in _RESOLVERS:
        try:
            lines = (root / name).read_text("utf-8", "replace")[:65536].splitlines()
        except OSError:
            continue
        for line in lines:
            words = line.split()
            if len(words) > 1 and words[0] == "nameserver" and _is_address(words[1].partition("%")[0]):
                yield ip_network(words[1].partition("%")[0])


def _gateways_and_own() -> list[tuple[Network, str]]:
    try:
        tables = rtnetlink.look()
    except (NetlinkError, OSError) as error:
        raise ForbiddenError(f"the gateways can't be found out ({error}); nothing is blocked") from None
    gateways = {hop.gateway for route in tables.routes for hop in route.hops if hop.gateway}
    own = {address.address for address in tables.addresses if address.address}
    return [
        *((ip_network(gateway), "the gateway") for gateway in sorted(gateways)),
        *((ip_network(address), "the node's own address") for address in sorted(own)),
    ]
