"""Watches failed logins: bursts by address and by account, and spraying, from journald or from auth.log.

What was read up to and what has been counted are saved together, in one file and after what they led to was
emitted. So a kill loses no failure and counts none twice; it may tell an incident again, with the same key.
"""

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Literal

from asyncinotify import Inotify, Mask
from msgspec import Struct

from ...budget import Budget, RefusedError
from ..port import Clock, Emit, Observation, Reading, Unreadable
from ..rounds.kept import Kept
from ..rounds.runs import Paid, Runs
from . import journal
from .authlog import Attempt, AuthReader, LineError
from .bursts import Bursts, BurstSettings, Counter
from .refused import Refused
from .spraying import Sprayed
from .tail import Line, Place, Tail

_FILES = ("var/log/auth.log", "var/log/secure")
_JOURNALS = ("var/log/journal", "run/log/journal")
_ONCE_BYTES = 1 << 20
_ONCE_SECONDS = 20.0
_QUIET = 0.2
_TICK = 15.0
_TICK_AT_MOST = 1.0
_SAVE_SECONDS = 15.0
_AGAIN_SECONDS = 5.0
_AGAIN_AT_MOST = 300.0


class LoginsSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of the logins source.

    Fields:
        enabled: Whether it runs.
        read: `file`, `journal`, or `auto`: the file where there is one that may be read, else the journal.
        file: The log file; empty for Debian's or Red Hat's usual one.
        journalctl: The command that reads the journal, as argv.
        bursts: When failures are a burst.
        budget: What it may cost.
    """

    enabled: bool = True
    read: Literal["auto", "file", "journal"] = "auto"
    file: str = ""
    journalctl: tuple[str, ...] = ("journalctl",)
    bursts: BurstSettings = BurstSettings()
    budget: Budget = Budget()


class _Saved(Struct):
    """What survives a restart; `since` is the first start, for a journal that had no entry then."""

    place: Place | None = None
    cursor: str = ""
    since: float = 0.0
    counters: list[Counter] = []
    sprayed: Sprayed | None = None


class Logins(Paid):
    """The logins source.

    Args:
        settings: Its settings.
        state: The agent's state folder; None where there is none, then only `once` works.
        root: Where the host's files are.
    """

    name = "logins"

    def __init__(
        self, settings: LoginsSettings | None = None, *, state: Path | None, root: Path = Path("/")
    ) -> None:
        self._settings = settings or LoginsSettings()
        self._root = root
        self._reader = AuthReader()
        self._runs = Runs(self.name, self._settings.budget)
        self._kept = Kept(
            state / "logins.json" if state else None,
            _Saved,
            _Saved,
            self._runs,
            lost="reading on from the end of the log",
            repeated="what was read since is read again after a restart",
        )
        self._refused = Refused()
        self._saved_at = 0.0
        self._ticked_at = 0.0
        self._telling = False

    def _log(self) -> Path | None:
        """Return the log file to read, None for the journal."""
        if self._settings.read == "journal":
            return None
        if self._settings.file:
            return Path(self._settings.file)
        found = [self._root / name for name in _FILES if (self._root / name).is_file()]
        readable = [path for path in found if os.access(path, os.R_OK)]
        if self._settings.read == "file":
            return next(iter([*readable, *found]), self._root / _FILES[0])
        return next(iter(readable), None)

    async def once(self, now: datetime) -> Reading:
        """Read the last of the log and tell the bursts in it."""
        bursts = Bursts(self._settings.bursts)
        bodies: dict[str, dict[str, Any]] = {}
        self._refused = Refused()
        path = self._log()
        try:
            if path:
                found = await self._runs.look(lambda: self._last_lines(path, now, bursts))
            else:
                found = await self._last_entries(now, bursts)
        except (OSError, RefusedError) as error:
            return Reading(unreadable=(Unreadable(self.name, str(path or "journal"), str(error)),))
        bodies.update((body["key"], body) for body in [*found, *bursts.tick(now)])
        incidents = (Observation("incident", self.name, now, body) for body in bodies.values())
        refused = (Unreadable(self.name, str(path or "journal"), self._refused.why()),)
        unreadable = (*self._not_found(path), *(refused if self._refused.count else ()))
        return Reading(tuple(incidents), unreadable)

    def _not_found(self, path: Path | None) -> Iterator[Unreadable]:
        """Name what `auto` passed over: a log that may not be read, or a host without any."""
        for name in _FILES:
            if (self._root / name).is_file() and not os.access(self._root / name, os.R_OK):
                yield Unreadable(self.name, f"/{name}", "permission denied; readable for root and group adm")
        journals = [self._root / name for name in _JOURNALS if (self._root / name).is_dir()]
        if path is None and not any(any(place.iterdir()) for place in journals if os.access(place, os.R_OK)):
            why = "no auth.log or secure that may be read, and no journal with entries"
            yield Unreadable(self.name, "login records", why)

    def _last_lines(self, path: Path, now: datetime, bursts: Bursts) -> list[dict[str, Any]]:
        tail = Tail(path, None)
        tail.start_at_end(_ONCE_BYTES)
        cut = tail.place is not None and tail.place.offset > 0  # in the middle of a line
        bodies: list[dict[str, Any]] = []
        for number, line in enumerate(tail.read()):
            if line.data.strip() and (number or not cut):
                bodies += self._count(bursts, partial(self._line, line, now), str(path), now)
        return bodies

    async def _last_entries(self, now: datetime, bursts: Bursts) -> list[dict[str, Any]]:
        since = now.timestamp() - 2 * self._settings.bursts.window
        argv = journal.arguments(self._settings.journalctl, "", since, follow=False)
        bodies: list[dict[str, Any]] = []
        async with asyncio.timeout(_ONCE_SECONDS), journal.running(argv) as child:
            while True:
                try:
                    data = await journal.next_line(child)
                except EOFError:
                    return bodies
                except ValueError:
                    continue
                bodies += self._count(bursts, partial(self._entry, data), "journal", now)

    def _entry(self, data: bytes) -> Attempt | None:
        return self._reader.entry(data)[0]

    def _line(self, line: Line, now: datetime, *, live: bool = False) -> Attempt | None:
        return self._reader.line(line.data.decode("utf-8", "replace"), now, live=live)

    def _count(
        self, bursts: Bursts, parse: Callable[[], Attempt | None], log: str, now: datetime
    ) -> list[dict[str, Any]]:
        try:
            attempt = parse()
        except LineError as error:
            self._refused.add(log, str(error), now)
            return []
        return bursts.add(attempt) if attempt else []

    async def watch(self, emit: Emit, clock: Clock) -> None:
        """Follow the log until cancelled."""
        self._telling = False
        if not self._kept.keeps:
            raise ValueError("logins: watching needs a state folder for the place read up to")
        saved = self._kept.load()
        bursts = Bursts(self._settings.bursts, saved.counters, saved.sprayed)
        wait = _AGAIN_SECONDS
        path: Path | None = None
        while True:
            begun = asyncio.get_running_loop().time()
            try:
                path = await self._runs.look(self._log)
                if path:
                    await self._follow_file(path, saved, bursts, emit, clock)
                else:
                    await self._follow_journal(saved, bursts, emit, clock)
            except RefusedError:
                pass  # resting, or a look that hangs: told by its gaps
            except OSError as error:
                if self._telling:
                    raise  # not the log but the outbox failed
                self._runs.note_trouble(f"{path or 'journal'} could not be read: {error}")
            await self._runs.tell(emit, "incident", clock())
            lasted = asyncio.get_running_loop().time() - begun
            wait = _AGAIN_SECONDS if lasted > _AGAIN_AT_MOST else min(2 * wait, _AGAIN_AT_MOST)
            await asyncio.sleep(max(wait, self._runs.resting))

    async def _follow_file(self, path: Path, saved: _Saved, bursts: Bursts, emit: Emit, clock: Clock) -> None:
        tail = Tail(path, saved.place)
        # Where the folder is on a file system that is away, even to ask for its changes hangs.
        await self._runs.look(path.parent.stat)
        if saved.place is None:
            await self._runs.look(tail.start_at_end)
            saved.place = tail.place
            self._kept.save(saved)
        cuts, followed, live = 0, True, False
        with _grows(path) as changed:
            while followed:
                bodies = await self._runs.look(partial(self._new_lines, tail, clock(), bursts, live=live))
                live = True  # what waited while nobody looked may be old
                if self._reader.behind:
                    self._runs.note_seldom(
                        f"{path}: its times are {self._reader.behind} behind this host's zone; brought to it"
                    )
                if tail.cuts > cuts:
                    cuts = tail.cuts
                    self._runs.note_gap(f"{path} was cut or replaced; lines before that may be lost")
                moved = saved.place != tail.place
                saved.place = tail.place
                await self._tell(saved, bursts, bodies, emit, clock, moved=moved)
                await _wait(changed)
                followed = await self._runs.look(self._log) == path

    def _new_lines(self, tail: Tail, now: datetime, bursts: Bursts, *, live: bool) -> list[dict[str, Any]]:
        log = str(tail.path)
        return [
            body
            for line in tail.read()
            if line.data.strip()
            for body in self._count(bursts, partial(self._line, line, now, live=live), log, now)
        ]

    async def _follow_journal(self, saved: _Saved, bursts: Bursts, emit: Emit, clock: Clock) -> None:
        if not saved.cursor and not saved.since:
            saved.since = clock().timestamp()
            saved.cursor = await self._newest()
            self._kept.save(saved)
        argv = journal.arguments(self._settings.journalctl, saved.cursor, saved.since, follow=True)
        async with journal.running(argv) as child:
            while True:
                bodies: list[dict[str, Any]] = []
                moved = False
                try:
                    async with asyncio.timeout(_TICK):
                        data = await journal.next_line(child)
                    attempt, saved.cursor = self._reader.entry(data)
                    self._runs.trouble = ""
                    bodies = bursts.add(attempt) if attempt else []
                    moved = True
                except TimeoutError:
                    pass
                except EOFError as error:
                    raise OSError(str(error)) from error
                except ValueError as error:
                    self._runs.note_gap(str(error))
                await self._tell(saved, bursts, bodies, emit, clock, moved=moved)

    async def _newest(self) -> str:
        """Return the cursor of the journal's newest entry, empty where it has none yet."""
        argv = journal.newest(self._settings.journalctl)
        async with asyncio.timeout(_ONCE_SECONDS), journal.running(argv) as child:
            try:
                return self._reader.entry(await journal.next_line(child))[1]
            except (EOFError, ValueError):
                return ""

    async def _tell(
        self,
        saved: _Saved,
        bursts: Bursts,
        bodies: list[dict[str, Any]],
        emit: Emit,
        clock: Clock,
        *,
        moved: bool,
    ) -> None:
        """Emit, and only then save the place and the counters."""
        now = clock()
        at = asyncio.get_running_loop().time()
        if at - self._ticked_at >= _TICK_AT_MOST:
            self._ticked_at = at
            bodies = [*bodies, *bursts.tick(now)]
        self._telling = True
        for body in bodies:
            await emit(Observation("incident", self.name, now, body))
        for body in self._refused.told(now):
            await emit(Observation("gap", self.name, now, body))
        await self._runs.tell(emit, "incident", now)
        self._telling = False
        if bodies or (moved and at - self._saved_at >= _SAVE_SECONDS):
            saved.counters, saved.sprayed = bursts.saved(), bursts.sprayed()
            self._kept.save(saved)
            self._saved_at = at


@contextmanager
def _grows(path: Path) -> Iterator[asyncio.Event]:
    """Give an event that is set when the file grows or another takes its name."""
    loop = asyncio.get_running_loop()
    changed = asyncio.Event()
    with Inotify(sync_timeout=0) as inotify:

        def heard() -> None:
            while (event := inotify.sync_get()) is not None:
                if event.name is None or str(event.name) == path.name:
                    changed.set()
                    if event.name is not None:
                        watch_file()

        def watch_file() -> None:
            with suppress(OSError):  # gone again: the folder tells when there is another
                inotify.add_watch(path, Mask.MODIFY | Mask.MOVE_SELF | Mask.DELETE_SELF)

        inotify.add_watch(path.parent, Mask.CREATE | Mask.MOVED_TO)
        watch_file()
        loop.add_reader(inotify.fd, heard)
        try:
            yield changed
        finally:
            loop.remove_reader(inotify.fd)


async def _wait(changed: asyncio.Event) -> None:
    """Wait for the file to grow and a moment for more lines, or until bursts may be over."""
    with suppress(TimeoutError):
        async with asyncio.timeout(_TICK):
            await changed.wait()
            await asyncio.sleep(_QUIET)
    changed.clear()
