"""Two collectors on one PostgreSQL, and an agent that knows both addresses: each a process of its own.

The second begins as docs/operating.md has it: with the files that it names, of the first's state folder.
"""

import asyncio
import json
import re
import shutil
import signal
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import asyncpg
import psutil
import yaml
from aiohttp import ClientSession

from collector.cli.demo.stage import DISTRICT
from collector.desk.identity import CSRF_HEADER, SESSION_COOKIE, csrf_of
from collector.eventlog.port import Entry
from wire.codec import Codec
from wire.messages import Batch

from .region import Region

BOTH = ("one", "two")
ROOTS = 60
TARGET_SECONDS = 3
KINDS = ["collect_evidence", "rescan", "apply_settings", "renew_certificate"]
OPERATING = Path(__file__).parents[2] / "docs" / "operating.md"
_batches = Codec(Batch)
_LOG = "SELECT position, node, epoch, floor, last, count, received_at, stored FROM batch ORDER BY position"


class Pair(Region):
    """`state` and `events` are the addresses of two empty databases."""

    def __init__(self, folder: Path, state: str, events: str) -> None:
        super().__init__(folder)
        self.urls = {"url": state, "events": events}
        self.tampered: list[Path] = []

    async def rise(self, *, joined: bool = False) -> None:
        """Start both collectors and the agent, and wait until it is heard."""
        assert not joined, "nobody stands above this office"
        self.stage.build(await self.receiver.start())
        for name in BOTH:
            self._write(name)
        await self.start("one")
        self.settle("one")
        self.share()
        _, token = await asyncio.gather(
            self.start("two"),
            self.ask("one", "token", "create", "--unit", DISTRICT, "--url", self.address("one")),
        )
        self.settle("two")
        self._settle_agent()
        words = ("--config", str(self.stage.settings("node")), "--token", token["token"])
        await self.troupe.ask("fengsui-agent", "enrol", *words)
        await self.wake("node")
        await self.hear()

    def _write(self, name: str) -> None:
        settings = yaml.safe_load(self.stage.settings("district").read_text())
        addresses = {
            part: url.replace("postgresql://", "postgresql+asyncpg://") for part, url in self.urls.items()
        }
        settings |= {"state_dir": name, "database": addresses, "routes": {}}
        self.stage.settings(name).write_text(yaml.safe_dump(settings, allow_unicode=True))
        registry = self.stage.folder / "registry.yaml"
        units = yaml.safe_load(registry.read_text())
        units["units"][DISTRICT]["targets"] = {"cn-informatization/report": f"{TARGET_SECONDS}s"}
        registry.write_text(yaml.safe_dump(units, allow_unicode=True))

    def _settle_agent(self) -> None:
        self.agent("node", collectors=[self.address(name) for name in BOTH], orders={"allow": KINDS})
        file = self.stage.settings("node")
        settings = yaml.safe_load(file.read_text())
        settings["sources"]["rules"] = {
            "enabled": False
        }  # what else runs on this host is no part of the play
        settings["sources"]["files"] = {"roots": [{"path": str(self.root(n))} for n in range(ROOTS)]}
        for number in range(ROOTS):
            self.root(number).mkdir()
            (self.root(number) / "index.html").write_text("<html><body>welcome</body></html>")
        file.write_text(yaml.safe_dump(settings, allow_unicode=True))

    def root(self, number: int) -> Path:
        """Return a web root."""
        return self.stage.folder / f"site-{number:02}"

    def share(self) -> None:
        """Copy what docs/operating.md says from the first's state folder to the second's."""
        (command,) = re.findall(r"^tar -C \S+ -c (.+) \| ssh", OPERATING.read_text(), re.MULTILINE)
        other = self.stage.state("two")
        other.mkdir(mode=0o700, exist_ok=True)
        for name in command.split():
            shutil.copy2(self.stage.state("one") / name, other)

    @property
    def node(self) -> str:
        """The agent's node id."""
        return self.identity("node")["node"]

    def serving(self) -> str:
        """Return the collector that the agent is connected to."""
        names = {self.ports(name)["agents"]: name for name in BOTH if name in self.troupe.names()}
        lines = psutil.Process(self.troupe.pid("node")).net_connections("tcp")
        talking = {names[line.raddr.port] for line in lines if line.raddr and line.raddr.port in names}
        assert len(talking) == 1, f"the agent is connected to {talking or 'nobody'}"
        return talking.pop()

    async def both(self) -> tuple[str, str]:
        """Let a collector that is away come back; return the one that the agent stays with, and the other."""
        serving = self.serving()
        await asyncio.gather(*(self.start(name) for name in BOTH if name not in self.troupe.names()))
        await self.hear()
        assert self.serving() == serving, "there is no reason to move"
        return serving, next(name for name in BOTH if name != serving)

    async def tamper(self, count: int) -> None:
        """Deface home pages, one after the other."""
        for _ in range(count):
            page = self.root(len(self.tampered)) / "index.html"
            page.write_text("<html><body>owned</body></html>")
            self.tampered.append(page.parent)
            await asyncio.sleep(0.05)

    def console(self, where: str) -> str:
        """Return where a collector's console is."""
        return f"http://127.0.0.1:{self.ports(where)['console']}"

    async def give(self, where: str, kind: str, params: Mapping[str, Any], *, signed_in: str = "") -> str:
        """Give an order over the API of a collector, signed in there or at the other; return its id."""
        asked = {"node": self.node, "kind": kind, "params": params, "dry_run": False, "reason": "trial"}
        async with (
            await self.sign_in(signed_in or where) as browser,
            browser.post(f"{self.console(where)}/api/v1/orders", json=asked) as answer,
        ):
            assert answer.status in {200, 201}, await answer.text()
            return str((await answer.json())["id"])

    async def sign_in(self, where: str) -> ClientSession:
        """Return a browser that is signed in at a collector as `admin`."""
        password = (self.stage.state("one") / "admin-password").read_text().strip()
        form = {"name": "admin", "password": password}

        async with (
            ClientSession() as door,
            door.post(f"{self.console(where)}/sign-in", data=form, allow_redirects=False) as answer,
        ):
            secret = answer.cookies[SESSION_COOKIE].value
        return ClientSession(cookies={SESSION_COOKIE: secret}, headers={CSRF_HEADER: csrf_of(secret)})

    def pushed_version(self) -> int:
        """Return the version of the settings that a collector laid over the agent's own."""
        file = self.stage.folder / "node" / "pushed.json"
        return int(json.loads(file.read_text())["version"]) if file.exists() else 0

    async def select(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Return rows of the state; `$1` is the first value."""
        conn = await asyncpg.connect(self.urls["url"])
        try:
            return [tuple(row) for row in await conn.fetch(query, *values)]
        finally:
            await conn.close()

    async def eventually(self, look: Callable[[], Awaitable[Any]], *, within: float = 30) -> Any:  # noqa: ANN401 - what was looked for
        """Return what a look finds at last."""
        async with asyncio.timeout(within):
            while not (found := await look()):
                self.troupe.check()
                await asyncio.sleep(0.05)
        return found

    async def hear(self) -> None:
        """Wait until a report of the agent has arrived that was not there yet."""
        query = "SELECT max(last_seen) FROM nodes"
        ((before,),) = await self.select(query)

        async def again() -> bool:
            ((seen,),) = await self.select(query)
            return seen is not None and (before is None or seen > before)

        await self.eventually(again)

    async def now(self) -> datetime:
        """Return the time."""
        ((at,),) = await self.select("SELECT now()")
        assert isinstance(at, datetime)
        return at

    async def heard_since(self, moment: datetime) -> float:
        """Wait for the first report that arrives after a moment; return how many seconds after it."""
        first = "SELECT min(received_at) FROM batch WHERE received_at > $1"
        (at,) = await self.eventually(lambda: self._events(first, moment))
        return float((at - moment).total_seconds())

    async def _events(self, query: str, *values: object) -> tuple[Any, ...] | None:
        conn = await asyncpg.connect(self.urls["events"])
        try:
            row = await conn.fetchrow(query, *values)
        finally:
            await conn.close()
        return tuple(row) if any(row) else None

    async def delivered(self) -> dict[tuple[str, str], list[int]]:
        """Return the numbers of all reports in the event log as they were received, by node and epoch."""
        conn = await asyncpg.connect(self.urls["events"])
        try:
            entries = [Entry(**row) for row in await conn.fetch(_LOG)]
        finally:
            await conn.close()
        numbers: dict[tuple[str, str], list[int]] = defaultdict(list)
        for entry in entries:
            reports = _batches.decode(entry.body).reports
            fresh = [report.seq for report in reports if report.seq > entry.floor]
            assert (len(fresh), fresh[-1]) == (entry.count, entry.last)
            assert "gap" not in {report.kind for report in reports}, "the agent says that it has lost nothing"
            numbers[entry.node, entry.epoch] += fresh
        return dict(numbers)

    async def lose(self, name: str, by: signal.Signals) -> None:
        """End a collector."""
        code = await self.troupe.stop(name, by)
        assert code == (-by if by is signal.SIGKILL else 0)
