"""A recording through the detections, second by second of its own clock.

Live only what this host sends is looked at for greetings of TLS; a recording may be anybody's, so that names
of webmail are kept with who asked for them or greeted by them.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import BinaryIO, NamedTuple

from ..detection.sensor import Told
from ..detection.tally import Tally
from ..detection.traffic import Traffic, TrafficSettings
from ..detection.webmail import Names, Seen, joined, seen, unread
from .frames import KNOWN, count, network
from .odd import Dissector
from .pcap import Frame, PcapError, frames

_SECOND = timedelta(seconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MAX_NAMED = 1_000


class Found(NamedTuple):
    """What came of a moment of the recording."""

    at: datetime
    told: Told


class Unread(NamedTuple):
    """A packet that could not be read, by its number."""

    number: int
    why: str


class Recording:
    """Reads one.

    Attributes:
        read: Packets that could be.
        unread: Greetings of TLS whose name could not be.
    """

    def __init__(self, settings: TrafficSettings, names: Names | None = None) -> None:
        """Take the detections' settings, and the names of webmail to look for."""
        self._settings = settings
        self._names = names or Names({})
        self._named: dict[tuple[str, str, str], Seen] = {}
        self._traffic = Traffic(settings)
        self._tally = Tally()
        self._begin: datetime | None = None
        self.read = 0
        self.unread = 0

    def named(self) -> list[Seen]:
        """Return the names of webmail that were asked for or greeted by so far, a thousand at most."""
        return list(self._named.values())

    def play(self, file: BinaryIO) -> Iterator[Found | Unread]:
        """Yield what is found and what can't be read, in order.

        Raises:
            OSError: the file can't be read.
        """
        number = 0
        with Dissector() as dissector:
            try:
                for frame in frames(file):
                    number = frame.number
                    yield from self._due(frame.at)
                    if why := self._count(frame, dissector):
                        yield Unread(number, why)
                    else:
                        self.read += 1
            except PcapError as error:
                yield Unread(number + 1, str(error))
        yield from self._end()

    def _count(self, frame: Frame, dissector: Dissector) -> str:
        """Count a packet; return why it can't be."""
        if frame.link in KNOWN:
            protocol, begin = network(frame.link, frame.data)
            packet = frame.data[begin:]
        else:
            protocol, packet = dissector.network(frame.link, frame.data)
            if not protocol:
                return f"link type {frame.link}: nothing in it that can be read"
        count(self._tally, protocol, packet)
        return ""

    def _due(self, at: datetime | None) -> Iterator[Found]:
        """Close the seconds that are over; a clock that goes back stands still."""
        at = at or self._begin or _EPOCH
        if self._begin is None:
            self._begin = at
        if at - self._begin < _SECOND:
            return
        yield from self._step(self._begin + _SECOND)
        patience = timedelta(seconds=self._settings.scans.patience)
        # In a pause of the recording what waits for an answer has to be told at its own time.
        if at - self._begin > patience + _SECOND:
            yield from self._step(self._begin + patience + _SECOND)
        self._begin = at

    def _step(self, at: datetime) -> Iterator[Found]:
        tally, self._tally = self._tally, Tally()
        for told in self._traffic.step(tally, 1.0, at):
            yield Found(at, told)
        for one in seen(tally, self._names):
            key = (one.client, one.name, one.how)
            if key in self._named:
                self._named[key] = joined(self._named[key], one)
            elif len(self._named) < _MAX_NAMED:
                self._named[key] = one
        self.unread += sum(one.count for one in unread(tally, self._names))

    def _end(self) -> Iterator[Found]:
        if self._begin is None:
            return
        patience, window = self._settings.scans.patience, self._settings.repeats.window
        for after in (1, patience + 1, patience + window + 2):
            yield from self._step(self._begin + timedelta(seconds=after))
