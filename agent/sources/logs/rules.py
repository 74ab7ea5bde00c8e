"""Watches for what the collector's rules describe (`agent/rules`), on this node's own events.

    program ─> which kinds of event it asks for ─> feeds ─> matches ─> troubles ─> incidents
    a new program: the feeds are opened anew, from the places that were saved

Without a program nothing is opened. What a rule was kept from saying, because it matched too often or took
too long, is told as a `gap`: a rule that is not asked protects nobody.
"""

import asyncio
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from msgspec import Struct

from wire.program import Rule

from ...bounded import Count
from ...budget import Budget, RefusedError
from ...detection.record import bounded
from ...detection.repeats import Finding, Repeats, RepeatSettings, Trouble
from ...rules import Engine, Match
from ...rules.engine import REST, Noise
from ...rules.events import Event
from ...tasks import Tasks
from ..port import Clock, Emit, Observation, Reading, moment
from ..programs.procfs import pids
from ..programs.starts import Starts
from ..rounds.kept import Kept
from ..rounds.runs import Runs
from . import feeds
from .tail import Place

_TICK = 15.0
_QUIET = 150.0
_AGAIN_SECONDS = 5.0
_SAVE_SECONDS = 15.0
_ONCE_SECONDS = 20.0
_JOURNAL = "journal"
Feed = Callable[[Runs, "_Saved"], feeds.Batches]


class RulesSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of the rules source.

    Fields:
        enabled: Whether the collector's rules are evaluated here.
        most: Matches of one rule in a minute after which it is silenced till the minute is over.
        journalctl: The command that reads the journal where syslog writes no files, as argv.
        repeats: When a match that goes on is told again.
        budget: What each kind of event may cost.
    """

    enabled: bool = True
    most: Count = 60
    journalctl: tuple[str, ...] = ("journalctl",)
    repeats: RepeatSettings = RepeatSettings()
    budget: Budget = Budget(cpu_seconds=15.0, cool_down=60.0)


class _Saved(Struct):
    """What survives a restart: how far each log was read, and the troubles."""

    places: dict[str, Place] = {}
    cursor: str = ""
    since: float = 0.0
    troubles: dict[str, Trouble] = {}


class Rules:
    """The rules source.

    Args:
        settings: Its settings.
        state: The agent's state folder; None where there is none, then only `once` works.
        root: Where the host's files are.
    """

    name = "rules"

    def __init__(
        self, settings: RulesSettings | None = None, *, state: Path | None, root: Path = Path("/")
    ) -> None:
        self._settings = settings or RulesSettings()
        self._root = root
        self._rests: Mapping[str, float] = {}
        self._runs: dict[str, Runs] = {}
        self._kept = Kept(
            state / "rules.json" if state else None,
            _Saved,
            _Saved,
            self._runs_of("tick"),
            lost="reading on from the ends of the logs",
            repeated="what was read since is read again after a restart",
        )
        self._rules: tuple[Rule, ...] = ()
        self._refused = ""
        self._quiet: dict[str, tuple[float, str]] = {}
        self._changed = asyncio.Event()
        self._saved_at = 0.0
        self._again = timedelta(seconds=self._settings.repeats.repeat)

    def use(self, rules: Sequence[Rule]) -> None:
        """Evaluate these rules from now on."""
        self._rules = tuple(rules)
        self._refused = ""
        self._quiet.clear()
        self._changed.set()

    def refuse(self, why: str) -> None:
        """Note why a newer program was not taken, empty: none is refused any more; what is in force stays."""
        self._refused = why and f"a program was not taken, the one before it stays: {why}"

    def quieten(self, noise: Noise, at: float) -> None:
        """Note that a rule was kept back; one that is again within the next minutes was so all the time."""
        self._quiet[noise.rule] = (at + (_QUIET if noise.times else REST), f"rule {noise.rule}: {noise.why}")

    @property
    def cpu_seconds(self) -> float:
        """CPU time its looks have taken so far."""
        return sum(runs.cpu_seconds for runs in self._runs.values())

    @property
    def blind(self) -> str:
        """Why a kind of event, or a rule, is not asked at present."""
        at = time.monotonic()
        quiet = (why for until, why in self._quiet.values() if until > at)
        whys = (*(runs.blind for runs in self._runs.values()), self._refused, *quiet)
        return next((why for why in whys if why), "")

    def resume(self, rests: Mapping[str, float]) -> None:
        """Go on with the cool-downs of an earlier life."""
        self._rests = rests
        for runs in self._runs.values():
            runs.resume(rests)

    def _runs_of(self, kind: str) -> Runs:
        if kind not in self._runs:
            self._runs[kind] = Runs(self.name, self._settings.budget, part=kind)
            self._runs[kind].resume(self._rests)
        return self._runs[kind]

    async def once(self, now: datetime) -> Reading:
        """Ask the rules about every program that runs now."""
        if not self._rules:
            return Reading()
        engine = Engine(self._rules, most=self._settings.most)
        events = await self._runs_of("process").look(self._running)
        repeats = Repeats(self._settings.repeats)
        told = [
            body
            for event in events
            for match in engine.matches(event, 0.0)
            for body in repeats.note(_finding(match, now))
        ]
        bodies = {body["key"]: body for body in [*told, *repeats.tick(now + self._again)]}
        return Reading(tuple(Observation("incident", self.name, now, body) for body in bodies.values()))

    def _running(self) -> list[Event]:
        reader = Starts(self._root / "proc", self._root / "etc/passwd")
        try:
            found = (reader.describe(pid) for pid in pids(self._root / "proc"))
            return [event for event in found if event]
        finally:
            reader.close()

    async def watch(self, emit: Emit, clock: Clock) -> None:
        """Evaluate whatever program is in force until cancelled."""
        if not self._kept.keeps:
            raise ValueError("rules: watching needs a state folder for the places read up to")
        saved = self._kept.load()
        repeats = Repeats(self._settings.repeats, saved.troubles)
        while True:
            self._changed.clear()
            engine = Engine(self._rules, most=self._settings.most)
            watch = _Watch(self, engine, repeats, saved, emit=emit, clock=clock)
            async with Tasks() as tasks:
                tasks.spawn("rules-tick", watch.tick())
                for name, feed in self._feeds(watch.engine):
                    tasks.spawn(f"rules-{name}", watch.follow(name, feed))
                await self._changed.wait()
                tasks.stop()

    def _feeds(self, engine: Engine) -> Iterable[tuple[str, Feed]]:
        """Return what has to be opened for the kinds of event that are asked for."""
        kinds, root = engine.kinds, self._root
        if "process" in kinds:
            yield "process", lambda runs, _: feeds.starts(runs, root / "proc")
        if "network" in kinds:
            yield "network", lambda runs, _: feeds.connections(runs, root / "proc")
        if "file" in kinds:
            yield "file", lambda runs, _: feeds.files(runs, root)
        if "auditd" in kinds:
            yield feeds.AUDIT_LOG, self._log(feeds.AUDIT_LOG, feeds.audit)
        if "line" in kinds:
            logs = [name for name in feeds.LINE_LOGS if os.access(root / name, os.R_OK)]
            yield from ((name, self._log(name, feeds.syslog)) for name in logs)
            if not logs:
                yield _JOURNAL, self._journal

    def _log(self, name: str, parse: Callable[[bytes], Event | None]) -> Feed:
        def feed(runs: Runs, saved: _Saved) -> feeds.Batches:
            moved = partial(saved.places.__setitem__, name)
            return feeds.log(runs, self._root / name, saved.places.get(name), parse, moved)

        return feed

    def _journal(self, runs: Runs, saved: _Saved) -> feeds.Batches:
        moved = partial(setattr, saved, "cursor")
        return feeds.journal_lines(runs, self._settings.journalctl, saved.cursor, saved.since, moved)

    def save(self, saved: _Saved, *, at_once: bool) -> None:
        """Write down what survives a restart: at once where something was told, else now and then."""
        at = asyncio.get_running_loop().time()
        if at_once or at - self._saved_at >= _SAVE_SECONDS:
            self._saved_at = at
            self._kept.save(saved)

    def runs_of(self, kind: str) -> Runs:
        """Return what pays for a kind of event."""
        return self._runs_of(kind)


class _Watch:
    """One program at work."""

    def __init__(
        self, source: Rules, engine: Engine, repeats: Repeats, saved: _Saved, *, emit: Emit, clock: Clock
    ) -> None:
        self.engine = engine
        self._source = source
        self._repeats = repeats
        self._saved = saved
        self._emit = emit
        self._clock = clock
        saved.since = saved.since or clock().timestamp()

    async def follow(self, name: str, feed: Feed) -> None:
        """Look at one kind of event for ever; what can't be read is tried again."""
        runs = self._source.runs_of(name)
        while True:
            try:
                async with aclosing(feed(runs, self._saved)) as batches:
                    async for batch in batches:
                        matches = await runs.look(partial(self._matches, batch)) if batch else []
                        await self._tell(runs, matches)
            except RefusedError:
                pass  # resting, or a look that hangs: told by its gaps
            except OSError as error:
                runs.note_trouble(f"{name} could not be read: {error}")
            await self._tell(runs, [])
            await asyncio.sleep(max(_AGAIN_SECONDS, runs.resting))

    def _matches(self, batch: list[Event]) -> list[Match]:
        at = time.monotonic()
        return [match for event in batch for match in self.engine.matches(event, at)]

    async def _tell(self, runs: Runs, matches: list[Match]) -> None:
        now = self._clock()
        bodies = [body for match in matches for body in self._repeats.note(_finding(match, now))]
        for body in bodies:
            await self._emit(Observation("incident", self._source.name, now, body))
        await runs.tell(self._emit, "incident", now)
        self._saved.troubles = self._repeats.saved()
        self._source.save(self._saved, at_once=bool(bodies))

    async def tick(self) -> None:
        """Tell what goes on, what is over, and which rules were kept back."""
        runs = self._source.runs_of("tick")
        while True:
            await runs.tell(self._emit, "incident", self._clock())
            await asyncio.sleep(_TICK)
            now = self._clock()
            for body in self._repeats.tick(now):
                await self._emit(Observation("incident", self._source.name, now, body))
            for noise in self.engine.noise(time.monotonic()):
                self._source.quieten(noise, time.monotonic())
                body = {
                    "kind": "incident",
                    "count": noise.times,
                    "from": moment(now),
                    "to": moment(now),
                    "why": f"rule {noise.rule}: {noise.why}",
                }
                await self._emit(Observation("gap", self._source.name, now, body))


_SUBJECTS = {"process": "Image", "file": "TargetFilename", "network": "DestinationIp", "auditd": "exe"}


def _finding(match: Match, now: datetime) -> Finding:
    """Return what a match becomes: one trouble for each rule and program, file, address or service."""
    rule, event = match
    subject = event.service if event.log == "line" else event.fields.get(_SUBJECTS[event.log], "")
    named = {name: bounded(text, 500) for name, text in event.fields.items()}
    told = named or {"message": bounded(event.text("") or "", 500)}
    return Finding(
        key=f"sigma:{rule.id}:{bounded(subject, 200)}",
        group=f"sigma:{rule.id}",
        incident_class=rule.incident_class,
        severity=rule.severity,
        at=now,
        target_address=event.fields.get("DestinationIp"),
        target=bounded(subject, 200) or None,
        item={"rule": rule.id, "title": rule.title, "title_zh": rule.title_zh, "event": told},
    )
