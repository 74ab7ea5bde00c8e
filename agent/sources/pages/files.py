"""Watches web roots for tampering.

    inotify event -> the path is `touched`      quiet for `settle`, or 5 s after the first
    overflow, root replaced, restart -> `whole`         |
                                                        v
    home pages once a minute, whatever is heard: what is written through mmap or by another name (a hard
    link outside the root), or mounted over, is not heard
                                                        |
    compare with the accepted content (baseline.py) -> drift -> episode (tampering.py)
        drift as told? nothing. Else: emit the incident, then remember the drift as told.

A kill between the two last steps tells the same incident again, with the same key. A change made while the
agent was down is found by the comparison at the start. The accepted content is taken at the first start
and from then on only by `accept`.

A file that changes for ever would be reported for ever, so that reports of one episode keep a growing
distance, from `settle` to `repeat`; a home page's first change and the end of an episode do not wait.
"""

import asyncio
import math
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from msgspec import Struct

from ...bounded import Pause, Seconds
from ...budget import Budget, RefusedError
from ..port import Clock, Emit, Observation, Reading, Unreadable
from ..programs.procfs import writers
from ..rounds.runs import Paid, Runs
from ..rounds.steps import Mark, shifted, stood
from .baseline import Baseline
from .comparison import TRACKED, Comparison, Look
from .manifest import ManifestError, take_up
from .tampering import Beyond, Change, Episode, body, link_body, linked, merge, proceed
from .tree import TreeWatch
from .webroot import WebRoot, accept, home_pages
from .whowrote import WhoWrote
from .windows import closes

_BURST = 5.0
_BLIND_RESCAN = 60.0
_HOME_SECONDS = 60.0


class FilesSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of the files source.

    Fields:
        roots: The web roots.
        settle: Seconds of quiet that end a burst: a deployment is one incident.
        repeat: The longest distance in seconds between two reports of one tampering.
        rescan: Seconds between full comparisons, for what inotify does not tell (writes through mmap,
            hard links from elsewhere, network file systems); home pages are compared once a minute.
        budget: What it may cost; hashing a large root for the first time is the dearest.
    """

    roots: tuple[WebRoot, ...] = ()
    settle: Pause = 0.3
    repeat: Pause = 60.0
    rescan: Seconds = 3600.0
    budget: Budget = Budget(cpu_seconds=60.0, cool_down=60.0, stuck_after=600.0)


class _Guard:
    """One root while it is watched."""

    def __init__(self, root: WebRoot, state: Path) -> None:
        self.root = root
        self.baseline = Baseline(Path(root.path), state)
        self.generation = -1
        self.drift: dict[str, Change] = {}
        self.episode: Episode | None = None
        self.touched: set[str] = set()
        self.held: set[str] = set()
        self.whole = True
        self.first_touch = self.last_touch = 0.0
        self.next_scan = 0.0
        self.next_home = 0.0
        self.not_before = 0.0
        self.retry_at = 0.0
        self.distance = 0.0
        self.mark: Mark | None = None

    def touch(self, path: str | None, at: float) -> None:
        """Note a touched path; None for the whole root."""
        if not self.touched and not self.whole:
            self.first_touch = at
        self.last_touch = at
        if path is None:
            self.whole = True
        elif path:
            self.touched.add(path)
        if len(self.touched) > TRACKED:
            self.touched.clear()
            self.whole = True

    def due(self, settle: float) -> float:
        """Return the loop time of the next look."""
        if self.whole:
            return max(self.last_touch + settle, self.retry_at)
        if self.touched:
            return min(self.last_touch + settle, self.first_touch + _BURST)
        idle = min(self.next_scan, self.next_home)
        return min(idle, self.not_before) if self.held else idle

    def keep_time(self, clock: Clock) -> bool:
        """Bring what was told to the host's clock; say whether somebody had set it."""
        self.mark, by = stood(self.mark, clock)
        if by:
            self.drift, self.episode = shifted((self.drift, self.episode), by)
        return bool(by)

    def load(self) -> None:
        """Load what was told, again whenever a person accepted new content."""
        generation = self.baseline.generation()
        if generation == 0:
            return
        if generation != self.generation:
            self.drift, self.episode = self.baseline.told()
            self.generation = generation
            self.whole = True


