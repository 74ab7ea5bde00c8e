"""Which public webmail this node uses, as names asked for and greeted by tell: from packets to exits.

What the shipped list (`configs/webmail.yaml`) names is public; the settings add to it and take from it. Only
the node's own questions and greetings count: a resolver or a gateway also hears those of others.
"""

from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import msgspec
import yaml
from msgspec import Meta, Struct

from ...detection.webmail import How, Seen, Unread
from ...shipped import configs_dir
from ..port import moment

_FILE = "webmail.yaml"
_KEPT = timedelta(days=1)
_GREETED = timedelta(hours=1)
_MAX_NAMES = 64
_MAX_ADDRESSES = 16
DnsName = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63}){1,9}\.?$", max_length=253)
]


class WebmailSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of it.

    Fields:
        enabled: Whether names are compared with the list.
        names: Names that count as webmail besides.
        ignore: Names that do not count, such as the unit's own contract.
    """

    enabled: bool = True
    names: tuple[DnsName, ...] = ()
    ignore: tuple[DnsName, ...] = ()


def services(settings: WebmailSettings, file: Path | None = None) -> dict[str, list[str]]:
    """Return the names of each service.

    Raises:
        OSError: the shipped list can't be read.
        ValueError: it is none.
    """
    if not settings.enabled:
        return {}
    place = file or configs_dir() / _FILE
    try:
        shipped = msgspec.convert(yaml.safe_load(place.read_text("utf-8")), dict[str, list[str]])
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise ValueError(f"{place}: no list of webmail names: {error}") from None
    return shipped | {"listed": list(settings.names)}


class _Name(Struct):
    """What is known of a name."""

    service: str
    first_seen: datetime
    last_seen: datetime
    count: int = 0
    addresses: dict[str, None] = {}
    greeted: dict[str, datetime] = {}
    how: set[How] = set()

    def greeted_by(self, now: datetime) -> list[str]:
        """Return the addresses greeted within an hour: longer ago, it is a use of the past."""
        return [address for address, at in self.greeted.items() if now - at <= _GREETED]


class Webmail:
    """The names that this node asked for or greeted servers by within a day, at most 64.

    Attributes:
        tell: Called when there is something new.
        unread: How many servers it greeted by names that could not be read, since the agent began.
    """

    def __init__(self) -> None:
        self.tell: Callable[[], object] = lambda: None
        self.unread = 0
        self._names: dict[str, _Name] = {}

    def note(self, seen: Seen, own: Collection[str], now: datetime) -> None:
        """Take in what packets told, if one of our `own` addresses asked."""
        if seen.client not in own:
            return
        known = self._names.get(seen.name)
        new = known is None
        if known is None:
            if len(self._names) >= _MAX_NAMES:
                return
            known = self._names[seen.name] = _Name(seen.service, now, now)
        known.last_seen = now
        known.count += seen.count
        known.how.add(seen.how)
        for address in seen.addresses:
            if address not in known.addresses and len(known.addresses) < _MAX_ADDRESSES:
                known.addresses[address] = None
                new = True
        if seen.how == "tls":
            new |= self._greeted(known, seen.addresses, now)
        if new:
            self.tell()

    def _greeted(self, known: _Name, addresses: Collection[str], now: datetime) -> bool:
        """Note the addresses that were greeted; say whether one was not within the hour before."""
        before = known.greeted_by(now)
        kept = {address: known.greeted[address] for address in before} | dict.fromkeys(addresses, now)
        known.greeted = dict(sorted(kept.items(), key=lambda one: one[1])[-_MAX_ADDRESSES:])
        return not set(addresses) <= set(before)

    def miss(self, unread: Unread, own: Collection[str]) -> None:
        """Count greetings that could not be read, if they were ours."""
        if unread.client in own:
            self.unread += unread.count

    def rows(self, now: datetime) -> list[dict[str, Any]]:
        """Return the body's rows; what was not asked for within a day is forgotten."""
        self._names = {name: known for name, known in self._names.items() if now - known.last_seen <= _KEPT}
        return [
            {
                "service": known.service,
                "name": name,
                "count": known.count,
                "first_seen": moment(known.first_seen),
                "last_seen": moment(known.last_seen),
                "addresses": list(known.addresses),
                "how": sorted(known.how),
                "greeted": known.greeted_by(now),
            }
            for name, known in sorted(self._names.items())
        ]
