"""Finds who tries doors: contacts that nobody answered, counted by source, in the last minute and over hours.

A client that works gets answers. Who scans, does not: closed ports refuse, empty addresses are silent. So
not connections are counted but the different doors (address and port) at which a source was refused or not
answered, which leaves browsers, proxies and busy servers alone however much they talk.

    door refused        counts at once
    door asked          waits `patience` for an answer; none: counts; an answer: forgotten

A fast scan meets `doors` different ones within `window`; a slow one meets `slow_doors` within
`slow_window`, one every few minutes. A source that scans is told as one trouble while it goes on.

What was counted can be saved and taken up again, or every restart would be the end of a slow scan. Saved are
the sources that met most doors, and of each the last doors, as many as make a scan.
"""

from collections import OrderedDict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from heapq import nlargest
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Annotated, NamedTuple

from msgspec import Meta, Struct

from ..bounded import Count, Pause, Seconds
from ..clock import moment
from .repeats import Finding

CLASS = "NASCAN"
_MAX_SOURCES = 10_000
_MAX_DOORS = 2_000
_MAX_WAITING = 20_000
_SHOWN = 20
_MOST_SAVED = 200
_MOST_SAVED_DOORS = 8_000
_LAST_SECOND = 253402300799  # of the year 9999, the last that a datetime has
_A_SECOND = timedelta(seconds=1)


class ScanSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """When unanswered contacts are a scan.

    Fields:
        window, doors: So many different doors in so many seconds are a scan.
        slow_window, slow_doors: The same for one that takes its time.
        patience: Seconds after which a door that did not answer counts.
        ignore: Who may scan: addresses or networks of the unit's own scanners and monitoring.
    """

    window: Seconds = 60.0
    doors: Count = 25
    slow_window: Seconds = 21600.0
    slow_doors: Count = 60
    patience: Pause = 3.0
    ignore: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what is no network."""
        for text in self.ignore:
            try:
                ip_network(text)
            except ValueError as error:
                raise ValueError(f"ignore to hold addresses or networks ({error})") from None


class Door(NamedTuple):
    """Where somebody knocked."""

    address: str
    port: int


class Knocked(Struct, frozen=True):
    """What is saved of a source: doors with the second since 1970 when each was counted last, oldest first.

    `told_doors` of them were told; `told`: when, while the scan goes on.
    """

    source: str
    doors: list[tuple[str, int, Annotated[int, Meta(ge=0, le=_LAST_SECOND)]]]
    told: Annotated[datetime, Meta(tz=True)] | None = None
    told_doors: int = 0


class _Source(Struct):
    """The doors of one source with the last time each was counted, oldest first; `told` while it scans."""

    doors: OrderedDict[Door, datetime]
    fresh: list[datetime] = []
    told: datetime | None = None
    told_doors: int = 0


@lru_cache(maxsize=4096)
def _inside(source: str, networks: tuple[IPv4Network | IPv6Network, ...]) -> bool:
    return any(ip_address(source) in network for network in networks)


class Scans:
    """The counters of all sources."""

    def __init__(self, settings: ScanSettings, saved: Iterable[Knocked] = ()) -> None:
        self._settings = settings
        self._window = timedelta(seconds=settings.window)
        self._slow = timedelta(seconds=settings.slow_window)
        self._patience = timedelta(seconds=settings.patience)
        self._sources: OrderedDict[str, _Source] = OrderedDict()
        self._waiting: dict[tuple[str, Door], datetime] = {}
        self._untold: set[str] = set()
        self._ignored = tuple(ip_network(text) for text in settings.ignore)
        for one in saved:
            self._source(one.source).doors.update(
                (Door(address, port), datetime.fromtimestamp(at, UTC)) for address, port, at in one.doors
            )
            self._sources[one.source].told = one.told
            self._sources[one.source].told_doors = one.told_doors

    def saved(self) -> list[Knocked]:
        """Return what to save, bounded: who met most doors first."""
        made: list[Knocked] = []
        room = _MOST_SAVED_DOORS
        met = nlargest(_MOST_SAVED, self._sources.items(), key=lambda one: len(one[1].doors))
        for name, counter in met:
            kept = list(counter.doors.items())[-max(self._settings.slow_doors, self._settings.doors) :][:room]
            if not kept:
                break
            room -= len(kept)
            left_out = len(counter.doors) - len(kept)
            doors = [(door.address, door.port, int(at.timestamp())) for door, at in kept]
            made.append(Knocked(name, doors, counter.told, max(0, counter.told_doors - left_out)))
        return made

    def asked(self, source: str, door: Door, at: datetime) -> None:
        """Note that a source knocked."""
        if len(self._waiting) < _MAX_WAITING:
            self._waiting.setdefault((source, door), at)

    def answered(self, source: str, door: Door) -> None:
        """Note that a door opened."""
        self._waiting.pop((source, door), None)

    def broke_off(self, source: str, door: Door, at: datetime) -> list[Finding]:
        """Note a reset: of a door that was asked and did not open a refusal, else the end of what worked."""
        return self.refused(source, door, at) if (source, door) in self._waiting else []

    def refused(self, source: str, door: Door, at: datetime) -> list[Finding]:
        """Note that a door did not open, and return what that makes of its source."""
        self._waiting.pop((source, door), None)
        if self._ignored and _inside(source, self._ignored):
            return []
        counter = self._source(source)
        if door not in counter.doors:
            counter.fresh.append(at)
        counter.doors[door] = at
        counter.doors.move_to_end(door)
        while len(counter.doors) > _MAX_DOORS:
            counter.doors.popitem(last=False)
        return self._judge(source, counter, at)

    def step(self, now: datetime) -> list[Finding]:
        """Count the doors whose patience is over."""
        found = []
        while self._waiting:
            (source, door), at = next(iter(self._waiting.items()))
            if now - at < self._patience:
                break
            found += self.refused(source, door, at)
        for source in [one for one in self._untold if one in self._sources]:
            found += self._judge(source, self._sources[source], now)
        return found

    def _source(self, name: str) -> _Source:
        counter = self._sources.pop(name, None) or _Source(OrderedDict())
        self._sources[name] = counter
        while len(self._sources) > _MAX_SOURCES:
            self._sources.popitem(last=False)
        return counter

    def _judge(self, source: str, counter: _Source, at: datetime) -> list[Finding]:
        while counter.doors and at - next(iter(counter.doors.values())) > self._slow:
            counter.doors.popitem(last=False)
        counter.fresh = [one for one in counter.fresh if at - one <= self._window][-_MAX_DOORS:]
        fast = len(counter.fresh) >= self._settings.doors
        slow = len(counter.doors) >= self._settings.slow_doors
        if not fast and not slow:
            counter.told = None
            return []
        first = counter.told is None
        # One finding a second is enough to say that it goes on.
        if counter.told and at - counter.told < _A_SECOND:
            self._untold.add(source)
            return []
        self._untold.discard(source)
        new = len(counter.doors) if first else len(counter.doors) - counter.told_doors
        if new <= 0:
            return []
        counter.told, counter.told_doors = at, len(counter.doors)
        return [self._finding(source, counter, at, new, fast=fast)]

    def _finding(self, source: str, counter: _Source, at: datetime, new: int, *, fast: bool) -> Finding:
        addresses = {door.address for door in counter.doors}
        ports = {door.port for door in counter.doors}
        shown = list(counter.doors)[-_SHOWN:]
        begin = min(counter.doors.values())
        return Finding(
            key=f"scan:{source}",
            group="scan",
            incident_class=CLASS,
            severity="medium" if fast else "low",
            at=at,
            source_address=source,
            target_address=next(iter(addresses)) if len(addresses) == 1 else None,
            times=new,
            item={
                "at": moment(at),
                "since": moment(begin),
                "pace": "fast" if fast else "slow",
                "addresses": len(addresses),
                "ports": len(ports),
                "doors": [
                    f"[{door.address}]:{door.port}" if ":" in door.address else f"{door.address}:{door.port}"
                    for door in shown
                ],
            },
        )
