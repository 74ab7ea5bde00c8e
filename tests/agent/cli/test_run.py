from __future__ import annotations

import asyncio
import re
import signal
import sys
from typing import TYPE_CHECKING

import msgspec
import pytest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from agent.enrolment import Identity
    from tests.agent.conftest import FarSide


@pytest.fixture
async def child(identity: Identity, tmp_path: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    settings = tmp_path / "agent.yaml"
    settings.write_text(f"state_dir: {identity.folder.parent}\nlanguage: en\noutbox: {{min_free_bytes: 0}}\n")
    started = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "agent", "run", "--config", str(settings), stderr=asyncio.subprocess.PIPE
    )
    yield started
    if started.returncode is None:
        started.kill()
        await started.wait()


async def test_sigterm_ends_the_agent_within_three_seconds_with_its_last_words(
    far_side: FarSide, child: asyncio.subprocess.Process
) -> None:
    await far_side.until(lambda: {"heartbeat", "asset", "exits"} <= set(far_side.kinds()))

    child.send_signal(signal.SIGTERM)
    async with asyncio.timeout(3):
        _, said = await child.communicate()

    assert child.returncode == 0
    last = msgspec.json.decode(bytes(far_side.reports[-1].body))
    assert (far_side.kinds()[-1], last["stopping"]) == ("heartbeat", True)
    assert b"0 reports remain" in said


async def test_sighup_reads_the_settings_again_and_mistakes_change_nothing(
    far_side: FarSide, child: asyncio.subprocess.Process, tmp_path: Path
) -> None:
    settings = tmp_path / "agent.yaml"
    await far_side.until(lambda: "heartbeat" in far_side.kinds())
    good = settings.read_text()
    assert child.stderr is not None

    settings.write_text(good + "nonsense: 1\n")
    child.send_signal(signal.SIGHUP)
    while b"the new settings have mistakes" not in await child.stderr.readline():
        pass
    settings.write_text(good + "heartbeat_seconds: 77\n")
    child.send_signal(signal.SIGHUP)

    await far_side.until(lambda: far_side.kinds().count("heartbeat") == 2)


async def test_an_agent_whose_outbox_is_taken_away_says_so_without_a_traceback(
    far_side: FarSide, identity: Identity, child: asyncio.subprocess.Process
) -> None:
    await far_side.until(lambda: "heartbeat" in far_side.kinds())
    (identity.folder.parent / "outbox.db").unlink()

    child.send_signal(signal.SIGHUP)  # the bounds are applied anew, as they are once a minute
    async with asyncio.timeout(10):
        _, said = await child.communicate()

    assert child.returncode == 1
    assert b"expected the outbox that is in use" in said
    assert b"Traceback" not in said


async def test_a_running_agent_is_lean_and_never_imports_scapy_or_a_server(
    far_side: FarSide, child: asyncio.subprocess.Process
) -> None:
    await far_side.until(lambda: {"heartbeat", "asset", "exits"} <= set(far_side.kinds()))

    with open(f"/proc/{child.pid}/smaps_rollup") as rollup:  # noqa: ASYNC230, PTH123 - a file in memory
        (pss,) = re.findall(r"^Pss: +(\d+) kB", rollup.read(), re.MULTILINE)
    with open(f"/proc/{child.pid}/maps") as maps:  # noqa: ASYNC230, PTH123 - likewise
        loaded = maps.read()

    assert int(pss) < 65_000
    assert "uvloop" not in loaded
    modules = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "import agent.cli.run, sys; print(*sys.modules)",
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await modules.communicate()
    unwanted = {"scapy", "uvloop", "aiohttp.web", "prometheus_client", "sqlalchemy", "collector"}
    assert unwanted & set(out.decode().split()) == set()


async def test_an_agent_without_an_identity_ends_with_1_and_says_what_to_do(tmp_path: Path) -> None:
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "agent", "run", "--state-dir", str(tmp_path), "--lang", "en"),
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await child.communicate()

    assert child.returncode == 1
    assert said.startswith(b"there is no identity in")


async def test_two_agents_cannot_run_on_one_state_folder(
    far_side: FarSide, child: asyncio.subprocess.Process, identity: Identity
) -> None:
    await far_side.until(lambda: "heartbeat" in far_side.kinds())

    second = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "agent", "run", "--state-dir", str(identity.folder.parent), "--lang", "en"),
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await second.communicate()

    assert second.returncode == 1
    assert b"another agent uses this state folder" in said
    assert child.returncode is None