class Files(Paid):
    """The files source.

    Args:
        settings: Its settings.
        state: The agent's state folder; None where there is none, then only `once` works.
        proc: Where the process table is.
    """

    name = "files"

    def __init__(
        self, settings: FilesSettings | None = None, *, state: Path | None, root: Path = Path("/")
    ) -> None:
        self._settings = settings or FilesSettings()
        self._state = state
        self._proc = root / "proc"
        self._rescan = self._settings.rescan
        self._who: WhoWrote | None = None
        self._runs = Runs(self.name, self._settings.budget)

    async def once(self, now: datetime) -> Reading:
        """Compare every root with its accepted content."""
        observations: list[Observation] = []
        unreadable: list[Unreadable] = []
        for root in self._settings.roots:
            try:
                incidents, missed = await self._runs.look(partial(self._compare, root, now))
            except (OSError, RefusedError) as error:
                unreadable.append(Unreadable(self.name, root.path, str(error)))
                continue
            unreadable += [Unreadable(self.name, f"{root.path}/{path}", why) for path, why in missed]
            observations += [Observation("incident", self.name, now, body) for body in incidents]
        return Reading(tuple(observations), tuple(unreadable))

    def _compare(
        self, root: WebRoot, now: datetime
    ) -> tuple[list[dict[str, Any]], tuple[tuple[str, str], ...]]:
        baseline = Baseline(Path(root.path), self._state) if self._state else None
        if baseline is None or not baseline.generation():
            raise OSError("no accepted content yet; `fengsui-agent run` takes it at its first start")
        told, episode = baseline.told()
        look = Comparison(root, baseline, now, writers=self._writers, remember=False).look(told)
        drift = merge(told, look.seen)
        if drift != told or look.beyond != (episode.beyond if episode else Beyond()):
            episode = proceed(episode, told, drift, now, look.beyond)
        bodies = [body(root.path, episode, drift)] if episode else []
        if episode and linked(drift):
            bodies.append(link_body(root.path, drift, episode.first_seen, now))
        return bodies, look.unreadable

    def _writers(self, paths: list[str]) -> dict[str, dict[str, Any]]:
        """Return who wrote the files last, or has them open for writing."""
        known = self._who.last(paths) if self._who else {}
        unknown = [path for path in paths if path not in known]
        return {**known, **(writers(unknown, self._proc) if unknown else {})}

    async def watch(self, emit: Emit, clock: Clock) -> None:
        """Guard every root until cancelled."""
        if self._state is None:
            raise ValueError("files: watching needs a state folder for what was accepted")
        guards = [_Guard(root, self._state) for root in self._settings.roots]
        loop = asyncio.get_running_loop()
        with self._writing(loop), _tree(guards, self._who) as tree:
            # Where a root is on a file system that is away, even to ask for its changes hangs.
            with suppress(RefusedError):
                await self._runs.look(tree.watch_all)
            with _heard(loop, guards, tree) as heard:
                await self._guard(guards, tree, heard, emit, clock)

    async def _guard(
        self, guards: list[_Guard], tree: TreeWatch, heard: asyncio.Event, emit: Emit, clock: Clock
    ) -> None:
        loop = asyncio.get_running_loop()
        overflows = 0
        while True:
            for guard in guards:
                if guard.due(self._settings.settle) <= loop.time():
                    await self._settle(guard, emit, clock)
            if tree.unwatched:
                self._rescan = min(self._settings.rescan, _BLIND_RESCAN)
                self._runs.note_trouble(
                    f"{tree.unwatched} folders can't be watched (fs.inotify.max_user_watches); "
                    f"everything is compared each {self._rescan:g} s instead"
                )
            if tree.overflows > overflows:
                overflows = tree.overflows
                self._runs.note_gap("inotify queue ran over; compared everything instead")
            await self._runs.tell(emit, "incident", clock())
            await self._wait(guards, heard)

    @contextmanager
    def _writing(self, loop: asyncio.AbstractEventLoop) -> Iterator[None]:
        """Hear who writes, where the kernel allows it."""
        self._who = who = WhoWrote.open(self._proc) if self._settings.roots else None
        if who is None:
            yield
            return
        loop.add_reader(who.fileno(), who.drain)
        try:
            yield
        finally:
            loop.remove_reader(who.fileno())
            who.close()
            self._who = None

    async def _wait(self, guards: list[_Guard], heard: asyncio.Event) -> None:
        loop = asyncio.get_running_loop()
        next_look = min((guard.due(self._settings.settle) for guard in guards), default=math.inf)
        seconds = max(self._runs.resting, next_look - loop.time())
        heard.clear()
        try:
            async with asyncio.timeout(None if math.isinf(seconds) else max(0.0, seconds)):
                await heard.wait()
        except TimeoutError:
            pass

    async def _settle(self, guard: _Guard, emit: Emit, clock: Clock) -> None:
        """Compare what was touched, tell what changed, remember it as told."""
        loop = asyncio.get_running_loop()
        try:
            look = await self._compare_touched(guard, clock)
        except RefusedError:
            guard.touch(None, loop.time())
            guard.retry_at = loop.time() + max(1.0, self._runs.resting)
            return
        except OSError as error:
            self._runs.note_trouble(f"{guard.root.path} could not be compared: {error}")
            guard.touch(None, loop.time())
            guard.retry_at = loop.time() + self._settings.repeat
            return
        if look is None:
            return
        if look.unreadable:
            path, why = look.unreadable[0]
            places = len(look.unreadable)
            self._runs.note_trouble(f"{guard.root.path}: {places} places not compared, first {path}: {why}")
        await self._tell(guard, look, emit, clock)

    async def _compare_touched(self, guard: _Guard, clock: Clock) -> Look | None:
        loop = asyncio.get_running_loop()
        guard.load()
        if guard.keep_time(clock):
            self._remember(guard)
        now = clock()
        everything = guard.whole or loop.time() >= guard.next_scan
        touched = None if everything else frozenset(guard.touched | guard.held)
        homes = loop.time() >= guard.next_home
        guard.touched.clear()
        guard.held.clear()
        guard.whole = False
        look = await self._runs.look(lambda: self._look(guard, now, touched, homes=homes))
        guard.next_home = loop.time() + _HOME_SECONDS if homes or everything else guard.next_home
        if touched is None:
            guard.next_scan = loop.time() + self._rescan
        return look

    def _look(
        self, guard: _Guard, now: datetime, touched: frozenset[str] | None, *, homes: bool
    ) -> Look | None:
        if guard.baseline.generation() == 0:
            accept(guard.root, guard.baseline.state)
            return None
        if guard.root.manifest:
            try:
                if take_up(guard.root, guard.baseline):
                    guard.load()
                    guard.whole, touched = False, None
            except ManifestError as error:
                self._runs.note_trouble(f"{guard.root.manifest}: {error}")
        if touched is not None and homes:
            touched |= home_pages(guard.root, guard.baseline)
        return Comparison(guard.root, guard.baseline, now, writers=self._writers).look(guard.drift, touched)

    async def _tell(self, guard: _Guard, look: Look, emit: Emit, clock: Clock) -> None:
        loop = asyncio.get_running_loop()
        counted = guard.episode.beyond if guard.episode else Beyond()
        beyond = look.beyond if look.whole else counted
        if beyond.count or look.beyond.count:
            guard.next_scan = min(guard.next_scan, loop.time() + self._settings.repeat)
        drift = merge(guard.drift, look.seen)
        differs = bool(drift or beyond.count)
        if (drift, beyond) == (guard.drift, counted) and (differs or guard.episode is None):
            return
        now = clock()
        episode = proceed(guard.episode, guard.drift, drift, now, beyond)
        if episode is None:
            return
        closing = closes(guard.root.deploy_windows, now.astimezone()) if differs else None
        if closing:
            guard.not_before = loop.time() + (closing - now).total_seconds()
        if closing or (differs and self._may_wait(guard, episode)):
            guard.held |= {
                path for path in {*drift, *guard.drift} if drift.get(path) != guard.drift.get(path)
            }
            if beyond != counted:
                guard.next_scan = min(guard.next_scan, guard.not_before)
            return
        observation = Observation("incident", self.name, now, body(guard.root.path, episode, drift))
        await emit(observation)
        if linked(drift) != linked(guard.drift):
            links = link_body(guard.root.path, drift, episode.first_seen, now)
            await emit(Observation("incident", self.name, now, links))
        guard.drift, guard.episode = drift, episode if differs else None
        self._remember(guard)
        guard.distance = min(max(self._settings.settle, 2 * guard.distance), self._settings.repeat)
        guard.not_before = loop.time() + guard.distance if differs else 0.0

    def _remember(self, guard: _Guard) -> None:
        try:
            guard.baseline.tell(guard.drift, guard.episode)
        except OSError as error:
            self._runs.note_trouble(f"{guard.root.path}: what was told is not remembered: {error}")

    def _may_wait(self, guard: _Guard, episode: Episode) -> bool:
        """Say whether this may be told later: an episode that goes on, and no home page's state new in it."""
        before = guard.episode
        if before is None or asyncio.get_running_loop().time() >= guard.not_before:
            return False
        return (before.home and before.home.until) == (episode.home and episode.home.until)


@contextmanager
def _tree(guards: list[_Guard], who: WhoWrote | None) -> Iterator[TreeWatch]:
    """Give what will watch the guards' trees."""
    tree = TreeWatch(
        [Path(guard.root.path) for guard in guards],
        lambda number, path: guards[number].root.excludes(path),
        who.mark if who else lambda _: None,
    )
    try:
        yield tree
    finally:
        tree.close()


@contextmanager
def _heard(loop: asyncio.AbstractEventLoop, guards: list[_Guard], tree: TreeWatch) -> Iterator[asyncio.Event]:
    """Hear the trees: what is heard is noted at its guard, and the event is set."""
    event = asyncio.Event()

    def read() -> None:
        for touched in tree.drain():
            guards[touched.root].touch(touched.path, loop.time())
            event.set()

    loop.add_reader(tree.fileno(), read)
    try:
        yield event
    finally:
        loop.remove_reader(tree.fileno())
