"""`run` keeps a collector up until it is told to stop, and swaps its world on SIGHUP or keeps the old one."""

import asyncio
import json
import shutil
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path

import aiohttp
import pytest

CONFIGS = Path(__file__).parents[3] / "configs"
pytestmark = pytest.mark.slow


class Process:
    """A collector as an operator runs it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings = folder / "collector.yaml"
        self.state = folder / "state"
        self.log = folder / "log"
        shutil.copy(CONFIGS / "registry.yaml", folder)
        self.settings.write_text(
            "unit: district\nregistry: registry.yaml\nstate_dir: state\nlanguage: en\n"
            "listen: {agents: {host: 127.0.0.1, port: 0}, console: {port: 0}}\n"
        )

    async def start(self) -> None:
        with self.log.open("wb") as log:
            self.child = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "collector",
                "run",
                "--config",
                str(self.settings),
                stdout=log,
                stderr=log,
            )
        await self.until((self.state / "ports.json").exists)
        self.ports = json.loads((self.state / "ports.json").read_text())

    async def until(self, look: Callable[[], object]) -> None:
        async with asyncio.timeout(30):
            while not look():
                assert self.child.returncode is None, self.log.read_text()
                await asyncio.sleep(0.02)

    def journal(self, action: str) -> int:
        with closing(sqlite3.connect(self.state / "state.db", timeout=10)) as connection:
            return int(
                connection.execute("SELECT count(*) FROM journal WHERE action = ?", (action,)).fetchone()[0]
            )

    def said(self, words: str) -> bool:
        return words in self.log.read_text()


@pytest.fixture
async def process(tmp_path: Path) -> AsyncIterator[Process]:
    running = Process(tmp_path)
    await running.start()
    yield running
    if running.child.returncode is None:
        running.child.kill()
        await running.child.wait()


async def test_it_answers_whether_it_is_alive_ready_and_how_it_does(process: Process) -> None:
    address = f"http://127.0.0.1:{process.ports['console']}"
    async with aiohttp.ClientSession() as client:
        async with client.get(f"{address}/healthz") as answer:
            assert answer.status == 200
        await process.until(lambda: process.journal("collector.started"))
        async with asyncio.timeout(30):  # the duty clock's first tick may come after the listeners
            while not (await (await client.get(f"{address}/readyz")).json())["ready"]:
                pass
        async with client.get(f"{address}/metrics") as answer:
            assert "fengsui_reports_received_total" in await answer.text()
        async with client.get(f"{address}/api/v1/incidents") as answer:
            assert answer.status == 401
        async with client.get(f"{address}/api/v1/sd/agents") as answer:
            assert (answer.status, await answer.json()) == (200, [])


async def test_it_reloads_on_sighup_and_refuses_a_world_with_mistakes(process: Process) -> None:
    process.child.send_signal(signal.SIGHUP)
    await process.until(lambda: process.journal("registry.loaded") == 2)
    register = process.folder / "registry.yaml"
    register.write_text(register.read_text().replace("superior: province", "superior: nowhere"))
    process.child.send_signal(signal.SIGHUP)
    await process.until(lambda: process.said("reload refused, the settings in use stay in use"))

    assert process.said("nowhere")
    assert process.journal("registry.loaded") == 2


async def test_a_broken_plan_is_left_out_loudly_and_stops_nothing_else(process: Process) -> None:
    (process.folder / "plans").mkdir()
    (process.folder / "plans" / "ours.yaml").write_text("id: ours\nsteps: [")
    process.settings.write_text(process.settings.read_text() + "playbooks: plans\n")
    process.child.send_signal(signal.SIGHUP)

    await process.until(lambda: process.journal("registry.loaded") == 2)
    await process.until(lambda: process.journal("audit.finding"))

    assert process.said("plan left out, all else runs: ")
    assert process.said("ours.yaml:3:1")


async def test_it_ends_cleanly_when_told_to_and_says_where_it_is_only_while_it_runs(process: Process) -> None:
    process.child.send_signal(signal.SIGTERM)
    async with asyncio.timeout(15):
        assert await process.child.wait() == 0

    assert not (process.state / "ports.json").exists()
    assert process.said("first start: account admin, password")


async def test_a_second_start_goes_on_with_what_the_first_one_kept(process: Process) -> None:
    process.child.terminate()
    await process.child.wait()
    authority = (process.state / "ca.pem").read_bytes()
    await process.start()

    assert (process.state / "ca.pem").read_bytes() == authority
    assert process.journal("user.added") == 1
    assert process.journal("collector.started") == 2


async def test_a_taken_port_is_told_in_a_sentence(process: Process, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    second = Process(other)
    second.settings.write_text(
        second.settings.read_text()
        .replace("host: 127.0.0.1, port: 0", f"host: 127.0.0.1, port: {process.ports['agents']}")
        .replace("language: en", "language: zh")
    )
    with second.log.open("wb") as log:
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "collector", "run", "--config", str(second.settings), stdout=log, stderr=log
        )
    async with asyncio.timeout(30):
        assert await child.wait() == 1

    assert "Traceback" not in second.log.read_text()
    assert str(process.ports["agents"]) in second.log.read_text()
    assert "首次启动：账号 admin，密码" in second.log.read_text()  # the settings say zh
    assert "请检查设置中的 `listen`" in second.log.read_text()
