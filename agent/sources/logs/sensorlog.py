"""Follows the logs of a foreign sensor on this host: every file a pattern names, over every way of rotating.

    pattern /var/log/suricata/eve*.json
        eve.json              threaded: eve.1.json, eve.2.json ...
        eve.json renamed to eve-20260302.json, which the pattern matches too: the rest of it is read there,
        from the place, and eve.json from its beginning

Files that are there at the first start are read from their end on, later ones from their beginning. Places
and counted troubles are saved together, after what they led to was emitted. A look takes a bounded part of
what waits, so that a log of gigabytes is worked off in steps that the budget can stop.
"""

import asyncio
import os
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct

from ...budget import Budget, RefusedError
from ...detection.record import MAX_RECORD, RecordError
from ...detection.repeats import Trouble
from ...detection.scans import Knocked
from ...detection.sensor import Reader, Sensor, SensorSettings, Told
from ..port import Clock, Emit, Observation, Reading, Unreadable
from ..rounds.kept import Kept
from ..rounds.runs import Paid, Runs, StuckError
from .refused import Refused
from .tail import Place, Tail

_MAX_FILES = 64
_LINES_A_LOOK = 5_000
_ONCE_BYTES = 1 << 20
_AGAIN_SECONDS = 5.0


class SensorLogSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of a source that follows a sensor's logs.

    Fields:
        files: Patterns of its log files; none: the source is off.
        sensor: What is made of its records.
        budget: What it may cost.
    """

    files: tuple[Annotated[str, Meta(pattern="^/.")], ...] = ()
    sensor: SensorSettings = SensorSettings()
    budget: Budget = Budget(cpu_seconds=15.0, cool_down=60.0)


class Pace(Struct, frozen=True, kw_only=True):
    """How often it looks and saves, in seconds.

    Fields:
        look: Between two looks, where nothing waits.
        save: Between two saves of what was told; a kill repeats what was not saved.
        idle_save: Likewise, where only places have moved.
    """

    look: float = 1.0
    save: float = 2.0
    idle_save: float = 15.0


class _Saved(Struct):
    """What survives a restart: how far each file was read, the troubles, and who met closed doors."""

    places: dict[str, Place] = {}
    troubles: dict[str, Trouble] = {}
    scans: list[Knocked] = []
    began: bool = False


class _Look(Struct):
    """What one look gave; what it has to say about itself is said when it is back."""

    places: dict[str, Place] = {}
    told: list[Told] = []
    troubles: list[str] = []
    gaps: list[str] = []
    more: bool = False


class SensorLog(Paid):
    """A sensor's logs as a source; `suricata` and `zeek` are two of them."""

    def __init__(
        self,
        name: str,
        reader: Callable[[], Reader],
        settings: SensorLogSettings,
        *,
        state: Path | None,
        root: Path = Path("/"),
        pace: Pace | None = None,
    ) -> None:
        self.name = name
        self._pace = pace or Pace()
        self._root = root
        self._reader = reader
        self._settings = settings
        self._runs = Runs(name, settings.budget)
        self._kept = Kept(
            state / f"{name}.json" if state else None,
            _Saved,
            _Saved,
            self._runs,
            lost="reading on from the ends of the logs",
            repeated="what was read since is read again after a restart",
        )
        self._refused = Refused()
        self._present: frozenset[str] = frozenset()
        self._saved_at = 0.0
        self._unsaved = False

    def _paths(self) -> list[str]:
        patterns = (pattern.lstrip("/") for pattern in self._settings.files)
        return sorted({str(path) for pattern in patterns for path in self._root.glob(pattern)})[:_MAX_FILES]

    async def once(self, now: datetime) -> Reading:
        """Read the end of every file and tell the troubles in it."""
        paths = self._paths()
        if not paths:
            return Reading(
                unreadable=(Unreadable(self.name, ", ".join(self._settings.files), "no such file"),)
            )
        sensor = Sensor(self._reader(), self._settings.sensor)
        unreadable: list[Unreadable] = []
        bodies: dict[str, Told] = {}
        for path in paths:
            try:
                told = await self._runs.look(partial(self._end_of, Path(path), sensor, now))
            except (OSError, RefusedError) as error:
                unreadable.append(Unreadable(self.name, path, str(error)))
            else:
                bodies.update((str(one.body.get("key", one.body)), one) for one in told)
        observations = (self._observation(one, now) for one in bodies.values())
        return Reading(tuple(observations), tuple(unreadable))

    def _end_of(self, path: Path, sensor: Sensor, now: datetime) -> list[Told]:
        tail = Tail(path, None, MAX_RECORD)
        tail.start_at_end(_ONCE_BYTES)
        return list(self._lines(tail, sensor, now))

    def _observation(self, told: Told, now: datetime) -> Observation:
        return Observation(told.kind, self.name, now, told.body)

    async def watch(self, emit: Emit, clock: Clock) -> None:
        """Follow the logs until cancelled."""
        if not self._kept.keeps:
            raise ValueError(f"{self.name}: watching needs a state folder for the places read up to")
        saved = self._kept.load()
        sensor = Sensor(self._reader(), self._settings.sensor, saved.troubles, saved.scans)
        while not saved.began:
            try:
                saved.places = await self._runs.look(lambda: dict(_ends(self._paths())))
            except RefusedError:
                await self._runs.tell(emit, "incident", clock())
                await asyncio.sleep(max(self._pace.look, self._runs.resting))
            else:
                saved.began = True
                self._kept.save(saved)
        self._present = frozenset(saved.places)
        late: _Look | None = None
        while True:
            now, look = clock(), _Look()
            try:
                await self._runs.look(partial(self._look, look, late or saved.places, sensor, now))
            except StuckError:
                late = look
            except RefusedError:
                pass
            else:
                late, saved.places = None, look.places
                await self._tell(look, saved, sensor, emit, now)
            await self._runs.tell(emit, "incident", clock())
            await asyncio.sleep(max(0.0 if look.more else self._pace.look, self._runs.resting))

    def _look(self, look: "_Look", before: "_Look | dict[str, Place]", sensor: Sensor, now: datetime) -> None:
        """Read on in every file, from where `before` stood: what is saved, or a look that came back late."""
        if isinstance(before, _Look):
            look.told, look.gaps, before = before.told, before.gaps, before.places
        look.places = dict(before)
        paths = self._paths()
        self._follow_renames(paths, look.places)
        if not paths:
            look.troubles.append(f"no file fits {', '.join(self._settings.files)}")
        for path in paths:
            try:
                self._read_on(path, look, sensor, now)
            except OSError as error:
                look.troubles.append(f"{path} could not be read: {error}")
        self._present = frozenset(paths)
        gaps = (Told("gap", body) for body in self._refused.told(now))
        look.told += [*sensor.tick(now), *sensor.listen(now), *gaps]

    def _read_on(self, path: str, look: "_Look", sensor: Sensor, now: datetime) -> None:
        inode = _inode(path)
        if inode is None:
            return  # gone since it was found
        tail = Tail(Path(path), look.places.get(path) or Place(inode, 0), MAX_RECORD)
        try:
            look.told += self._lines(tail, sensor, now)
        finally:
            if tail.place:
                look.places[path] = tail.place
        if tail.cuts:
            look.gaps.append(f"{path} was cut or replaced; lines before that may be lost")
        look.more = look.more or tail.lines >= _LINES_A_LOOK

    def _follow_renames(self, paths: list[str], places: dict[str, Place]) -> None:
        """Let a file with a new name be read on from its place, and a new one under its old name from 0."""
        known = {places[path].inode: path for path in self._present if path in places}
        for path in paths:
            if path in places:
                continue
            inode = _inode(path)
            old = known.get(inode) if inode else None
            if old and _inode(old) != inode:
                places[path] = places.pop(old)
        for path in [one for one in places if len(places) > 2 * _MAX_FILES and one not in paths]:
            del places[path]

    def _lines(self, tail: Tail, sensor: Sensor, now: datetime) -> Iterator[Told]:
        log = str(tail.path)
        for line in islice(tail.read(), _LINES_A_LOOK):
            if not line.data.strip():
                continue
            if not line.whole:
                self._refused.add(log, f"line of more than {MAX_RECORD} bytes", now)
                continue
            try:
                yield from sensor.line(line.data, log, now)[1]
            except RecordError as error:
                self._refused.add(log, str(error), now)

    async def _tell(self, look: "_Look", saved: _Saved, sensor: Sensor, emit: Emit, now: datetime) -> None:
        """Emit, and only then save the places and the troubles."""
        for trouble in look.troubles:
            self._runs.note_trouble(trouble)
        for gap in look.gaps:
            self._runs.note_gap(gap)
        for one in look.told:
            await emit(self._observation(one, now))
        # In a storm of alerts a save a look would cost more than all else; a kill repeats what was not saved.
        self._unsaved = self._unsaved or bool(look.told)
        at = asyncio.get_running_loop().time()
        if at - self._saved_at >= (self._pace.save if self._unsaved else self._pace.idle_save):
            saved.troubles, saved.scans = sensor.saved(), sensor.scans()
            self._kept.save(saved)
            self._saved_at = at
            self._unsaved = False


def _ends(paths: list[str]) -> Iterator[tuple[str, Place]]:
    for path in paths:
        try:
            status = os.stat(path)  # noqa: PTH116 - twin of the looks below
        except OSError:
            continue
        yield path, Place(status.st_ino, status.st_size)


def _inode(path: str) -> int | None:
    try:
        return os.stat(path).st_ino  # noqa: PTH116 - only the inode
    except OSError:
        return None
