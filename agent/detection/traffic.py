"""All detections on packets, fed with a `Tally` a second, from a live ring and from a recording alike."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice

from msgspec import Struct

from .arp import ArpSettings, Claims
from .floods import Floods, FloodSettings
from .repeats import Finding, Repeats, RepeatSettings
from .resolvers import Resolvers
from .scans import Door, Knocked, Scans, ScanSettings
from .sensor import Told
from .tally import Contact, Tally, port, text
from .tunnels import Tunnels, TunnelSettings

SOURCE = "packets"
# A flood from forged addresses has a hundred thousand contacts a second; scans are looked for in so many.
_MAX_CONTACTS = 5_000
_MAX_NAMES = 5_000


class TrafficSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """When packets are an incident."""

    arp: ArpSettings = ArpSettings()
    scans: ScanSettings = ScanSettings()
    floods: FloodSettings = FloodSettings()
    tunnels: TunnelSettings = TunnelSettings()
    repeats: RepeatSettings = RepeatSettings(window=300.0)


class Traffic:
    """The detections."""

    def __init__(self, settings: TrafficSettings, scans: Iterable[Knocked] = ()) -> None:
        self._claims = Claims(settings.arp)
        self._scans = Scans(settings.scans, scans)
        self._resolvers = Resolvers()
        self._floods = Floods(settings.floods)
        self._tunnels = Tunnels(settings.tunnels)
        self._repeats = Repeats(settings.repeats)

    def scans(self) -> list[Knocked]:
        """Return what to save of who met doors that did not open: the one count that goes over hours."""
        return self._scans.saved()

    def know(self, cards: frozenset[bytes]) -> None:
        """Take the MACs that this host has now; an address that goes between them stays where it was."""
        self._claims.cards = cards

    def step(self, tally: Tally, seconds: float, at: datetime) -> list[Told]:
        """Take what was counted in the `seconds` before `at`; return what it leads to and what is due."""
        told = [
            body for finding in self._findings(tally, seconds, at) for body in self._repeats.note(finding)
        ]
        return [Told("incident", body) for body in [*told, *self._repeats.tick(at)]]

    def note(self, finding: Finding) -> list[Told]:
        """Take a finding that is none of the packets', but of the capture itself."""
        return [Told("incident", body) for body in self._repeats.note(finding)]

    def _findings(self, tally: Tally, seconds: float, at: datetime) -> Iterator[Finding]:
        yield from self._claims.step(tally, at)
        yield from self._floods.step("syn", tally.asked, seconds, at)
        yield from self._floods.step("udp", tally.datagrams, seconds, at)
        yield from self._tunnels.step(dict(islice(tally.names.items(), _MAX_NAMES)), at)
        for contact in islice(tally.asked, _MAX_CONTACTS):
            self._scans.asked(*_door(contact), at)
        for contact in islice(tally.opened, _MAX_CONTACTS):
            self._scans.answered(*_door(contact))
        for contact in islice(tally.refused, _MAX_CONTACTS):
            yield from self._scans.broke_off(*_door(contact), at)
        self._resolvers.note(tally.answered)
        for contact in islice(tally.bounced, _MAX_CONTACTS):
            if not self._resolvers.asks(contact):
                yield from self._scans.refused(*_door(contact), at)
        yield from self._scans.step(at)


def _door(contact: Contact) -> tuple[str, Door]:
    source, target, door = contact
    return text(source), Door(text(target), port(door))
