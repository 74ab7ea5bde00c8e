"""Watches the packets that pass the host, by a child (`agent/capture/child.py`); off unless switched on.

The child holds the ring and everything it counts. It ends when its stdin does, so that none outlives the
agent, and it is ended when it has said nothing for too long. What it found is written by us, in order,
before more is read: a full disk makes the child wait and the kernel's ring run over, and the ring's drops
are told.
"""

import asyncio
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Annotated, Any

import msgspec
import psutil
from msgspec import Meta, Struct

from wire.codec import UNREADABLE
from wire.messages import ReportKind

from ...budget import Budget, Rest
from ...capture.child import STATUS_SECONDS, Job, Status
from ...detection.scans import Knocked
from ...detection.traffic import TrafficSettings
from ...detection.webmail import Seen, Unread
from ..port import Clock, Emit, Observation, Reading, Unreadable
from ..rounds.kept import Kept
from ..rounds.runs import Runs
from .webmail import Webmail, WebmailSettings, services

_MAX_LINE = 1 << 20
_MAX_COMPLAINT = 4096
_RESTS = "the capture took more than its share of a core and rests"
_SILENT_SECONDS = 3 * STATUS_SECONDS
_END_SECONDS = 5.0
_LAST_SECONDS = 1.0
_ONCE_SECONDS = 3.0
_SAVE_SECONDS = 60.0
_FIRST_WAIT, _LONGEST_WAIT = 5.0, 300.0


class PacketsSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of the packets source.

    Fields:
        enabled: Whether it runs; it needs CAP_NET_RAW.
        interface: The one to watch; empty: all but the loopback.
        ring_megabytes: Kernel memory for packets that wait.
        memory_bytes: What the child may have of its own.
        cpu_share, window, cool_down: Of one core over so many seconds; who takes more rests for so many.
        loss_threshold: The share of lost packets that is told.
        traffic: When packets are an incident.
        webmail: Which names are public webmail; they are told with the exits.
    """

    enabled: bool = False
    interface: Annotated[str, Meta(pattern="^[^/ ]{0,15}$")] = ""
    ring_megabytes: Annotated[int, Meta(ge=1, le=256)] = 8
    memory_bytes: Annotated[int, Meta(ge=64 * 1024 * 1024)] = 128 * 1024 * 1024
    cpu_share: Annotated[float, Meta(gt=0, le=1)] = 0.2
    window: Annotated[float, Meta(ge=1)] = 10.0
    cool_down: Annotated[float, Meta(ge=1)] = 60.0
    loss_threshold: Annotated[float, Meta(gt=0, le=1)] = 0.001
    traffic: TrafficSettings = TrafficSettings()
    webmail: WebmailSettings = WebmailSettings()


class _Told(Struct, frozen=True):
    kind: ReportKind
    body: dict[str, Any]
    rest: float = 0.0


class _Line(Struct, frozen=True):
    told: _Told | None = None
    status: Status | None = None
    named: Seen | None = None
    unread: Unread | None = None
    scans: list[Knocked] | None = None


class _Saved(Struct):
    """What survives a restart: who met which doors that did not open."""

    scans: list[Knocked] = []


# What the child is told as the settings say it.
_ALIKE = sorted(set(Job.__struct_fields__) & set(PacketsSettings.__struct_fields__))
_decode = msgspec.json.Decoder(_Line).decode


class ChildError(RuntimeError):
    """The child could not go on; another may."""


def heard(data: bytes) -> _Line:
    """Return a line of the child's.

    Raises:
        ChildError: it says what is no line of ours.
    """
    try:
        return _decode(data)
    except UNREADABLE as error:
        raise ChildError(f"the capture said what is no line of ours and was ended: {error}") from None


def own_addresses() -> frozenset[str]:
    """Return the addresses that this host has now."""
    found = chain.from_iterable(psutil.net_if_addrs().values())
    return frozenset(one.address.partition("%")[0] for one in found)


class Packets:
    """The packets source."""

    name = "packets"

    def __init__(
        self,
        settings: PacketsSettings | None = None,
        own_addresses: Callable[[], Collection[str]] = own_addresses,
        webmail: Webmail | None = None,
        *,
        state: Path | None = None,
    ) -> None:
        self._settings = settings or PacketsSettings()
        self._own_addresses = own_addresses
        self._webmail = webmail or Webmail()
        self._runs = Runs(self.name, Budget())
        self._kept = Kept(
            state / "packets.json" if state else None,
            _Saved,
            _Saved,
            self._runs,
            lost="slow scans are counted anew",
            repeated="a restart counts slow scans from what was saved before",
        )
        self._saved = _Saved()
        self._saved_at = -_SAVE_SECONDS
        self._cpu = 0.0
        self._cpu_before = 0.0
        self._blind = ""
        self._rests_until = 0.0

    @property
    def cpu_seconds(self) -> float:
        """CPU time the children have taken so far."""
        return self._cpu_before + self._cpu

    @property
    def blind(self) -> str:
        """Why no packet is looked at, empty where they are."""
        return self._blind

    def resume(self, rests: Mapping[str, float]) -> None:
        """Go on with a cool-down of an earlier life; no child looks before it is over."""
        if self.name in rests:
            self._rests_until = time.monotonic() + min(rests[self.name], self._settings.cool_down)
            self._blind = _RESTS

    async def once(self, now: datetime) -> Reading:
        """Watch for three seconds."""
        found: list[Observation] = []
        try:
            async with self._running() as child:
                with suppress(TimeoutError):
                    async with asyncio.timeout(_ONCE_SECONDS):
                        found += [
                            self._observation(told, now) async for told in self._said(child, lambda: now)
                        ]
                _close(child)
                found += [self._observation(told, now) async for told in self._said(child, lambda: now)]
        except ChildError as error:
            return Reading(tuple(found), (Unreadable(self.name, "packets", str(error)),))
        return Reading(tuple(found))

    async def watch(self, emit: Emit, clock: Clock) -> None:
        """Keep a child watching until cancelled."""
        self._saved = self._kept.load()
        try:
            await self._watch(emit, clock)
        finally:
            self._kept.save(self._saved)

    async def _watch(self, emit: Emit, clock: Clock) -> None:
        wait = _FIRST_WAIT
        while True:
            begun = asyncio.get_running_loop().time()
            try:
                async with self._running() as child:
                    async for told in self._said(child, clock):
                        await emit(self._observation(told, clock()))
                self._runs.note_gap("the capture ended by itself")
            except ChildError as error:
                self._blind = str(error)
                self._runs.note_trouble(self._blind)
            await self._runs.tell(emit, "incident", clock())
            lasted = asyncio.get_running_loop().time() - begun
            wait = _FIRST_WAIT if lasted > _LONGEST_WAIT else min(2 * wait, _LONGEST_WAIT)
            await asyncio.sleep(wait)

    def _observation(self, told: "_Told", now: datetime) -> Observation:
        body = told.body
        if told.kind == "incident" and body.get("source_address") in self._own_addresses():
            # Who attacks others from here is no visitor: this host may be taken.
            body = {**body, "from_this_host": True, "severity_hint": "high"}
        if not told.rest:
            return Observation(told.kind, self.name, now, body)
        self._rests_until = time.monotonic() + told.rest
        return Observation(told.kind, self.name, now, body, Rest(self.name, told.rest))

    async def _said(self, child: Process, clock: Clock) -> AsyncIterator["_Told"]:
        """Yield what the child tells until it ends; names of webmail are noted.

        Raises:
            ChildError: it failed, fell silent, or says what is no line of ours.
        """
        if child.stdout is None or child.stderr is None:
            raise ChildError("the capture was started without pipes")
        while True:
            try:
                async with asyncio.timeout(_SILENT_SECONDS):
                    data = await child.stdout.readline()
            except TimeoutError:
                raise ChildError(
                    f"the capture said nothing for {_SILENT_SECONDS:g} s and was ended"
                ) from None
            except ValueError:
                raise ChildError("the capture said a line that is too long and was ended") from None
            if not data:
                break
            line = heard(data)
            self._note(line, clock)
            if line.told:
                yield line.told
        complaint = (await child.stderr.read(_MAX_COMPLAINT)).decode("utf-8", "replace").strip()
        if await child.wait():
            last = complaint.splitlines()[-1:] or [f"ended with status {child.returncode}"]
            raise ChildError(f"the capture failed: {last[0][:300]}")

    def _note(self, line: _Line, clock: Clock) -> None:
        """Note what a line says beside what is told."""
        if line.status:
            self._cpu = line.status.cpu_seconds
            self._blind = _RESTS if line.status.resting else ""
        if line.named:
            self._webmail.note(line.named, self._own_addresses(), clock())
        if line.unread:
            self._webmail.miss(line.unread, self._own_addresses())
        if line.scans is not None:
            self._keep(line.scans)

    async def _last_words(self, child: Process) -> None:
        """Keep what a child had counted when it was asked to end, if it ends at once."""
        # Whatever else it says now is lost, as all of it is of a child that does not end.
        with suppress(TimeoutError, ValueError, ChildError):
            async with asyncio.timeout(_LAST_SECONDS):
                while child.stdout and (data := await child.stdout.readline()):
                    if (scans := heard(data).scans) is not None:
                        self._saved.scans = scans

    def _keep(self, scans: list[Knocked]) -> None:
        """Note what the child counted; a scan changes it with every status, and no disk needs all of them."""
        self._saved.scans = scans
        now = time.monotonic()
        if now - self._saved_at >= _SAVE_SECONDS:
            self._saved_at = now
            self._kept.save(self._saved)

    def _job(self) -> Job:
        its = self._settings
        rest = max(0.0, self._rests_until - time.monotonic())
        names: dict[str, list[str]] = {}
        try:
            names = services(its.webmail)
        except (OSError, ValueError) as error:
            self._runs.note_trouble(f"webmail is not recognised: {error}")
        return Job(
            rest=rest,
            scans=self._saved.scans,
            webmail_names=names,
            webmail_ignore=its.webmail.ignore,
            **{name: getattr(its, name) for name in _ALIKE},
        )

    @asynccontextmanager
    async def _running(self) -> AsyncIterator[Process]:
        # -P: not even where we were started may another `agent` be found.
        words = (sys.executable, "-P", "-m", "agent.capture.child")
        child = await asyncio.create_subprocess_exec(
            *words, stdin=PIPE, stdout=PIPE, stderr=PIPE, limit=_MAX_LINE
        )
        try:
            if child.stdin:
                child.stdin.write(msgspec.json.encode(self._job()) + b"\n")
            yield child
        finally:
            _close(child)
            await self._last_words(child)
            await _end(child)
            self._cpu_before, self._cpu = self._cpu_before + self._cpu, 0.0


def _close(child: Process) -> None:
    """Tell the child to end."""
    if child.stdin:
        child.stdin.close()


async def _end(child: Process) -> None:
    """End the child, kindly at first."""
    _close(child)
    # A signal to a child that is just ending would reap it behind asyncio's back.
    if child.stdout is None or not child.stdout.at_eof():
        with suppress(ProcessLookupError):
            child.terminate()
    try:
        async with asyncio.timeout(_END_SECONDS):
            await child.wait()
    except TimeoutError:
        with suppress(ProcessLookupError):
            child.kill()
        await child.wait()
