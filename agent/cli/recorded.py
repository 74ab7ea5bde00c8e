"""Recorded files through the code that reads them live: what `replay` prints, whatever the form."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, BinaryIO, NamedTuple

from ..capture.recording import Recording, Unread
from ..detection.eve import EveReader
from ..detection.record import MAX_RECORD, RecordError
from ..detection.sensor import Reader, Sensor, Told
from ..detection.traffic import SOURCE
from ..detection.webmail import Names, Seen
from ..detection.zeek import ZeekReader
from ..sources import SensorLogSettings, SourcesSettings
from ..sources.network.webmail import services
from ..sources.port import Observation

_MAX_REFUSED = 10_000
_TICK = timedelta(seconds=15)


class Replay(NamedTuple):
    """What came of a file: reports, lines read well, and the first refused ones with how many there were.

    Of packets also the names of webmail in them, and how many greetings of TLS had none that could be read.
    """

    reports: list[Observation]
    read: int
    refused: list[dict[str, Any]]
    refused_total: int
    webmail: tuple[Seen, ...] = ()
    unread: int = 0


class Refusals:
    """What could not be read, by line; the first are kept, all are counted."""

    def __init__(self) -> None:
        self.first: list[dict[str, Any]] = []
        self.total = 0

    def add(self, line: int, why: str) -> None:
        """Note a line."""
        self.total += 1
        if len(self.first) < _MAX_REFUSED:
            self.first.append({"line": line, "why": why})


def lines(file: BinaryIO, limit: int) -> Iterator[tuple[int, bytes]]:
    """Yield the lines that are not blank, by number; of one over the limit its beginning, still over it."""
    number = 0
    while piece := file.readline(limit + 2):
        number += 1
        rest = piece
        while not rest.endswith(b"\n") and (rest := file.readline(1 << 16)):
            pass
        line = piece.rstrip(b"\r\n")
        if line:
            yield number, line


def sensor_log(file: BinaryIO, name: str, form: str, settings: SourcesSettings) -> Replay:
    """Read a sensor's log, `eve` or `zeek`; `name` is the file's.

    Raises:
        OSError: the file can't be read.
    """
    readers: dict[str, tuple[Reader, SensorLogSettings]] = {
        "eve": (EveReader(), settings.suricata),
        "zeek": (ZeekReader(), settings.zeek),
    }
    reader, its = readers[form]
    sensor = Sensor(reader, its.sensor)
    refusals = Refusals()
    reports: list[Observation] = []
    latest: datetime | None = None
    last: datetime | None = None

    def report(told: list[Told], at: datetime) -> None:
        reports.extend(Observation(one.kind, reader.sensor, at, one.body) for one in told)

    for number, data in lines(file, MAX_RECORD):
        try:
            at, told = sensor.line(data, name)
        except RecordError as error:
            refusals.add(number, str(error))
            continue
        if latest is None or at - latest >= _TICK:
            report(sensor.tick(at), at)
            latest = at
        report(told, at)
        last = at
    if last:
        # Live, the sensor is asked every second: what the last second brought counts as well.
        soon = last + timedelta(seconds=1)
        report(sensor.tick(soon), soon)
        over = soon + _TICK + timedelta(seconds=its.sensor.repeats.window)
        report(sensor.tick(over), over)
    return Replay(reports, sensor.read, refusals.first, refusals.total)


def packets(file: BinaryIO, settings: SourcesSettings) -> Replay:
    """Read recorded packets, pcap or pcapng; a refused "line" is a packet's number.

    Raises:
        OSError: the file, or the shipped list of webmail, can't be read.
        ValueError: that list is none.
    """
    webmail = settings.packets.webmail
    recording = Recording(settings.packets.traffic, Names(services(webmail), webmail.ignore))
    refusals = Refusals()
    reports: list[Observation] = []
    for one in recording.play(file):
        if isinstance(one, Unread):
            refusals.add(one.number, one.why)
        else:
            reports.append(Observation(one.told.kind, SOURCE, one.at, one.told.body))
    named = tuple(recording.named())
    return Replay(reports, recording.read, refusals.first, refusals.total, named, recording.unread)
