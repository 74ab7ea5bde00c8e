"""Builds every part once, and owns clock, lifetimes, signals and reload.

    long-lived        outbox, clock, identity's folder
    swapped whole     a world: transport, uplink, orders, sources, heartbeat, metrics

A reload builds the new world beside the old one; only when all of it stands does the old one stop.
"""

import asyncio
import logging
import signal
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Literal

from .clock import Clock
from .enrolment import Identity, load_identity, usable
from .outbox import Outbox, OutboxFullError
from .settings import Settings, SettingsError
from .tasks import Tasks
from .texts import SaidError, say
from .world import World

_log = logging.getLogger("fengsui.agent")
Change = Literal["stop", "reload"]


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
            SaidError: the node has no identity or a damaged one, or the state folder can't be used.
            OutboxError: the outbox can't be opened.
            OutboxFullError: the disk is so full that not even the start can be written.
            BaseExceptionGroup: a task died.
        """
        settings = self._load()
        folder = Path(settings.state_dir)
        identity = usable(load_identity(folder))
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
            await outbox.speak_for(world.node)
            async with Tasks() as tasks:
                world.start(tasks, partial(self._changes.put_nowait, "reload"), await outbox.rests())
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
        except (SettingsError, SaidError) as error:
            _log.error(say(language, "reload_refused", why=error.in_language(language)))
            if not old.outdated:
                return None
            # What a collector pushed, or the way back from it, doesn't wait for somebody to mend a file.
            settings = old.own
        if settings.state_dir != old.settings.state_dir:
            _log.error(say(language, "reload_moves_state"))
            return None
        try:
            identity = usable(load_identity(Path(settings.state_dir)))
            new = World(settings, identity, outbox, self._clock)
        except (SaidError, OSError) as error:
            why = error.in_language(language) if isinstance(error, SaidError) else error
            _log.error(say(language, "reload_refused", why=why))
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
    names = ", ".join(source.name for source in world.watching.sources)
    where = ", ".join(world.transport.addresses)
    _log.info(say(world.settings.language, "running", node=identity.node, sources=names, collectors=where))
