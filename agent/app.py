"""Builds every part once, and owns clock, lifetimes, signals and reload.

    long-lived        outbox, clock, identity's folder
    swapped whole     a world: transport, uplink, orders, sources, heartbeat, metrics

A reload builds the new world beside the old one; only when all of it stands does the old one stop.
"""

import asyncio
import logging
import random
import signal
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

from wire.messages import ReportKind

from . import actions, heartbeat
from .backoff import Backoff
from .clock import Clock
from .enrolment import Identity, load_identity, renew, this_host
from .heartbeat import About
from .metrics import Figures, SourceFigures, own_cost
from .orders import Orders
from .outbox import Entry, Observed, Outbox, OutboxFullError
from .settings import Settings, SettingsError
from .signatures import Signatures
from .sources import Sensors, Source, build
from .tasks import Tasks
from .texts import SaidError, say
from .transport import Transport
from .uplink import Uplink

_log = logging.getLogger("fengsui.agent")
_LAST_WORDS_SECONDS = 2.0
_TIDY_SECONDS = 60.0
_RENEWAL_LOOK_SECONDS = 3600.0
_HEALTHY_SECONDS = 600.0
_ANYWHERE = {"0.0.0.0", "::", ""}  # noqa: S104 - to tell such a listener's address, not to bind
_random = random.SystemRandom().random
Change = Literal["stop", "reload"]


