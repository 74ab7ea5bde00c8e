"""Finds floods: more connections asked for at one door, or datagrams to one address, than it can bear.

A rate has to hold for `seconds` one after the other; a burst of a second (a page with many parts, a backup
that starts) is none. From forged addresses a flood has no source; where one address sends nine of ten, it
is named.
"""

from collections import Counter, defaultdict
from datetime import datetime, timedelta

from msgspec import Struct

from ..bounded import Count, Rate
from ..clock import moment
from .repeats import Finding
from .tally import Contact, port, text

CLASS = "NADOS"
_PAUSE = timedelta(seconds=2.5)
_MAX_TARGETS = 4096
_SHOWN = 10


class FloodSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """When traffic is a flood.

    Fields:
        syn_per_second: Connections asked for at one address and port.
        udp_per_second: Datagrams to one address, but questions for names.
        seconds: For so long.
    """

    syn_per_second: Rate = 500.0
    udp_per_second: Rate = 10000.0
    seconds: Count = 2


class _Run(Struct):
    """Steps in a row above the limit: when the first and the last of them ended."""

    begin: datetime
    last: datetime


class Floods:
    """What is above its limit, and since when."""

    def __init__(self, settings: FloodSettings) -> None:
        self._settings = settings
        self._runs: dict[tuple[str, bytes, bytes], _Run] = {}

    def step(self, kind: str, contacts: dict[Contact, int], seconds: float, at: datetime) -> list[Finding]:
        """Take the contacts of `seconds`; `kind` is `syn` or `udp`."""
        limit = self._settings.syn_per_second if kind == "syn" else self._settings.udp_per_second
        # Below it altogether no target can be above it.
        if sum(contacts.values()) < limit * seconds:
            return []
        targets: dict[tuple[bytes, bytes], int] = defaultdict(int)
        for (_, target, door), times in contacts.items():
            targets[target, door if kind == "syn" else b""] += times
        found = []
        for (target, door), times in targets.items():
            if times >= limit * seconds and self._lasts((kind, target, door), at):
                sources: Counter[bytes] = Counter()
                for (source, whom, where), count in contacts.items():
                    if whom == target and door in {b"", where}:
                        sources[source] += count
                found.append(self._finding((kind, target, door), times / seconds, sources, at))
        return found

    def _lasts(self, key: tuple[str, bytes, bytes], at: datetime) -> bool:
        run = self._runs.get(key)
        if run is None or at - run.last > _PAUSE:
            if len(self._runs) >= _MAX_TARGETS:
                self._runs = {one: kept for one, kept in self._runs.items() if at - kept.last <= _PAUSE}
            run = self._runs[key] = _Run(at, at)
        else:
            run.last = at
        # The first step had already lasted a second when it ended.
        return (at - run.begin).total_seconds() >= self._settings.seconds - 1

    def _finding(
        self, key: tuple[str, bytes, bytes], rate: float, sources: Counter[bytes], at: datetime
    ) -> Finding:
        kind, name = key[0], text(key[1])
        door = port(key[2]) if key[2] else None
        first, most = sources.most_common(1)[0]
        run = self._runs[key]
        return Finding(
            key=f"flood:{kind}:{name}" + (f":{door}" if door else ""),
            group="flood",
            incident_class=CLASS,
            severity="high",
            at=at,
            source_address=text(first) if most >= 0.9 * sources.total() else None,
            target_address=name,
            target=f"{kind} {name}" + (f" {door}" if door else ""),
            times=sources.total(),
            item={
                "at": moment(at),
                "since": moment(run.begin),
                "per_second": round(rate),
                "sources": len(sources),
                "most": [
                    {"address": text(one), "count": count} for one, count in sources.most_common(_SHOWN)
                ],
                "port": door,
            },
        )
