"""Which questions for names are for public webmail, and at which addresses its servers were said to be.

    question  10.1.1.5 -> resolver  set3.mail.qq.com ?          named, counted
    answer    resolver -> 10.1.1.5  set3.mail.qq.com is at 203.0.113.9     a connection there is use

A question alone is no proof: browsers ask ahead. Names are compared by their end, label by label, and no
name that is not on the list is kept or told.
"""

from collections.abc import Collection, Iterable, Mapping
from itertools import islice

from msgspec import Struct

from .dns import AAAA, A, DnsError, read
from .tally import Tally, text
from .tunnels import labels_of

_MAX_NAMES = 5_000
_MAX_ROWS = 64
_MAX_ADDRESSES = 16


class Seen(Struct, frozen=True):
    """A name of the list, who asked how often for it, and the addresses that were answered."""

    service: str
    name: str
    client: str
    count: int = 0
    addresses: tuple[str, ...] = ()


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
    found: dict[tuple[str, str], Seen] = {}

    def note(labels: list[str], client: bytes, count: int, addresses: tuple[str, ...]) -> None:
        service = names.service_of(labels)
        key = (".".join(labels), text(client))
        before = found.get(key)
        if not service or (before is None and len(found) >= _MAX_ROWS):
            return
        known = before or Seen(service, *key)
        merged = dict.fromkeys((*known.addresses, *addresses))
        found[key] = Seen(service, *key, known.count + count, tuple(merged)[:_MAX_ADDRESSES])

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
    return list(found.values())
