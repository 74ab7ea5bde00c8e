"""Which names that a host asks for, or greets servers by, are of public webmail, and where those servers are.

    question  10.1.1.5 -> resolver     set3.mail.qq.com ?         named, counted
    answer    resolver -> 10.1.1.5     set3.mail.qq.com is at 203.0.113.9     a connection there is use
    greeting  10.1.1.5 -> 203.0.113.9  set3.mail.qq.com, in TLS's ClientHello     this is one

A question alone is no proof: browsers ask ahead. Who looks names up elsewhere (DNS over HTTPS, a cache, a
file) asks nobody here, and greets the server all the same. Names are compared by their end, label by label,
and no name that is not on the list is kept or told.
"""

from collections.abc import Collection, Iterable, Mapping
from itertools import islice
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from .dns import AAAA, A, DnsError, read
from .tally import Tally, text
from .tunnels import labels_of

_MAX_NAMES = 5_000
_MAX_ROWS = 64
_MAX_ADDRESSES = 16


How = Literal["dns", "tls"]


class Seen(Struct, frozen=True):
    """A name of the list, who asked how often for it, and the addresses that were answered.

    Where `how` is `tls`, who greeted a server by it how often, and the addresses that were greeted.
    """

    service: str
    name: str
    client: str
    count: int = 0
    addresses: tuple[str, ...] = ()
    how: How = "dns"


class Unread(Struct, frozen=True):
    """Who greeted servers of TLS, and how often by a name that could not be read."""

    client: str
    count: int


class Names:
    """The list: services by the names' ends.

    >>> Names({"qq": ["mail.qq.com"]}).service_of(["set3", "mail", "qq", "com"])
    'qq'
    >>> Names({"qq": ["mail.qq.com"]}).service_of(["notmail", "qq", "com"])
    ''
    """

    def __init__(self, services: Mapping[str, Iterable[str]], ignore: Collection[str] = ()) -> None:
        """Take the names of each service; those that `ignore` takes in do not count."""
        self._services = {
            name.lower().rstrip("."): service for service, names in services.items() for name in names
        }
        self._ignored = frozenset(name.lower().rstrip(".") for name in ignore)

    def __bool__(self) -> bool:
        return bool(self._services)

    def service_of(self, labels: list[str]) -> str:
        """Return the service whose name this is or lies below, empty: none."""
        ends = [".".join(labels[at:]) for at in range(len(labels))]
        if any(end in self._ignored for end in ends):
            return ""
        return next((self._services[end] for end in ends if end in self._services), "")


def seen(tally: Tally, names: Names) -> list[Seen]:
    """Return what a moment's packets say of webmail, at most 64 rows of it."""
    if not names:
        return []
    found: dict[tuple[str, str, How], Seen] = {}

    def note(
        labels: list[str], client: bytes, count: int, addresses: tuple[str, ...], how: How = "dns"
    ) -> None:
        service = names.service_of(labels)
        name, who = ".".join(labels), text(client)
        before = found.get((name, who, how))
        if not service or (before is None and len(found) >= _MAX_ROWS):
            return
        new = Seen(service, name, who, count, addresses[:_MAX_ADDRESSES], how)
        found[name, who, how] = joined(before, new) if before else new

    for (client, wire), times in islice(tally.names.items(), _MAX_NAMES):
        note(labels_of(wire), client, times, ())
    for client, message in tally.answers:
        try:
            answer = read(message)
        except DnsError:
            continue
        addresses = tuple(one.value for one in answer.records if one.kind in {A, AAAA})
        if addresses:
            note(answer.name.split("."), client, 0, addresses)
    for (client, server, name), times in tally.hellos.items():
        note(name.split("."), client, times, (text(server),), "tls")
    return list(found.values())


def joined(one: Seen, other: Seen) -> Seen:
    """Return two that differ in counts and addresses as one."""
    addresses = tuple(dict.fromkeys((*one.addresses, *other.addresses)))[:_MAX_ADDRESSES]
    return replace(one, count=one.count + other.count, addresses=addresses)


def unread(tally: Tally, names: Names) -> list[Unread]:
    """Return who greeted by what could not be read, at most 64 of them: what nobody asks for is not told."""
    pairs = islice(tally.unread.items(), _MAX_ROWS) if names else ()
    return [Unread(text(client), times) for client, times in pairs]
