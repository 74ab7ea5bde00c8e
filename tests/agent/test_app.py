from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

import pytest
from msgspec import structs

from agent.app import Agent
from agent.settings import MetricsSettings, SettingsError
from agent.texts import SaidError
from tests.agent.loaded import Load, bodies

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from agent.clock import Clock
    from agent.enrolment import Identity
    from tests.agent.conftest import FarSide


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


async def test_an_agent_that_got_another_id_goes_on_with_its_outbox_and_tells_of_no_loss(
    far_side: FarSide, load: Load, identity: Identity, clock: Clock
) -> None:
    """Enrolled anew, or parted from its clone: of the new id the collector holds nothing yet."""
    await one_life(far_side, load, clock, 1)
    about = identity.folder / "identity.json"
    about.write_text(about.read_text().replace("node-1", "node-2"))
    far_side.held.clear()
    heard = far_side.kinds().count("heartbeat")

    await one_life(far_side, load, clock, heard + 1)

    assert "gap" not in far_side.kinds()


@pytest.mark.parametrize("name", ["key.pem", "certificate.pem", "authorities.pem"])
@pytest.mark.parametrize(
    "left", [b"", bytes(64), b"\xff\xfe", None], ids=["empty", "zeros", "no text", "gone"]
)
async def test_an_identity_that_a_power_cut_has_damaged_is_said_with_what_to_do(
    load: Load, identity: Identity, clock: Clock, name: str, left: bytes | None
) -> None:
    file = identity.folder / name
    if left is None:
        file.unlink()
    else:
        file.write_bytes(left)

    with pytest.raises(SaidError, match="enrol --again"):
        await Agent(load, clock).run()


async def one_life(far_side: FarSide, load: Load, clock: Clock, heartbeats: int) -> None:
    agent = Agent(load, clock)
    async with asyncio.TaskGroup() as group:
        group.create_task(agent.run())
        await far_side.until(lambda: far_side.kinds().count("heartbeat") >= heartbeats)
        agent._changes.put_nowait("stop")
