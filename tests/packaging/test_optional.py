"""What is optional is optional: a node and a collector, each without the packages in turn, end to end."""

import asyncio
import json
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path

import pytest

from wire.codec import GZIP, GZIP_MAGIC, Codec, unpack
from wire.messages import Batch

CONFIGS = Path(__file__).parents[2] / "configs"
BLOCKED = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {absent!r}:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Absent())
from {wing}.cli import main
sys.exit(main(sys.argv[1:]))
"""
pytestmark = pytest.mark.slow


class Side:
    """A program that runs where some packages are not installed."""

    def __init__(self, wing: str, absent: tuple[str, ...], settings: Path) -> None:
        self._code = BLOCKED.format(wing=wing, absent=absent)
        self._settings = settings
        self.log = settings.with_suffix(".log")

    def _words(self, *words: str) -> tuple[str, ...]:
        return (sys.executable, "-c", self._code, *words, "--config", str(self._settings))

    async def does(self, *words: str) -> str:
        """Run a command and return what it prints."""
        pipe = asyncio.subprocess.PIPE
        child = await asyncio.create_subprocess_exec(*self._words(*words), stdout=pipe, stderr=pipe)
        out, said = await child.communicate()
        assert child.returncode == 0, said.decode()
        return out.decode()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        with self.log.open("wb") as log:
            child = await asyncio.create_subprocess_exec(*self._words("run"), stdout=log, stderr=log)
        try:
            yield
        finally:
            child.kill()
            await child.wait()


async def until(look: Callable[[], object], log: Path) -> None:
    """Wait for what another process brings about."""
    try:
        async with asyncio.timeout(60):
            while not look():  # noqa: ASYNC110 - another process brings it about
                await asyncio.sleep(0.05)
    except TimeoutError:
        pytest.fail(log.read_text())  # noqa: ASYNC240 - the last thing it does


def stored(events: Path) -> list[bytes]:
    """The batches as the collector took them, those too small to be packed left out."""
    with (
        suppress(sqlite3.OperationalError),
        closing(sqlite3.connect(f"{events.as_uri()}?mode=ro", uri=True)) as db,
    ):
        rows = db.execute("SELECT stored FROM batch").fetchall()
        return [row[0] for row in rows if not row[0].startswith(b"{")]
    return []


@pytest.mark.parametrize(
    ("of_the_agent", "of_the_collector"),
    [(("zstandard",), ()), ((), ("zstandard", "uvloop"))],
    ids=["agent", "collector"],
)
async def test_reports_arrive_although_one_side_lacks_the_packages(
    tmp_path: Path, of_the_agent: tuple[str, ...], of_the_collector: tuple[str, ...]
) -> None:
    """Either way the batch travels as gzip: packed so from the start, or once zstd was refused with 415."""
    (tmp_path / "registry.yaml").write_text((CONFIGS / "registry.yaml").read_text("utf-8"), "utf-8")
    for name, text in (
        (
            "collector",
            (
                "unit: district\nregistry: registry.yaml\nstate_dir: above\nlanguage: en\n"
                "listen: {agents: {host: 127.0.0.1, port: 0}, console: {port: 0}}\n"
            ),
        ),
        ("agent", f"state_dir: {tmp_path}/below\noutbox: {{min_free_bytes: 0}}\nlanguage: en\n"),
    ):
        (tmp_path / f"{name}.yaml").write_text(text)
    collector = Side("collector", of_the_collector, tmp_path / "collector.yaml")
    agent = Side("agent", of_the_agent, tmp_path / "agent.yaml")
    above = tmp_path / "above"

    async with collector.running():
        await until((above / "ports.json").exists, collector.log)
        port = json.loads((above / "ports.json").read_text())["agents"]
        token = json.loads(await collector.does("token", "create", "--unit", "district", "--json"))["token"]
        await agent.does("enrol", "--collector", f"https://127.0.0.1:{port}", "--token", token)
        async with agent.running():
            await until(lambda: stored(above / "events.db"), agent.log)

    for body in stored(above / "events.db"):
        assert body.startswith(GZIP_MAGIC)
        assert Codec(Batch).decode(unpack(body, GZIP)).reports
    assert ("uvloop is not installed" in collector.log.read_text()) == bool(of_the_collector)
