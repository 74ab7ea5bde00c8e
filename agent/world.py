"""Everything that a reload swaps: transport, uplink, orders, sources, heartbeat, metrics.

World(...)      does all that may fail: reads the identity, lays a collector's settings over the node's own
start           every task; a source that fails is started again, any other part that dies ends the process
last_words      stop looking, say so, give what waits a moment to leave
"""

import asyncio
import logging
import random
import socket
import ssl
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from functools import partial
from pathlib import Path

import msgspec

from wire.signed import digest_of

from . import actions, heartbeat
from .backoff import Backoff
from .clock import Clock
from .enrolment import Identity, this_host
from .heartbeat import About
from .metrics import Figures, own_cost
from .orders import Orders
from .outbox import Entry, Observed, Outbox, OutboxFullError
from .powers import Deputy, FirewallError, Local, Powers, Remembered, never_of
from .program import Programs
from .release import Proof, own_release, read_standing
from .renewal import Renewal
from .settings import Pushed, Settings, overlaid
from .shipped import release
from .signatures import Signatures
from .sources import Rules, build
from .tasks import Tasks
from .texts import say
from .transport import Transport
from .trial import Trial
from .uplink import Uplink
from .watching import Watching, gap

_log = logging.getLogger("fengsui.agent")
_LAST_WORDS_SECONDS = 2.0
_TIDY_SECONDS = 60.0
_GUARD_SECONDS = 60.0
_AGAIN_SECONDS = 5.0
_GUARDED = frozenset({"block_address", "isolate_node"})
_ANYWHERE = {"0.0.0.0", "::", ""}  # noqa: S104 - to tell such a listener's address, not to bind
_random = random.SystemRandom().random


