from __future__ import annotations

import asyncio
import socket
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from aiohttp import web
from msgspec import structs

from agent.app import Agent, World
from agent.metrics import SourceFigures
from agent.outbox import Bounds, Entry, Outbox
from agent.settings import MetricsSettings, Settings, SettingsError
from agent.sources import SourcesSettings
from agent.sources.logins import LoginsSettings
from agent.sources.port import Emit, Observation, Reading
from agent.tasks import Tasks
from agent.texts import SaidError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from agent.clock import Clock
    from agent.enrolment import Identity
    from agent.sources.port import Clock as Now
    from tests.agent.conftest import FarSide


class Load:
    """The settings file of a test: what the agent reads when it looks."""

    def __init__(self, folder: Path) -> None:
        self.settings = Settings(
            state_dir=str(folder),
            language="en",
            sources=SourcesSettings(logins=LoginsSettings(enabled=False)),
            outbox=Bounds(min_free_bytes=0),
        )
        self.error: Exception | None = None

    def __call__(self) -> Settings:
        if self.error:
            raise self.error
        return self.settings


class Flaky:
    """A source that fails the first times it watches."""

    name = "flaky"
    cpu_seconds = 0.0

    def __init__(self, failures: int) -> None:
        self.failures = failures

    async def once(self, now: Any) -> Reading:  # noqa: ANN401 - never asked
        raise NotImplementedError(now)

    async def watch(self, emit: Emit, clock: Now) -> None:
        if self.failures:
            self.failures -= 1
            raise RuntimeError("the sensor broke")
        await emit(Observation("incident", "flaky", clock(), {"class": "NACRED"}))
        await asyncio.Event().wait()


def bodies(far: FarSide, kind: str) -> list[dict[str, Any]]:
    return [msgspec.json.decode(bytes(report.body)) for report in far.reports if report.kind == kind]


@pytest.fixture
def load(identity: Identity) -> Load:
    return Load(identity.folder.parent)


@pytest.fixture
async def running(load: Load, clock: Clock) -> AsyncIterator[Agent]:
    agent = Agent(load, clock)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(agent.run())
        yield agent
        agent._changes.put_nowait("stop")
        async with asyncio.timeout(3):
            await task


async def test_an_agent_reports_what_it_sees_with_the_boot_it_saw_it_in(
    far_side: FarSide, running: Agent, clock: Clock
) -> None:
    assert running
    await far_side.until(lambda: {"heartbeat", "asset", "exits"} <= set(far_side.kinds()))

    assert {report.boot_id for report in far_side.reports} == {clock.boot_id}
    assert all(0 < report.monotonic <= clock.monotonic() for report in far_side.reports)


async def test_an_agent_told_to_stop_says_so_before_it_ends(
    far_side: FarSide, load: Load, clock: Clock
) -> None:
    agent = Agent(load, clock)
    async with asyncio.TaskGroup() as group:
        group.create_task(agent.run())
        await far_side.until(lambda: "heartbeat" in far_side.kinds())
        agent._changes.put_nowait("stop")

    assert [said["stopping"] for said in bodies(far_side, "heartbeat")] == [False, True]
    assert far_side.kinds()[-1] == "heartbeat"


async def test_an_agent_without_a_collector_still_stops_within_three_seconds(
    load: Load, clock: Clock
) -> None:
    load.settings = structs.replace(load.settings, collectors=("https://127.0.0.1:1",))
    agent = Agent(load, clock)
    agent._changes.put_nowait("stop")

    async with asyncio.timeout(3):
        await agent.run()


async def test_a_reload_swaps_the_world_and_keeps_the_outbox(
    far_side: FarSide, running: Agent, load: Load
) -> None:
    await far_side.until(lambda: "heartbeat" in far_side.kinds())
    load.settings = structs.replace(load.settings, heartbeat_seconds=3600)

    running._changes.put_nowait("reload")
    await far_side.until(lambda: far_side.kinds().count("heartbeat") == 2)

    first, second = bodies(far_side, "heartbeat")
    assert first["settings"] != second["settings"]
    assert len(far_side.held) == 1


