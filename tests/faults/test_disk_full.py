"""A really full file system, under the collector and under an agent: all hold, nothing accepted is lost."""

import asyncio
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager, suppress
from pathlib import Path
from sqlite3 import OperationalError, connect
from typing import Any

import pytest
from aiohttp import ClientSession

from agent.clock import host_clock
from agent.enrolment import Host, enrol
from collector.cli.demo.stage import CITY, Stage
from wire.codec import IDENTITY, ZSTD, Codec, unpack
from wire.messages import Batch

CHILD = Path(__file__).with_name("agent_child.py")
_batches = Codec(Batch)
pytestmark = [pytest.mark.root, pytest.mark.slow, pytest.mark.timeout(180)]


@contextmanager
def small_disk(place: Path, size: str) -> Iterator[Path]:
    """A file system of its own that is soon full."""
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def fill(disk: Path) -> Path:
    """Write a file until there is not a byte left."""
    ballast = disk / "ballast"
    with suppress(OSError), ballast.open("ab", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    return ballast


async def until(look: Callable[[], Any]) -> None:
    async with asyncio.timeout(60):
        while not (answer := look()) or (asyncio.iscoroutine(answer) and not await answer):  # noqa: ASYNC110 - processes
            await asyncio.sleep(0.05)


@asynccontextmanager
async def child(said: Path, *words: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process of the product; killed at the end if it still runs."""
    with said.open("ab") as out:
        process = await asyncio.create_subprocess_exec(sys.executable, *words, stdout=out, stderr=out)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def command(*words: str) -> str:
    process = await asyncio.create_subprocess_exec(sys.executable, *words, stdout=asyncio.subprocess.PIPE)
    said, _ = await process.communicate()
    assert process.returncode == 0
    return said.decode()


def notes(said: Path) -> Counter[str]:
    """What the agent had accepted: each is said after its commit."""
    return Counter(line for line in said.read_text().splitlines() if line.count("-") == 2)


def stored(events: Path) -> Counter[str]:
    """What a reader takes from the collector's event log."""
    found: Counter[str] = Counter()
    with closing(connect(events)) as db:
        for floor, body in db.execute("SELECT floor, stored FROM batch ORDER BY position"):
            packed = body.startswith(b"\x28\xb5\x2f\xfd")
            reports = _batches.decode(unpack(body, ZSTD if packed else IDENTITY)).reports
            bodies = [
                json.loads(bytes(one.body)) for one in reports if one.seq > floor and one.kind == "incident"
            ]
            found.update(body["note"] for body in bodies)
    return found


def rows(folder: Path, query: str) -> list[Any]:
    """What the only database of a folder, or its `state.db`, holds; nothing before it is there."""
    found = sorted(folder.glob("state.db")) or sorted(folder.glob("*.sqlite3"))
    with suppress(OperationalError):
        for file in found:
            with closing(connect(f"{file.as_uri()}?mode=ro", uri=True)) as db:
                return db.execute(query).fetchall()
    return []


async def status(url: str) -> int:
    async with ClientSession() as session, session.get(url) as answer:
        return answer.status


async def ready(console: str) -> bool:
    return await status(f"{console}/readyz") == 200


async def full_refusals(console: str) -> int:
    async with ClientSession(console) as session, session.get("/metrics") as answer:
        lines = (await answer.text()).splitlines()
    return sum(int(float(line.split()[-1])) for line in lines if 'reason="full"' in line)


@asynccontextmanager
async def city(stage: Stage, log: Path) -> AsyncIterator[tuple[asyncio.subprocess.Process, str, str]]:
    """A collector of its own process, its console's address and its agents' one."""
    config = str(stage.settings("city"))
    async with child(log, "-m", "collector", "run", "--config", config) as collector:
        await until((stage.state("city") / "ports.json").exists)
        ports = json.loads((stage.state("city") / "ports.json").read_text())
        yield collector, f"http://127.0.0.1:{ports['console']}", f"https://127.0.0.1:{ports['agents']}"


async def token(stage: Stage) -> str:
    words = ("token", "create", "--config", str(stage.settings("city")), "--unit", CITY, "--json")
    return str(json.loads(await command("-m", "collector", *words))["token"])


async def test_a_collector_on_a_full_disk_takes_nothing_and_loses_nothing(tmp_path: Path) -> None:
    """507 while it lasts; the agent goes on accepting; once there is room everything arrives, once."""
    said, node = tmp_path / "said", tmp_path / "node"
    with small_disk(tmp_path / "disk", "48m") as disk:
        stage = Stage(disk, "en")
        stage.build("http://127.0.0.1:9/notices")
        async with city(stage, tmp_path / "log") as (collector, console, url):
            await enrol(await token(stage), url, node, Host("web-1"), host_clock().now)
            async with child(said, str(CHILD), str(node), url, "load"):
                await until(lambda: len(notes(said)) > 50)
                ballast = fill(disk)
                await until(lambda: full_refusals(console))
                before = len(notes(said))
                await until(lambda: len(notes(said)) > before + 50)
            assert await status(f"{console}/healthz") == 200
            assert collector.returncode is None

            ballast.unlink()
            async with child(said, str(CHILD), str(node), url, "drain") as drain:
                assert await drain.wait() == 0
            await until(lambda: ready(console))
        accepted, kept = notes(said), stored(stage.state("city") / "events.db")

    assert len(accepted) > 100
    assert accepted - kept == {}
    assert max(kept.values()) == 1


async def test_an_agent_on_a_full_disk_holds_what_it_saw_and_tells_it_later(tmp_path: Path) -> None:
    """The tampering that it found meanwhile is an incident at the collector as soon as there is room."""
    stage = Stage(tmp_path / "stage", "en")
    stage.folder.mkdir()
    config, log = str(stage.settings("agent")), tmp_path / "agent-log"
    with small_disk(stage.agent_state, "16m") as disk:
        stage.build("http://127.0.0.1:9/notices")
        async with city(stage, tmp_path / "log") as (_, _, url):
            words = ("enrol", "--config", config, "--collector", url, "--token", await token(stage))
            await command("-m", "agent", *words)
            async with child(log, "-m", "agent", "run", "--config", config, "--lang", "en") as agent:
                await until(lambda: rows(disk / "files", "SELECT 1 FROM entry"))
                ballast = fill(disk)
                stage.tamper()
                await until(lambda: "the outbox can't write" in log.read_text())
                assert agent.returncode is None
                assert rows(stage.state("city"), "SELECT 1 FROM incidents") == []

                ballast.unlink()
                await until(lambda: rows(stage.state("city"), "SELECT 1 FROM incidents"))
                assert agent.returncode is None

    assert rows(stage.state("city"), "SELECT class FROM incidents") == [("NAWEBMOD",)]
    assert "the collector takes nothing" not in log.read_text(), "blamed for the agent's own disk"
