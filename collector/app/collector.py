"""A collector from its first start to its last answer."""

import asyncio
import os
import signal
import time
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from .. import actions, stages
from ..actions.port import Surroundings
from ..authority import Announcer, Heartbeat
from ..backups import in_use
from ..casework import Casework
from ..channels import Channel, open_channels
from ..desk.acknowledging import link_of
from ..desk.world import Desk, Startable
from ..duty.calendars import CalendarKeeper
from ..errors import FengsuiError, PermanentError, RetryableError
from ..eventlog.opening import open_log
from ..eventlog.port import EventLog
from ..ingest.links import Link as NodeLink
from ..intake import FORMATS, Intake
from ..memory import settle_memory
from ..notices import Notices
from ..pipeline import Pipeline
from ..regimes import Calendars
from ..runs.people import act_on_run, complete_step
from ..runs.runner import Runner
from ..runs.starting import Starter
from ..shipped import release
from ..store.engine import Store
from ..store.notices import Notice
from ..tasks import spawn
from ..trust.links import Links
from ..world import World
from ..yaml_marks import Mistakes
from .doors import AgentsDoor, DeskDoor
from .drilling import DrillReports, make_director
from .ending import Ending, Notes, closed_in_time
from .figures import counters
from .first_start import forget_ports, know_journal, make_first_user, make_folder, write_ports
from .live import Live
from .reporting import Reporting
from .telling import Teller
from .upkeep import Membership, Retention
from .watch import Watch


def now() -> datetime:
    """The time, in UTC: the one place where the wall clock is read."""
    return datetime.now(UTC)  # noqa: TID251 - app owns the clock


async def serve(world: World, file: str, notes: Notes) -> int:
    """Run a collector until SIGTERM or SIGINT; SIGHUP reloads.

    Args:
        world: What its files say.
        file: The settings file, read again at reload.
        notes: Takes lines for whoever started it.

    Returns:
        0 when it was told to stop, 1 when a part of it died.
    """
    async with AsyncExitStack() as stack:
        collector = await Collector.build(Live(world), stack, notes)
        return await collector.run(file)