@pytest.mark.parametrize("kind", ["mistakes", "moved", "no identity"])
async def test_a_reload_that_cannot_be_leaves_the_old_world_running(
    far_side: FarSide, running: Agent, load: Load, kind: str
) -> None:
    await far_side.until(lambda: "heartbeat" in far_side.kinds())
    good = load.settings
    if kind == "moved":
        load.settings = structs.replace(good, state_dir="/elsewhere")
    else:
        load.error = SettingsError([]) if kind == "mistakes" else SaidError("not_enrolled", path="x")

    running._changes.put_nowait("reload")
    async with asyncio.timeout(5):
        while not running._changes.empty():  # noqa: ASYNC110 - the queue has no event for this
            await asyncio.sleep(0.01)
    load.settings, load.error = structs.replace(good, heartbeat_seconds=1000), None
    running._changes.put_nowait("reload")

    await far_side.until(lambda: far_side.kinds().count("heartbeat") == 2)


async def test_a_part_that_dies_stops_the_agent_loudly(load: Load, clock: Clock) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        load.settings = structs.replace(load.settings, metrics=MetricsSettings(listen=listen))

        with pytest.RaisesGroup(OSError):
            await Agent(load, clock).run()


async def test_an_agent_that_was_never_enrolled_says_what_to_do(
    load: Load, tmp_path: Path, clock: Clock
) -> None:
    load.settings = structs.replace(load.settings, state_dir=str(tmp_path / "none"))

    with pytest.raises(SaidError, match="fengsui-agent enrol"):
        await Agent(load, clock).run()


@pytest.fixture
async def world(load: Load, identity: Identity, clock: Clock) -> AsyncIterator[World]:
    outbox = Outbox(identity.folder.parent, clock, load.settings.outbox)
    made = World(load.settings, identity, outbox, clock)
    yield made
    await made.close()
    outbox.close()


async def test_a_source_that_fails_is_reported_and_started_again(far_side: FarSide, world: World) -> None:
    world.sources = (Flaky(1),)
    world.figures["flaky"] = SourceFigures()

    async with Tasks() as tasks:
        world.start(tasks, lambda: None)
        await far_side.until(lambda: "incident" in far_side.kinds())

    (gap,) = bodies(far_side, "gap")
    assert "source flaky failed (RuntimeError: the sensor broke)" in gap["why"]
    assert (world.figures["flaky"].failures, world.figures["flaky"].reports) == (1, 1)
    assert world._sensors is not None
    assert list(world._sensors._failed) == ["flaky"]


async def test_a_certificate_is_renewed_in_time_and_the_new_identity_taken_over(
    far_side: FarSide, world: World, clock: Clock
) -> None:
    late = structs.replace(clock, now=lambda: clock.now() + timedelta(days=70))
    world._clock = late
    old_key = (world._identity.folder / "key.pem").read_bytes()
    reload = asyncio.Event()

    async with Tasks() as tasks, asyncio.timeout(10):
        tasks.spawn("renewal", world._renew(reload.set))
        await reload.wait()

    assert [asked.token for asked in far_side.requests][1:] == [""]
    assert (world._identity.folder / "key.pem").read_bytes() != old_key


async def test_a_renewal_that_is_refused_leaves_the_agent_running(
    far_side: FarSide, world: World, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    async def refuse(request: web.Request) -> web.StreamResponse:
        await request.read()
        return web.json_response({"detail": "revoked"}, status=403)

    far_side.behave["/v1/enrol"] = refuse
    world._clock = structs.replace(clock, now=lambda: clock.now() + timedelta(days=70))

    async with Tasks() as tasks, asyncio.timeout(10):
        tasks.spawn("renewal", world._renew(lambda: None))
        while "revoked" not in caplog.text:  # noqa: ASYNC110 - a log line is awaited
            await asyncio.sleep(0.01)


async def test_a_source_waits_while_the_disk_is_full_and_loses_nothing(world: World, clock: Clock) -> None:
    db = world._outbox._db
    (pages,) = db.execute("PRAGMA page_count").fetchone()
    db.execute(f"PRAGMA max_page_count = {pages}")

    async def free_the_disk() -> None:
        await asyncio.sleep(0.05)
        db.execute("PRAGMA max_page_count = 1000000")

    await asyncio.gather(
        world._emit(Entry("incident", "x", clock.now(), {"note": "x" * 200_000})), free_the_disk()
    )

    assert (await world._outbox.status()).reports == 1


async def test_the_agents_figures_are_those_of_its_outbox_its_process_and_its_sources(
    world: World, clock: Clock
) -> None:
    await world._emit(await world._heartbeat())
    for source in world.sources:
        await source.once(clock.now())

    figures = await world._figures()

    assert figures.outbox_reports == 1
    assert figures.memory_bytes > 10_000_000
    assert set(figures.sources) == {source.name for source in world.sources}
    assert all(source.seconds > 0 for source in figures.sources.values())
