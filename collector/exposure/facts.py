"""What a node says that an exposure verdict rests on: the bodies of `exits`, `sockets` and `asset` reports.

Only the fields that are judged stand here; what else a body holds is ignored. Addresses are checked when a
body is decoded, so that judging cannot fail on them.
"""

from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Annotated

from msgspec import Meta, Struct, field

from wire.vocabulary import LinkKind

from ..registry import Address, Network

_LIVE = frozenset({"up", "unknown", "dormant"})


@lru_cache(maxsize=65_536)
def address(text: str) -> Address:
    """Return an address; a scope (`fe80::1%eth0`) does not count.

    Raises:
        ValueError: it is none.
    """
    found = ip_address(text.partition("%")[0])
    mapped = found.ipv4_mapped if found.version == 6 else None
    return mapped or found


@lru_cache(maxsize=65_536)
def network(text: str) -> Network:
    """Return an address range.

    Raises:
        ValueError: it is none.
    """
    return ip_network(text, strict=False)


class LinkAddress(Struct, frozen=True):
    """An address on a link."""

    address: str
    prefix: Annotated[int, Meta(ge=0, le=128)] | None = None

    def __post_init__(self) -> None:
        """Refuse what is no address."""
        address(self.address)


class Link(Struct, frozen=True):
    """A network interface; `master` names the bridge or bond it belongs to."""

    name: str
    kind: LinkKind = "unknown"
    state: str = "unknown"
    up: bool = True
    master: str | None = None
    addresses: tuple[LinkAddress, ...] = ()

    @property
    def live(self) -> bool:
        """Whether packets can leave by it."""
        return self.up and self.state in _LIVE and self.kind != "loopback"


class Route(Struct, frozen=True):
    """One next hop of a route of any table."""

    family: int
    destination: str
    gateway: str | None = None
    interface: str | None = None
    table: int = 254
    type: str = "unicast"
    metric: int = 0
    protocol: int = 0

    def __post_init__(self) -> None:
        """Refuse what is no address."""
        network(self.destination)
        if self.gateway:
            address(self.gateway)


class Rule(Struct, frozen=True):
    """A policy routing rule: which table is looked at."""

    family: int
    table: int = 0
    action: str = "lookup"


class Resolver(Struct, frozen=True):
    """A name server in use."""

    address: str


class Proxy(Struct, frozen=True):
    """A proxy setting as found: `value` is an address, `http://host:port` or `host:port`."""

    name: str
    value: str
    source: str = ""


class Translation(Struct, frozen=True):
    """A rule that lets others out under the host's address; `outgoing` is its link, empty: any."""

    action: str
    outgoing: str = ""


class Forwarding(Struct, frozen=True):
    """Whether the host passes packets on, between which links, and under its own address.

    Fields:
        ipv4, ipv6: The switches of all links.
        interfaces: Links with a switch of their own on, of either family.
        ipv4_links: Links whose IPv4 packets are passed on, whatever the switch of all says; None: an agent
            that does not tell them.
        ipv6_links: Links whose IPv6 packets are passed on though the switch of all is off.
    """

    ipv4: bool = False
    ipv6: bool = False
    interfaces: tuple[str, ...] = ()
    ipv4_links: tuple[str, ...] | None = None
    ipv6_links: tuple[str, ...] = ()
    translations: tuple[Translation, ...] = ()


class Gateway(Struct, frozen=True):
    """Who answers for a next hop; an empty `mac` has not answered."""

    interface: str | None
    address: str
    mac: str = ""

    def __post_init__(self) -> None:
        """Refuse what is no address."""
        address(self.address)


class Reached(Struct, frozen=True):
    """A beacon that answered over a link, with the source address it saw."""

    interface: str
    beacon: str
    seen_address: str

    def __post_init__(self) -> None:
        """Refuse what is no address."""
        address(self.seen_address)


class Relay(Struct, frozen=True):
    """Where a mail server on the host sends mail."""

    host: str
    port: int = 25
    source: str = ""


class Exchange(Struct, frozen=True):
    """A mail exchange of a domain, with the addresses that the node's resolver names."""

    name: str
    addresses: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what is no address."""
        for text in self.addresses:
            address(text)


class MailDomain(Struct, frozen=True):
    """A mail domain of the unit, and who takes its letters."""

    domain: str
    exchanges: tuple[Exchange, ...] = ()


class Webmail(Struct, frozen=True):
    """A name of public webmail that the node asked for, and where it was said to be.

    Fields:
        how: By which the name was seen: questions and answers (`dns`), greetings (`tls`).
        greeted: Where a connection with TLS by that name went within an hour.
    """

    service: str
    name: str
    count: int = 1
    last_seen: str = ""
    addresses: tuple[str, ...] = ()
    how: tuple[str, ...] = ("dns",)
    greeted: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what is no address."""
        for text in (*self.addresses, *self.greeted):
            address(text)


class Use(Struct, frozen=True):
    """Evidence of use: a link's address that talks to addresses outside."""

    local_address: str
    remote_addresses: tuple[str, ...] = ()
    interface: str = ""
    connections: int = 0

    def __post_init__(self) -> None:
        """Refuse what is no address."""
        for text in (self.local_address, *self.remote_addresses):
            address(text)


class Exits(Struct, frozen=True):
    """Body of an `exits` report."""

    links: tuple[Link, ...]
    routes: tuple[Route, ...]
    rules: tuple[Rule, ...] = ()
    resolvers: tuple[Resolver, ...] = ()
    proxies: tuple[Proxy, ...] = ()
    forwarding: Forwarding = Forwarding()
    evidence: tuple[Use, ...] = ()
    gateways: tuple[Gateway, ...] = ()
    reached: tuple[Reached, ...] = ()
    mail: tuple[Relay, ...] = ()
    mail_domains: tuple[MailDomain, ...] = ()
    webmail: tuple[Webmail, ...] = ()


class Connection(Struct, frozen=True):
    """A connection to an address outside the agent's internal ranges."""

    local_address: str
    remote_address: str
    remote_port: int = 0
    process: str | None = None
    count: int = 1

    def __post_init__(self) -> None:
        """Refuse what is no address."""
        address(self.local_address)
        address(self.remote_address)


class Guest(Struct, frozen=True):
    """Somebody else who went outside through the host; `translated_to` is the address it was given there."""

    source_address: str
    remote_addresses: tuple[str, ...] = ()
    count: int = 1
    translated_to: str | None = None

    def __post_init__(self) -> None:
        """Refuse what is no address."""
        address(self.source_address)


class Sockets(Struct, frozen=True):
    """Body of a `sockets` report."""

    connections: tuple[Connection, ...] = ()
    forwarded: tuple[Guest, ...] = ()


class Service(Struct, frozen=True):
    """Something that listens."""

    protocol: str
    address: str
    port: int
    process: str | None = None

    def __post_init__(self) -> None:
        """Refuse what is no address."""
        address(self.address)


class Declared(Struct, frozen=True):
    """A system the node says it belongs to, with the grade it proposes."""

    id: str
    name: str = ""
    mlps_grade: int | None = None
    filing_number: str | None = None


class Asset(Struct, frozen=True):
    """Body of an `asset` report."""

    host_name: str = ""
    assets: tuple[Declared, ...] = ()
    services: tuple[Service, ...] = field(default=(), name="listening_services")


class Facts(Struct, frozen=True):
    """The newest of each kind; `exits` is absent until the node has told them."""

    exits: Exits | None = None
    sockets: Sockets = Sockets()
    asset: Asset = Asset()