class Collector:
    """Every part, built once. `build`, then `run`."""

    def __init__(self, live: Live, store: Store, log: EventLog, ending: Ending, notes: Notes) -> None:
        self._live = live
        self._store = store
        self._ending = ending
        self._notes = notes
        settings = live.settings()
        self._teller = Teller(store, live, now, notes)
        self._retention = Retention(store, log, lambda: live.settings().retention.events, now, notes)
        self._membership = Membership(lambda: settings.state, self._let_go_of_lines, now, notes)
        self._casework = Casework(
            registry=live.registry,
            regimes=live.regimes,
            policy=live.policy,
            rosters=live.rosters,
            calendars=self._working_days,
            language=settings.language,
        )
        self._calendars = CalendarKeeper(
            store,
            regions=live.regions,
            files=live.calendars,
            regrade=self._casework.regrade,
            now=now,
        )
        live.count_by(self._working_days)
        self._pipeline = Pipeline(log, store, self._stages(), now)
        self._watch = Watch(store, live, self._casework, links=self._link_of, now=now)
        self._heartbeat = Heartbeat(
            store,
            state=settings.state,
            version=release(),
            pulses=self._pulses,
            clock=now,
            steady=time.monotonic,
            rekey=self._membership.want,
        )
        self._channels = open_channels(settings.channels, now)
        self._links = Links.at(settings.state)
        self._notices = Notices(
            store,
            channels=self._open_channels,
            registry=live.registry,
            http_allow=self._http_allow,
            clock=now,
            on_death=ending.died,
            link=self._link,
        )
        self._reporting = Reporting(store, live, self._casework, channels=self._open_channels, clock=now)
        self._starter = Starter(live.plans, live.asset_role)
        self._runner = Runner(
            store, live.plans, actions.build(self._surroundings()), now, asset_role=live.asset_role
        )
        self._director = make_director(
            store, self._casework, lambda: live.directory(now()), settings.language, now
        )
        self._announcer = Announcer(store, state=settings.state, clock=now)
        self._agents = AgentsDoor(store, log, live, now, open_incident=self._casework.open)
        self._desk = DeskDoor(self._desk_world())

    @classmethod
    async def build(cls, live: Live, stack: AsyncExitStack, notes: Notes) -> "Collector":
        """Open what is kept and build every part; the stack lets go of it again.

        Raises:
            FengsuiError: a part can't be opened; the text says which and why.
        """
        settings = live.settings()
        make_folder(settings.state)
        stack.enter_context(in_use(settings.state))
        forget_ports(settings.state)
        ending = Ending(notes)
        store = await Store.open(settings.database_url)
        stack.push_async_callback(closed_in_time, "the state", store.close, notes)
        await know_journal(store, settings.state, notes)
        log = await open_log(settings.events_url, ending.died)
        stack.push_async_callback(closed_in_time, "the event log", log.close, notes)
        await make_first_user(store, settings.state, now(), notes)
        return cls(live, store, log, ending, notes)

    async def run(self, file: str) -> int:
        """Open the doors, run the flows, close in the order that loses nothing."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._ending.asked.set)
        loop.add_signal_handler(signal.SIGHUP, lambda: spawn("reload", self._reload(file), self._ending.died))
        await self._teller.loaded()
        await self._calendars.load()  # and the flow fills it: the libraries must not keep the doors shut
        tasks = [spawn(name, work(), self._ending.died) for name, work in self._flows().items()]
        try:
            await self._open()
            await self._ending.asked.wait()
        finally:
            forget_ports(self._live.settings().state)
            await self._agents.close()
            await self._desk.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._seal()
            await _close(self._channels)
        return 1 if self._ending.dead else 0

    async def _open(self) -> None:
        settings = self._live.settings()
        agents = settings.listen.agents
        try:
            ports = {
                "agents": await self._agents.open(agents.host, agents.port),
                "console": await self._desk.open(settings.listen.console),
            }
        except OSError as error:
            raise PermanentError(f"{error.strerror or error}; see `listen` in the settings") from error
        await self._teller.tell("collector.started", {"version": release(), "ports": ports})
        settle_memory()
        write_ports(settings.state, ports)
        self._notes(
            f"agents at port {ports['agents']}, console at http://{settings.listen.console.host}:{ports['console']}/"
        )

    def _flows(self) -> Mapping[str, Callable[[], Coroutine[Any, Any, None]]]:
        return {
            "pipeline": self._pipeline.run,
            "runs": self._runner.run,
            "notices": self._notices.run,
            "authority": self._reporting.upstream.run,
            "letters": self._reporting.by_mail.run,
            "heartbeat": self._heartbeat.run,
            "drills": self._director.run,
            "announcements": self._announcer.run,
            "calendars": self._calendars.run,
            "retention": self._retention.run,
            "superior": self._membership.run,
            **self._watch.flows,
            **self._agents.watches,
        }

    def _working_days(self) -> Calendars:
        return self._calendars.in_force()

    def _open_channels(self) -> Mapping[str, Channel]:
        return self._channels

    def _http_allow(self) -> tuple[str, ...]:
        return self._live.settings().http_allow

    def _stages(self) -> tuple[stages.Stage, ...]:
        return stages.stages(
            self._live.registry, self._live.classes, self._casework.open, self._casework.note
        )

    def _surroundings(self) -> Surroundings:
        settings = self._live.settings()
        return Surroundings(
            directory=lambda: self._live.directory(now()),
            file=self._reporting.upstream.file,
            http_allow=self._http_allow,
            language=settings.language,
        )

    def _desk_world(self) -> Desk:
        settings = self._live.settings()
        return Desk(
            store=self._store,
            clock=now,
            registry=self._live.registry,
            move=self._casework.move,
            confirm=self._casework.confirm,
            correct=self._casework.correct,
            complete_step=complete_step,
            act_on_run=act_on_run,
            start_run=self._starter.by_hand,
            start_by_warning=self._starter.by_warning,
            startable=self._startable,
            filings=self._reporting.by_hand,
            make_document=self._reporting.printer.make,
            pulses=self._pulses,
            counters=lambda: counters(self._agents.tally, self._pipeline),
            unit=settings.unit,
            language=settings.language,
            version=release(),
            acknowledge=self._casework.acknowledge,
            director=self._director,
            take_alerts=self._intake().take,
            drill_report=DrillReports(self._store, self._reporting.renderer, self._live.registry).make,
            links=self._links,
        )

    def _intake(self) -> Intake:
        return Intake(
            self._store,
            open_incident=self._casework.open,
            note_end=self._casework.note,
            registry=self._live.registry,
            classes=self._live.classes,
            unit=self._live.settings().unit,
            formats=FORMATS,
        )

    def _startable(self) -> tuple[Startable, ...]:
        plans = self._live.plans().values()
        return tuple(Startable(plan.id, plan.name.zh, plan.name.en) for plan in plans)

    def _link_of(self, node: str) -> NodeLink:
        return self._agents.link(node)

    def _link(self, notice: Notice) -> str | None:
        return link_of(notice, self._links, self._live.settings().listen.console.url)

    def _pulses(self) -> dict[str, datetime]:
        passes = self._watch.pulses() | {"runs": self._runner.last_pass}
        return {name: at for name, at in passes.items() if at is not None}

    async def _reload(self, file: str) -> None:
        try:
            kept = self._live.reload(file, os.environ)
        except (FengsuiError, Mistakes) as error:
            self._notes(f"reload refused, the settings in use stay in use:\n{error}")
            return
        try:
            new = open_channels(self._live.settings().channels, now)
        except FengsuiError as error:
            self._notes(f"reloaded, but the channels in use stay in use:\n{error}")
            return
        old, self._channels = self._channels, new
        await _close(old)
        try:
            await self._teller.loaded()
            await self._calendars.keep()
        except RetryableError as error:
            self._notes(f"reloaded, but the journal could not take it: {error}")
        self._notes("reloaded" + (f"; a new start is needed for: {', '.join(kept)}" if kept else ""))

    async def _let_go_of_lines(self) -> None:
        await self._reporting.upstream.close()
        await self._heartbeat.begin_anew()

    async def _seal(self) -> None:
        """Sign the journal's end before the process goes; where that fails, its next start does."""
        try:
            await self._watch.seal()
        except (FengsuiError, SQLAlchemyError) as error:
            self._notes(f"the journal's end is not signed: {error}")


async def _close(channels: Mapping[str, Channel]) -> None:
    """Let go of channels; what one of them was sending is sent again by the next."""
    for channel in channels.values():
        await channel.close()