class World:
    """Everything that a reload swaps."""

    def __init__(self, settings: Settings, identity: Identity, outbox: Outbox, clock: Clock) -> None:
        """Do all that may fail; to be made inside a running event loop.

        Raises:
            OSError: the identity's files can't be read.
        """
        self.settings = settings
        self._outbox = outbox
        self._clock = clock
        self._identity = identity
        tls = identity.tls()
        self._about = About(
            version=_version(),
            settings=heartbeat.digest(settings),
            certificate_expires_at=identity.life()[1],
            metrics_address=_reachable(settings.metrics.listen),
        )
        self.transport = Transport(settings.collectors or (identity.collector,), tls, clock.now)
        self.sources = build(settings.sources, Path(settings.state_dir), offset=lambda: self.transport.offset)
        self._sensors = next((source for source in self.sources if isinstance(source, Sensors)), None)
        self.figures = {source.name: SourceFigures() for source in self.sources}
        self._uplink = Uplink(self.transport, outbox, _random, settings.language)
        self._orders = Orders(
            self.transport,
            outbox,
            actions.build(settings.orders),
            node=identity.node,
            signatures=Signatures(identity.authorities()),
            now=clock.now,
            random=_random,
            language=settings.language,
        )
        self._watching: list[asyncio.Task[None]] = []

    def start(self, tasks: Tasks, reload: Callable[[], None]) -> None:
        """Start every task; `reload` is called when there is a new identity."""
        tasks.spawn("uplink", self._uplink.run())
        tasks.spawn("renewal", self._renew(reload))
        tasks.spawn("tidy", self._tidy())
        self._watching = [
            tasks.spawn("orders", self._orders.run()),
            tasks.spawn("heartbeat", self._beat()),
            *(tasks.spawn(f"source-{source.name}", self._watch(source)) for source in self.sources),
        ]
        if self.settings.metrics.listen:
            tasks.spawn("metrics", self._serve_metrics())

    async def last_words(self) -> None:
        """Stop looking, say so, and give what waits a moment to leave."""
        for task in self._watching:
            task.cancel()
        with suppress(TimeoutError):
            async with asyncio.timeout(_LAST_WORDS_SECONDS):
                await self._emit(await self._heartbeat(last=True))
                await self._outbox.drained()

    async def _watch(self, source: Source) -> None:
        """Keep a source watching; one that fails is reported and started again, the others go on."""
        backoff = Backoff(_random, first=1.0, longest=300.0)
        figures = self.figures[source.name]

        async def emit(seen: Observed) -> None:
            await self._emit(seen)
            figures.reports += 1

        while True:
            begun = self._clock.monotonic()
            try:
                await source.watch(emit, self._clock.now)
                why = "it ended by itself"
            except Exception as error:  # noqa: BLE001 - the edge to a sensor: counted and reported
                why = f"{type(error).__name__}: {error}"[:300]
            figures.failures += 1
            if self._sensors:
                self._sensors.failed(source.name, why, self._clock.now())
            if self._clock.monotonic() - begun > _HEALTHY_SECONDS:
                backoff.succeeded()
            wait = backoff.failed()
            _log.error(
                say(self.settings.language, "source_failed", source=source.name, why=why, seconds=wait)
            )
            await self._emit(self._failure(source.name, why, wait))
            await asyncio.sleep(wait)

    def _failure(self, source: str, why: str, wait: float) -> Entry:
        now = self._clock.now()
        body: dict[str, object] = {
            "kind": "any",
            "count": None,
            "from": now.isoformat(),
            "to": now.isoformat(),
            "why": f"source {source} failed ({why}); starts again in {wait:.0f} s",
        }
        return self._entry("gap", source, body)

    def _entry(self, kind: ReportKind, source: str, body: dict[str, object]) -> Entry:
        return Entry(kind, source, self._clock.now(), body)

    async def _emit(self, seen: Observed) -> None:
        """Return when the observation is on disk, however long that takes."""
        backoff = Backoff(_random)
        while True:
            try:
                await self._outbox.accept(seen)
            except OutboxFullError as error:
                wait = backoff.failed()
                _log.error(say(self.settings.language, "disk_full", why=error, seconds=wait))
                await asyncio.sleep(wait)
            else:
                return

    async def _beat(self) -> None:
        while True:
            await self._emit(await self._heartbeat())
            await asyncio.sleep(self.settings.heartbeat_seconds)

    async def _heartbeat(self, *, last: bool = False) -> Entry:
        status = await self._outbox.status()
        return self._entry(
            "heartbeat", "heartbeat", heartbeat.body(self._clock, self._about, status, last=last)
        )

    async def _renew(self, reload: Callable[[], None]) -> None:
        """Get a new certificate when two thirds of the old one's life are over."""
        settings, url = self.settings, self.transport.addresses[0]
        host = this_host(asset.id for asset in settings.assets)
        due = self._identity.renewal_due()
        while True:
            if self._clock.now() >= due:
                try:
                    await renew(self._identity, url, Path(settings.state_dir), host, self._clock.now)
                except SaidError as error:
                    _log.error("%s", error.in_language(settings.language))
                else:
                    reload()
                    await asyncio.Event().wait()
            await asyncio.sleep(_RENEWAL_LOOK_SECONDS)

    async def _tidy(self) -> None:
        while True:
            await asyncio.sleep(_TIDY_SECONDS)
            try:
                await self._outbox.tidy()
            except OutboxFullError as error:
                _log.warning("%s", error)

    async def _serve_metrics(self) -> None:
        # The server's half of aiohttp and the metrics' library are 6 MB that most nodes never need.
        from .metrics.listener import MetricsListener  # noqa: PLC0415 - see above

        tls = self._identity.tls(ssl.Purpose.CLIENT_AUTH)
        await MetricsListener(self.settings.metrics.listen, tls, self._figures).run()

    async def _figures(self) -> Figures:
        status = await self._outbox.status()
        cpu, memory = own_cost()
        for source in self.sources:
            self.figures[source.name].seconds = source.cpu_seconds
        return Figures(
            outbox_bytes=status.bytes,
            outbox_reports=status.reports,
            outbox_age_seconds=status.oldest_seconds,
            drops=status.drops,
            refused=status.refused,
            forks=status.forks,
            certificate_expires_at=self._about.certificate_expires_at,
            sources=self.figures,
            cpu_seconds=cpu,
            memory_bytes=memory,
        )

    async def close(self) -> None:
        """Close the connections."""
        await self.transport.close()


