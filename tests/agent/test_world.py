from __future__ import annotations

import asyncio
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest
from aiohttp import web
from msgspec import structs

from agent.app import Agent
from agent.outbox import Entry, Outbox
from agent.powers import Remembered
from agent.release import Proof, Release, Slots
from agent.release.proof import Standing, write_standing
from agent.settings import OrdersSettings, Pushed, UpdateSettings
from agent.sources import Sensors, SourcesSettings
from agent.tasks import Tasks
from agent.texts import SaidError
from agent.watching import Watching
from agent.world import World
from tests.agent.actions.asking import Noted
from tests.agent.flaky import Flaky
from tests.agent.loaded import Load, bodies
from tests.wire.test_program import rule
from wire.codec import encode
from wire.program import Program, There, encode_program

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from agent.clock import Clock
    from agent.enrolment import Identity
    from tests.agent.conftest import FarSide
    from wire.vocabulary import OrderKind


OTHERS = (
    "asset", "exits", "sockets", "logins", "packets", "processes", "persistence", "privileges", "setuid",
    "logs", "malware", "timekeeping",
)  # fmt: skip


@pytest.fixture
def load(identity: Identity) -> Load:
    return Load(identity.folder.parent)


def watch_only(world: World, *sources: Flaky) -> None:
    world.watching = Watching(sources, world._emit, world._clock, "en")


@asynccontextmanager
async def running(load: Load, clock: Clock) -> AsyncIterator[Agent]:
    agent = Agent(load, clock)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(agent.run())
        yield agent
        agent._changes.put_nowait("stop")
        async with asyncio.timeout(5):
            await task


@pytest.fixture
async def world(load: Load, identity: Identity, clock: Clock) -> AsyncIterator[World]:
    outbox = Outbox(identity.folder.parent, clock, load.settings.outbox)
    made = World(load.settings, identity, outbox, clock)
    yield made
    await made.close()
    outbox.close()


async def test_a_program_with_a_right_signature_that_is_malformed_shows_at_the_collector(
    far_side: FarSide, load: Load, identity: Identity, clock: Clock
) -> None:
    """The gap says it once; the incident of `sensors` stands until there is a program that can be taken."""
    wanted = rule(There("Image", yes=True), log="file")
    made = encode_program(Program(made_at=clock.now(), rules=[wanted]))
    good, bad = (
        encode(far_side.authority.signed_as("program", body)) for body in (made, b'{"form":1,"rules":"all"}')
    )
    served = [good]

    async def program(_: web.Request) -> web.Response:
        return web.Response(body=served[0])

    far_side.behave["/v1/program"] = program
    off = {name: {"enabled": False} for name in OTHERS}
    sources = msgspec.convert({**off, "sensors": {"after": 0, "poll": 0.05}}, SourcesSettings)
    outbox = Outbox(identity.folder.parent, clock, load.settings.outbox)
    world = World(structs.replace(load.settings, sources=sources), identity, outbox, clock)
    # Asked and looked at by the test alone: what runs by itself takes its time.
    (programs,), world._programs = world._programs, []
    (sensors,) = (one for one in world.watching.sources if isinstance(one, Sensors))
    watch_only(world)

    async with Tasks() as tasks:
        world.start(tasks, lambda: None)
        await programs.ask()
        assert (await sensors.once(clock.now())).observations == ()
        served[0] = bad
        await programs.ask()
        for seen in (await sensors.once(clock.now())).observations:
            await world._emit(seen)
        await far_side.until(lambda: {"incident", "gap"} <= set(far_side.kinds()))
        assert (programs.refused, programs.rules) == (1, 1)
        served[0] = good
        await programs.ask()
        assert (await sensors.once(clock.now())).observations == ()
    await world.close()
    outbox.close()

    (told,) = bodies(far_side, "incident")
    assert (told["key"], told["class"]) == ("sensors:rules", "DETECH")
    assert "a program was not taken, the one before it stays" in told["evidence"][0]["why"]
    assert any("the rules were not taken" in gap["why"] for gap in bodies(far_side, "gap"))


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
    for source in world.watching.sources:
        await source.once(clock.now())

    figures = await world._figures()

    assert figures.outbox_reports == 1
    assert figures.memory_bytes > 10_000_000
    assert set(figures.sources) == {source.name for source in world.watching.sources}
    # Without a program the rules open nothing.
    assert all(source.seconds > 0 for name, source in figures.sources.items() if name != "rules")


async def test_pushed_settings_are_kept_once_a_collector_answers_under_them(
    far_side: FarSide, load: Load, identity: Identity, clock: Clock
) -> None:
    pushed = Pushed(identity.folder.parent)
    pushed.begin_trial(3, {"heartbeat_seconds": 1000})

    async with running(load, clock):
        await far_side.until(lambda: "heartbeat" in far_side.kinds())
        async with asyncio.timeout(5):
            while pushed.read().state != "kept":  # noqa: ASYNC110 - a file is awaited
                await asyncio.sleep(0.01)

    assert bodies(far_side, "heartbeat")[0]["pushed"] == {"version": 3, "state": "trial", "refused": 0}
    assert bodies(far_side, "heartbeat")[-1]["pushed"] == {"version": 3, "state": "kept", "refused": 0}


