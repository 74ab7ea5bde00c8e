"""One foreign sensor's records to what is reported: its alerts, scans in its connections, and what it lost.

Live tail and replay feed the same object, line by line; `tick` says what is due in between.
"""

from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Annotated, Any, NamedTuple, Protocol

from msgspec import Meta, Struct
from msgspec.structs import replace

from wire.messages import ReportKind

from ..bounded import Share
from ..clock import moment
from .loss import CLASS, LossMeter
from .record import MAX_RECORD, RecordError, Seen
from .repeats import GRAVITY, Finding, Repeats, RepeatSettings, Severity, Trouble
from .scans import Door, Knocked, Scans, ScanSettings


class Told(NamedTuple):
    """What is to be reported."""

    kind: ReportKind
    body: dict[str, Any]


class Reader(Protocol):
    """Decodes one sensor's lines."""

    sensor: str

    def read(self, line: bytes, log: str = "") -> Seen:
        """Return what a line tells; raises `RecordError`."""
        ...


class SensorSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is made of a sensor's records.

    Fields:
        loss_threshold: The share of lost packets from which the sensor counts as blind.
        silence: Seconds without a line after which it counts as dead; 0: never.
        least: The severity from which its alerts are told; below it they are read and no more.
        ignore: Signatures and notice types that are not told, as their incidents' keys begin with them.
        repeats, scans: When records are told.
    """

    loss_threshold: Share = 0.01
    silence: Annotated[float, Meta(ge=0)] = 1800.0
    least: Severity = "low"
    ignore: tuple[str, ...] = ()
    repeats: RepeatSettings = RepeatSettings()
    scans: ScanSettings = ScanSettings()


class Sensor:
    """Counts what a sensor says.

    Attributes:
        read: Lines understood.
    """

    def __init__(
        self,
        reader: Reader,
        settings: SensorSettings,
        saved: dict[str, Trouble] | None = None,
        scans: Iterable[Knocked] = (),
    ) -> None:
        self._reader = reader
        self._repeats = Repeats(settings.repeats, saved)
        self._scans = Scans(settings.scans, scans)
        self._meter = LossMeter(settings.loss_threshold)
        self._silence = settings.silence
        self._least = GRAVITY.index(settings.least)
        self._ignored = frozenset(settings.ignore)
        self._heard: datetime | None = None
        self.read = 0

    def saved(self) -> dict[str, Trouble]:
        """Return the troubles to save."""
        return self._repeats.saved()

    def scans(self) -> list[Knocked]:
        """Return what to save of who met doors that did not open."""
        return self._scans.saved()

    def line(self, data: bytes, log: str, now: datetime | None = None) -> tuple[datetime, list[Told]]:
        """Take a line; return its time and what it leads to.

        Args:
            data: The line.
            log: Name of its file.
            now: The host's clock where the line is fresh: no sensor's clock may run ahead of it.

        Raises:
            RecordError: it is no record.
        """
        if len(data) > MAX_RECORD:
            raise RecordError(f"line of more than {MAX_RECORD} bytes")
        seen = self._reader.read(data.removeprefix(BOM_UTF8), log)
        self.read += 1
        self._heard = now
        at = min(seen.at, now) if now else seen.at
        return at, list(self._told(seen, at))

    def _told(self, seen: Seen, at: datetime) -> Iterator[Told]:
        if seen.finding and self._wanted(seen.finding):
            yield from self._note(seen.finding, at)
        if seen.counted:
            sensor = self._reader.sensor
            if loss := self._meter.note(seen.reader, seen.counted):
                yield Told("gap", loss.gap(sensor))
                yield from self._note(loss.finding(sensor), at)
        if seen.contact:
            contact, door = seen.contact, Door(seen.contact.target, seen.contact.port)
            if contact.answered:
                self._scans.answered(contact.source, door)
            else:
                for finding in self._scans.refused(contact.source, door, at):
                    yield from self._note(finding, at)

    def _wanted(self, finding: Finding) -> bool:
        return GRAVITY.index(finding.severity) >= self._least and finding.group not in self._ignored

    def _note(self, finding: Finding, at: datetime) -> Iterator[Told]:
        prefix = f"{self._reader.sensor}:"
        key = finding.key if finding.key.startswith(prefix) else prefix + finding.key
        for body in self._repeats.note(replace(finding, key=key, at=at)):
            yield Told("incident", body)

    def tick(self, now: datetime) -> list[Told]:
        """Return what is due."""
        scans = [told for finding in self._scans.step(now) for told in self._note(finding, now)]
        return [*scans, *(Told("incident", body) for body in self._repeats.tick(now))]

    def listen(self, now: datetime) -> list[Told]:
        """Say when the sensor, followed live, fell silent or is heard again: a dead one sees nothing."""
        if not self._silence:
            return []
        since = self._heard = self._heard or now
        key = f"{self._reader.sensor}:silent"
        # After a restart of the agent a sensor that was silent stays so until it is heard.
        still = not self.read and key in self._repeats.saved()
        if (now - since).total_seconds() < self._silence and not still:
            return [Told("incident", body) for body in self._repeats.over(key)]
        finding = Finding(
            key=key,
            group=key,
            incident_class=CLASS,
            severity="medium",
            at=now,
            target=self._reader.sensor,
            item={"since": moment(since)},
        )
        return [Told("incident", body) for body in self._repeats.hold(finding)]