class World:
    """Everything that a reload swaps."""

    def __init__(self, settings: Settings, identity: Identity, outbox: Outbox, clock: Clock) -> None:
        """Do all that may fail; to be made inside a running event loop.

        `settings` are the node's own; what a collector laid over them stands in the state folder.

        Raises:
            OSError: the identity's files can't be read.
        """
        self.own = settings
        self._pushed = Pushed(Path(settings.state_dir))
        self._clock = clock
        self._trial = Trial(self._pushed, clock, _random, settings.language)
        self.settings = settings = self._trial.laid_over(settings)
        self._outbox = outbox
        self._identity = identity
        tls = identity.tls()
        self._about = self._introduction()
        self.transport = Transport(settings.collectors or (identity.collector,), tls, clock.now)
        sources = build(settings.sources, Path(settings.state_dir), offset=lambda: self.transport.offset)
        self.watching = Watching(sources, self._emit, clock, settings.language)
        self._renewal = Renewal(
            identity,
            self.transport,
            Path(settings.state_dir),
            host=this_host(asset.id for asset in settings.assets),
            now=clock.now,
            language=settings.language,
            random=_random,
        )
        self._uplink = Uplink(
            self.transport,
            outbox,
            _random,
            settings.language,
            authorities=self._about.authorities,
            ended=self._ended,
            rekey=self._renewal.want,
        )
        self._loop = asyncio.get_running_loop()
        self._reload: Callable[[], None] = lambda: None
        self._power = Remembered(self._powers(), Path(settings.state_dir) / "blocks.json", clock)
        signatures = Signatures(identity.authorities())
        self._orders = Orders(
            self.transport,
            outbox,
            actions.build(settings.orders, self._node()),
            node=identity.node,
            signatures=signatures,
            now=clock.now,
            random=_random,
            language=settings.language,
        )
        rules = [source for source in sources if isinstance(source, Rules)]
        self._programs = [self._program_for(source, signatures) for source in rules]
        self._beside: list[asyncio.Task[None]] = []

    @property
    def outdated(self) -> bool:
        """Whether other settings were pushed, or taken back, since this world was made."""
        return self._trial.outdated

    def _introduction(self) -> About:
        """Return what every heartbeat says and only a reload changes."""
        held = self._trial.held
        return About(
            version=release(),
            settings=heartbeat.digest(self.settings),
            certificate_expires_at=self._identity.life()[1],
            metrics_address=_reachable(self.settings.metrics.listen),
            every=self.settings.heartbeat_seconds,
            started=heartbeat.started(),
            pushed_version=held.version,
            pushed_state=held.state,
            pushed_refused=held.refused,
            authorities=digest_of(self._identity.authorities().decode()),
        )

    def _node(self) -> actions.Node:
        """Return what actions work with; they run in threads of their own."""
        return actions.Node(
            powers=self._power,
            sources=tuple(source.name for source in self.watching.sources),
            restart=lambda names: self._soon(lambda: self.watching.begin_anew(names)),
            renew=lambda: self._soon(self._renewal.want),
            pushed=self._pushed,
            check=lambda given: overlaid(self.own, given),
            reload=lambda: self._soon(self._again),
        )

    def _again(self) -> None:
        self._reload()

    def _powers(self) -> Powers:
        orders = self.settings.orders
        if orders.deputy:
            return Deputy(Path(orders.deputy))
        return Local(
            lambda: never_of(self.transport.addresses, orders.management),
            lambda: self._clock.now().timestamp(),
        )

    def _soon(self, what: Callable[[], None]) -> None:
        with suppress(RuntimeError):  # the loop is closed: the agent has ended
            self._loop.call_soon_threadsafe(what)

    def start(self, tasks: Tasks, reload: Callable[[], None], rests: Mapping[str, float] = {}) -> None:
        """Start every task.

        Args:
            tasks: Where they run.
            reload: Called when there is a new identity, or new settings.
            rests: The sources' cool-downs that are not over, in seconds.
        """
        self._reload = reload
        tasks.spawn("uplink", self._uplink.run())
        tasks.spawn("renewal", self._renewal.run(reload))
        tasks.spawn("tidy", self._tidy())
        tasks.spawn("release", self._prove())
        if self._trial.held.state == "trial":
            tasks.spawn("trial", self._try(reload))
        self._beside = [
            tasks.spawn("orders", self._orders.run()),
            tasks.spawn("heartbeat", self._beat()),
            *(tasks.spawn("program", programs.run()) for programs in self._programs),
        ]
        self.watching.start(tasks, rests)
        if _GUARDED & set(self.settings.orders.allow):
            tasks.spawn("guard", self._keep_guard())
        if self.settings.metrics.listen:
            tasks.spawn("metrics", self._serve_metrics())

    def _ended(self) -> datetime | None:
        end = self._about.certificate_expires_at
        return end if self._clock.now() >= end else None

    @property
    def node(self) -> str:
        """The id under which it speaks."""
        return self._identity.node

    async def last_words(self) -> None:
        """Stop looking, say so, and give what waits a moment to leave."""
        self.watching.stop()
        for task in self._beside:
            task.cancel()
        with suppress(TimeoutError):
            async with asyncio.timeout(_LAST_WORDS_SECONDS):
                await self._emit(await self._heartbeat(last=True))
                await self._outbox.drained()

    async def _try(self, reload: Callable[[], None]) -> None:
        if await self._trial.run(self._uplink.answered) == "kept":
            self._about = msgspec.structs.replace(self._about, pushed_state="kept")
        else:
            reload()
        await asyncio.Event().wait()

    async def _prove(self) -> None:
        """Say that this release runs, once a collector has answered it: the updater waits for that."""
        own = own_release()
        if own is not None:
            await self._uplink.answered.wait()
            proof = Proof(Path(self.settings.state_dir))
            await self._trial.written(partial(proof.give, own))
        await asyncio.Event().wait()

    def _program_for(self, rules: Rules, signatures: Signatures) -> Programs:
        async def refuse(why: str) -> None:
            rules.refuse(why)
            if why:
                told = gap(self._clock, rules.name, "incident", f"the rules were not taken: {why}")
                await self._emit(told)

        return Programs(
            self.transport,
            Path(self.settings.state_dir),
            signatures,
            now=self._clock.now,
            use=rules.use,
            refuse=refuse,
            random=_random,
        )

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
        why = await _host_goes() if last else None
        standing = read_standing(Path(self.settings.update.folder))
        self._about = msgspec.structs.replace(self._about, update=standing)
        body = heartbeat.body(self._clock, self._about, status, last=last, why=why)
        return Entry("heartbeat", "heartbeat", self._clock.now(), body)

    async def _tidy(self) -> None:
        while True:
            await asyncio.sleep(_TIDY_SECONDS)
            try:
                await self._outbox.tidy()
            except OutboxFullError as error:
                _log.warning("%s", error)

    async def _keep_guard(self) -> None:
        """Put back blocks that the kernel lost; let what they spare follow collectors that move."""
        told: tuple[str, ...] = ()
        while True:
            lost = await self._put_back()
            for why in lost:
                if why not in told:
                    _log.warning("%s", why)
                    await self._emit(gap(self._clock, "orders", "any", why))
            # At a boot the deputy, the names or the network may not be there yet.
            await asyncio.sleep(min(_AGAIN_SECONDS, _GUARD_SECONDS) if lost else _GUARD_SECONDS)
            try:
                await asyncio.to_thread(self._power.refresh)
                why = ""
            except (OSError, FirewallError) as error:
                why = str(error)
            if why and why not in told:
                _log.warning("%s", why)
            told = (*lost, why)

    async def _put_back(self) -> list[str]:
        try:
            return await asyncio.to_thread(self._power.restore, self.settings.orders.allow)
        except (OSError, FirewallError) as error:
            return [f"whether blocks still stand is not known: {error}"]

    async def _serve_metrics(self) -> None:
        # The server's half of aiohttp and the metrics' library are 6 MB that most nodes never need.
        from .metrics.listener import MetricsListener  # noqa: PLC0415 - see above

        tls = self._identity.tls(ssl.Purpose.CLIENT_AUTH)
        await MetricsListener(self.settings.metrics.listen, tls, self._figures).run()

    async def _figures(self) -> Figures:
        status = await self._outbox.status()
        cpu, memory = own_cost()
        return Figures(
            outbox_bytes=status.bytes,
            outbox_reports=status.reports,
            outbox_age_seconds=status.oldest_seconds,
            drops=status.drops,
            refused=status.refused,
            forks=status.forks,
            certificate_expires_at=self._about.certificate_expires_at,
            orders=self._orders.ended,
            sources=self.watching.figures(),
            cpu_seconds=cpu,
            memory_bytes=memory,
        )

    async def close(self) -> None:
        """Close the connections."""
        await self.transport.close()


async def _host_goes() -> str | None:
    """Ask the service manager whether the whole host is stopping; a goodbye does not wait long for it."""
    try:
        asked = await asyncio.create_subprocess_exec(
            *("systemctl", "is-system-running"),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        async with asyncio.timeout(0.5):
            told, _ = await asked.communicate()
    except (OSError, TimeoutError):
        return None
    return "shutdown" if told.strip() == b"stopping" else None


def _reachable(listen: str) -> str:
    """Return where others reach a listener: a host's name instead of "any address"."""
    host, _, port = listen.rpartition(":")
    if not listen or host.strip("[]") not in _ANYWHERE:
        return listen
    return f"{socket.gethostname()}:{port}"