async def test_pushed_settings_that_cut_the_node_off_are_rolled_back_by_itself(
    far_side: FarSide, load: Load, identity: Identity, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.trial.TRIAL_SECONDS", 0.5)
    pushed = Pushed(identity.folder.parent)
    pushed.begin_trial(3, {"collectors": ["https://127.0.0.1:1"]})

    async with running(load, clock):
        await far_side.until(lambda: "heartbeat" in far_side.kinds())

    assert (pushed.read().state, pushed.read().refused) == ("none", 3)
    assert bodies(far_side, "heartbeat")[-1]["pushed"] == {"version": 0, "state": "none", "refused": 3}


async def test_the_way_back_does_not_wait_for_somebody_to_mend_the_settings_file(
    far_side: FarSide, load: Load, identity: Identity, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.trial.TRIAL_SECONDS", 0.5)
    pushed = Pushed(identity.folder.parent)
    pushed.begin_trial(3, {"collectors": ["https://127.0.0.1:1"]})

    async with running(load, clock):
        while pushed.read().begun is None:  # noqa: ASYNC110 - a file is awaited
            await asyncio.sleep(0.01)
        load.error = SaidError("settings_unreadable", file="agent.yaml", why="a mistake")
        await far_side.until(lambda: "heartbeat" in far_side.kinds())


async def test_pushed_settings_that_fit_no_more_leave_the_nodes_own_in_force(
    load: Load, identity: Identity, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    Pushed(identity.folder.parent).begin_trial(3, {"sources": {"gone": {"poll": 3}}})
    outbox = Outbox(identity.folder.parent, clock, load.settings.outbox)
    made = World(load.settings, identity, outbox, clock)

    assert made.settings == load.settings
    assert "settings.sources.gone: is no setting" in caplog.text
    await made.close()
    outbox.close()


async def test_a_release_proves_itself_by_a_collectors_answer_and_tells_what_became_of_the_update(
    far_side: FarSide, load: Load, clock: Clock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    slots = Slots(tmp_path / "opt")
    slots.path("b").mkdir(parents=True)
    slots.complete("b", Release("0.2.0", "this-one"))
    write_standing(slots.folder, Standing(state="rolled_back", version="0.3.0", before="0.2.0", why="silent"))
    monkeypatch.setattr(sys, "prefix", str(slots.path("b")))
    update = UpdateSettings(folder=str(slots.folder))
    load.settings = structs.replace(load.settings, update=update)
    proof = Proof(Path(load.settings.state_dir))

    async with running(load, clock):
        await far_side.until(lambda: "heartbeat" in far_side.kinds())
        async with asyncio.timeout(5):
            while proof.read() != "this-one":  # noqa: ASYNC110 - a file is awaited
                await asyncio.sleep(0.01)

    told = bodies(far_side, "heartbeat")[0]["update"]
    assert (told["state"], told["version"], told["why"]) == ("rolled_back", "0.3.0", "silent")


async def test_at_its_start_an_agent_puts_back_what_a_reboot_ended_and_tells_it(
    far_side: FarSide, load: Load, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    powers = Noted()
    monkeypatch.setattr(powers, "holds", lambda: False)
    monkeypatch.setattr(World, "_powers", lambda _: powers)
    load.settings = structs.replace(load.settings, orders=OrdersSettings(allow=("block_address",)))
    before = structs.replace(clock, boot_id="another", monotonic=lambda: 0.0)
    state = Path(load.settings.state_dir)
    Remembered(powers, state / "blocks.json", before).block("198.18.9.1", 10 * 86400)
    powers.did.clear()

    async with running(load, clock):
        await far_side.until(lambda: "gap" in far_side.kinds())

    assert [did[:2] for did in powers.did if did[0] == "block"] == [("block", "198.18.9.1")]
    (told,) = bodies(far_side, "gap")
    assert "put back for the" in told["why"]


async def test_a_rescan_starts_a_source_anew_and_it_tells_the_full_picture(
    far_side: FarSide, world: World
) -> None:
    watch_only(world, Flaky(0))

    async with Tasks() as tasks:
        world.start(tasks, lambda: None)
        await far_side.until(lambda: far_side.kinds().count("incident") == 1)
        world._node().restart(["flaky"])
        await far_side.until(lambda: far_side.kinds().count("incident") == 2)

    assert bodies(far_side, "gap") == []


async def test_a_certificate_is_renewed_at_once_when_that_was_ordered(
    far_side: FarSide, world: World
) -> None:
    reload = asyncio.Event()

    async with Tasks() as tasks, asyncio.timeout(10):
        tasks.spawn("renewal", world._renewal.run(reload.set))
        await asyncio.to_thread(world._node().renew)
        await reload.wait()

    assert len(far_side.requests) == 2


@pytest.mark.parametrize("allowed", [(), ("isolate_node",)])
async def test_what_isolation_lets_through_follows_a_collector_that_moves(
    far_side: FarSide,
    load: Load,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    allowed: tuple[OrderKind, ...],
) -> None:
    """Where no order may block or isolate nothing is looked for."""
    powers = Noted()
    monkeypatch.setattr("agent.world._GUARD_SECONDS", 0.01)
    monkeypatch.setattr(World, "_powers", lambda _: powers)
    load.settings = structs.replace(load.settings, orders=OrdersSettings(allow=allowed))
    async with running(load, clock):
        await far_side.until(lambda: "heartbeat" in far_side.kinds())
        if allowed:
            async with asyncio.timeout(10):
                while len(powers.did) < 2:  # noqa: ASYNC110 - a list, no event
                    await asyncio.sleep(0)

    assert set(powers.did) == ({("refresh",)} if allowed else set())
