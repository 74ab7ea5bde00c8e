"""The play ends with a sentence when somebody can't play; tests/acceptance/test_demo.py plays it whole."""

import asyncio
import io
import signal
import sys
from pathlib import Path

import psutil
import pytest

from collector.cli.demo.stage import Stage
from collector.cli.demo.tell import Teller
from collector.cli.demo.theatre import Theatre


async def test_a_collector_that_does_not_start_is_named_with_its_log(tmp_path: Path) -> None:
    stage = Stage(tmp_path, "en")
    (tmp_path / "city").write_text("a file where a folder should be")
    steps, error = await Theatre(stage, Teller("en", io.StringIO())).play(stay=False)

    assert steps == []
    assert error is not None
    assert "city" in error


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_demo_that_is_stopped_in_the_background_takes_its_children_with_it(
    tmp_path: Path, number: signal.Signals
) -> None:
    """A shell starts background jobs with SIGINT ignored; `kill` and a service manager send SIGTERM."""
    argv = [sys.executable, "-m", "collector", "demo", "--json", "--lang", "en", "--dir", str(tmp_path)]
    demo = await asyncio.create_subprocess_exec(
        *("/bin/sh", "-c", "trap '' INT; exec \"$@\"", "sh", *argv),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    async with asyncio.timeout(60):
        while not (tmp_path / "city" / "ports.json").exists():  # noqa: ASYNC110 - another process writes it
            await asyncio.sleep(0.05)
        children = psutil.Process(demo.pid).children(recursive=True)
        demo.send_signal(number)
        said, _ = await demo.communicate()

    assert children
    assert [child for child in children if child.is_running()] == []
    assert demo.returncode == 1
    assert f"stopped by {number.name}" in said.decode()
