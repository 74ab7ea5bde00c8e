"""A city, a district below it and agents below that: each a process, started by its console script."""

import asyncio
import json
import os
import shutil
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path
from typing import Any

import yaml

from collector.cli.demo.receiver import Receiver
from collector.cli.demo.stage import DISTRICT, Stage
from collector.cli.demo.troupe import Troupe

WRONG_CLOCK = sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
QUIET = {"heartbeat_seconds": 1}


class Players(Troupe):
    """A troupe of which one can be sent home."""

    def pid(self, name: str) -> int:
        """Return a child's process id."""
        return self._players[name].pid

    def names(self) -> set[str]:
        """Return who is on the stage."""
        return set(self._players)

    async def start_at(self, name: str, clock: str, script: str, *words: str) -> None:
        """Start a child whose wall clock is wrong by `clock`, as libfaketime reads it (`+400d`)."""
        wrong = {"LD_PRELOAD": str(WRONG_CLOCK[0]), "FAKETIME": clock, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
        with (self._logs / f"{name}.log").open("ab") as log:
            self._players[name] = await asyncio.create_subprocess_exec(
                str(Path(sys.executable).parent / script),
                *words,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=os.environ | wrong,
            )

    async def waited(self, name: str) -> int:
        """Wait until a child has ended by itself and return its exit code."""
        async with asyncio.timeout(30):
            return await self._players.pop(name).wait()

    async def stop(self, name: str, number: signal.Signals = signal.SIGTERM) -> int:
        """End a child by a signal and return its exit code."""
        player = self._players.pop(name)
        player.send_signal(number)
        async with asyncio.timeout(30):
            return await player.wait()


class Region:
    """The command line is how people work on the collectors; what they hold is read from their databases."""

    def __init__(self, folder: Path) -> None:
        self.stage = Stage(folder, "zh")
        self.troupe = Players(folder / "logs")
        self.subjects: list[str] = []
        self._collectors: set[str] = set()
        self.receiver = Receiver(lambda _, subject: self.subjects.append(subject))

    async def ask(self, where: str, *words: str) -> Any:  # noqa: ANN401 - JSON
        """Run a command of a collector and return what it printed."""
        config = ("--config", str(self.stage.settings(where)), "--json")
        return json.loads(await self.troupe.ask("fengsui-collector", *words, *config))

    async def rise(self, *, joined: bool = True) -> None:
        """Start the city and the district, which joins it; or the district alone."""
        self.stage.build(await self.receiver.start())
        if joined:
            await self.start("city")
            made = await self.ask("city", "token", "create", "--unit", DISTRICT, "--kind", "collector")
            superior = ("--superior", self.address("city"), "--token", made["token"])
            district = str(self.stage.settings("district"))
            await self.troupe.ask("fengsui-collector", "join", "--config", district, *superior)
        await self.start("district")

    async def end(self) -> None:
        """Stop everybody, the agents first: their last words need somebody who hears them."""
        for name in self.troupe.names() - self._collectors:
            with suppress(ProcessLookupError):
                await self.troupe.stop(name)
        await self.troupe.end()
        await self.receiver.stop()

    def address(self, where: str) -> str:
        """Return where a collector listens for nodes."""
        return f"https://127.0.0.1:{self.ports(where)['agents']}"

    def ports(self, where: str) -> dict[str, int]:
        """Return the ports a collector has opened."""
        return dict(json.loads((self.stage.state(where) / "ports.json").read_text()))

    def settle(self, where: str) -> None:
        """Let a collector have the same ports after its next start."""
        ports, file = self.ports(where), self.stage.settings(where)
        settings = yaml.safe_load(file.read_text())
        for name, port in ports.items():
            settings["listen"][name]["port"] = port
        file.write_text(yaml.safe_dump(settings, allow_unicode=True))

    async def start(self, name: str) -> None:
        """Start a collector and wait until it listens."""
        self._collectors.add(name)
        ports = self.stage.state(name) / "ports.json"
        ports.unlink(missing_ok=True)
        await self.troupe.start(name, "fengsui-collector", "run", "--config", str(self.stage.settings(name)))
        await self.until(ports.exists)

    async def begin_anew(self, name: str) -> None:
        """Stop a collector and start it."""
        await self.troupe.stop(name)
        await self.start(name)

    def agent(self, name: str, **settings: Any) -> Path:  # noqa: ANN401 - fields of the settings
        """Write the settings of an agent with a state folder of its own and return the file."""
        state = self.stage.folder / name
        state.mkdir(mode=0o700)
        off = {key: {"enabled": False} for key in ("exits", "sockets", "logins")} | {"files": {"roots": []}}
        written = yaml.safe_load(self.stage.settings("agent").read_text())
        written |= QUIET | {"state_dir": str(state)} | settings
        written["sources"] |= off
        file = self.stage.settings(name)
        file.write_text(yaml.safe_dump(written, allow_unicode=True))
        return file

    async def token(self, *more: str) -> str:
        """Return an enrolment token of the district."""
        made = await self.ask("district", "token", "create", "--unit", DISTRICT, "--kind", "agent", *more)
        return str(made["token"])

    async def enrol(self, name: str, token: str, *, clock: str = "") -> None:
        """Enrol an agent at the district; `clock` is by how much its host's clock is wrong."""
        words = ("--config", str(self.stage.settings(name)), "--token", token)
        whole = ("fengsui-agent", "enrol", *words, "--collector", self.address("district"))
        if clock:
            await self.troupe.start_at(name, clock, *whole)
            assert await self.troupe.waited(name) == 0
        else:
            await self.troupe.ask(*whole)

    async def wake(self, name: str, *, clock: str = "") -> None:
        """Start an agent; `clock` is by how much its host's clock is wrong."""
        words = ("fengsui-agent", "run", "--config", str(self.stage.settings(name)))
        if clock:
            await self.troupe.start_at(name, clock, *words)
        else:
            await self.troupe.start(name, *words)

    def copy(self, name: str, other: str) -> None:
        """Copy an agent's state folder, as a cloned disk has it."""
        shutil.copytree(self.stage.folder / name, self.stage.folder / other, symlinks=True)
        written = yaml.safe_load(self.stage.settings(name).read_text())
        written["state_dir"] = str(self.stage.folder / other)
        self.stage.settings(other).write_text(yaml.safe_dump(written, allow_unicode=True))

    def identity(self, name: str) -> dict[str, str]:
        """Return who an agent is."""
        return dict(json.loads((self.stage.folder / name / "identity/identity.json").read_text()))

    def rows(self, where: str, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Return rows of a collector's database."""
        with closing(sqlite3.connect(f"file:{self.stage.database(where)}?mode=ro", uri=True)) as conn:
            return conn.execute(query, values).fetchall()

    async def until(self, look: Callable[[], Any], *, within: float = 60) -> Any:  # noqa: ANN401 - what was looked for
        """Return what a look finds at last."""
        async with asyncio.timeout(within):
            while not (found := look()):
                self.troupe.check()
                await asyncio.sleep(0.1)
        return found


@asynccontextmanager
async def risen(folder: Path) -> AsyncIterator[Region]:
    """Give a city and a district that come back at the same ports."""
    made = Region(folder / "region")
    try:
        await made.rise()
        for where in ("city", "district"):
            made.settle(where)
        yield made
    finally:
        await made.end()