class Agent:
    """One agent from start to stop."""

    def __init__(self, load: Callable[[], Settings], clock: Clock) -> None:
        """Take what reads the settings, at the start and at every reload."""
        self._load = load
        self._clock = clock
        self._changes: asyncio.Queue[Change] = asyncio.Queue()

    async def run(self) -> None:
        """Run until told to stop by SIGTERM or SIGINT; SIGHUP reloads the settings.

        Raises:
            SettingsError: the settings have mistakes.
            SaidError: the node has no identity, or the state folder can't be used.
            OutboxError: the outbox can't be opened.
            OutboxFullError: the disk is so full that not even the start can be written.
            BaseExceptionGroup: a task died.
        """
        settings = self._load()
        folder = Path(settings.state_dir)
        identity = load_identity(folder)
        outbox = _open(folder, self._clock, settings)
        self._listen_to_signals()
        try:
            await outbox.begin()
            if outbox.damage:
                _log.error(say(settings.language, "outbox_damaged", why=outbox.damage))
            world: World | None = World(settings, identity, outbox, self._clock)
            while world is not None:
                _announce(world, identity)
                world = await self._live(world, outbox)
            _log.info(say(settings.language, "stopped", reports=(await outbox.status()).reports))
        finally:
            outbox.close()

    def _listen_to_signals(self) -> None:
        loop = asyncio.get_running_loop()
        changes: dict[signal.Signals, Change] = {
            signal.SIGTERM: "stop",
            signal.SIGINT: "stop",
            signal.SIGHUP: "reload",
        }
        for number, change in changes.items():
            loop.add_signal_handler(number, partial(self._changes.put_nowait, change))

    async def _live(self, world: World, outbox: Outbox) -> World | None:
        """Run a world until the next one stands; None: told to stop."""
        try:
            async with Tasks() as tasks:
                world.start(tasks, partial(self._changes.put_nowait, "reload"))
                while True:
                    if await self._changes.get() == "stop":
                        _log.info(say(world.settings.language, "stopping"))
                        await world.last_words()
                        return None
                    if new := await self._reloaded(world, outbox):
                        return new
        finally:
            await world.close()

    async def _reloaded(self, old: World, outbox: Outbox) -> World | None:
        """Build a world from the settings as they now are; None: they have mistakes, the old one stays."""
        language = old.settings.language
        try:
            settings = self._load()
            if settings.state_dir != old.settings.state_dir:
                _log.error(say(language, "reload_moves_state"))
                return None
            new = World(settings, load_identity(Path(settings.state_dir)), outbox, self._clock)
        except (SettingsError, SaidError, OSError) as error:
            _log.error(say(language, "reload_refused", why=error))
            return None
        with suppress(OutboxFullError):  # they hold from the next tidying on
            await outbox.rebound(settings.outbox)
        _log.info(say(language, "reloaded"))
        return new


def _open(folder: Path, clock: Clock, settings: Settings) -> Outbox:
    try:
        return Outbox(folder, clock, settings.outbox)
    except OSError as error:
        raise SaidError("state_folder", path=folder, why=error.strerror or error) from None


def _announce(world: World, identity: Identity) -> None:
    names = ", ".join(source.name for source in world.sources)
    where = ", ".join(world.transport.addresses)
    _log.info(say(world.settings.language, "running", node=identity.node, sources=names, collectors=where))


def _version() -> str:
    try:
        return version("fengsui")
    except PackageNotFoundError:
        return "checkout"


def _reachable(listen: str) -> str:
    """Return where others reach a listener: a host's name instead of "any address"."""
    host, _, port = listen.rpartition(":")
    if not listen or host.strip("[]") not in _ANYWHERE:
        return listen
    return f"{socket.gethostname()}:{port}"
