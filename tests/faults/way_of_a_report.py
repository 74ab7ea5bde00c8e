"""A node and a collector as processes that can be killed at a named step and begun again on the same files.

Both are forked from the test, so that a life costs no imports; each works with the product's own parts:
outbox, uplink and transport there, TLS listener, event log, stages and casework here.
"""

import asyncio
import os
import signal
import socket
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from agent.clock import Clock
from agent.enrolment import Host, enrol, load_identity
from agent.outbox import Bounds, Entry, Outbox
from agent.tasks import Tasks
from agent.transport import Transport
from agent.uplink import Uplink
from collector.eventlog.sqlite import SqliteLog
from collector.pipeline import CURSOR, Pipeline
from collector.stages import stages
from collector.store.cursors import read_cursor
from collector.store.engine import Store
from collector.tasks import spawn
from tests.collector.ingest.tower import Tower
from tests.conftest import Office
from tests.faults.failpoints import arm

SECONDS = 60
REPORTS, TOGETHER = 40, 4


def now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - processes of their own have a clock of their own


@dataclass
class Place:
    """Where both keep their files, and the port at which they meet."""

    folder: Path
    port: int = 0
    outbox_folder: Path | None = None
    log_folder: Path | None = None

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True)
        self.collector.mkdir(parents=True)
        self.node.mkdir(parents=True)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        collector = self.collector_lives()
        assert not killed(_forked(lambda: enrolled(self), "", 0))
        stop(collector)

    @property
    def node(self) -> Path:
        return self.outbox_folder or self.folder / "node"

    @property
    def collector(self) -> Path:
        return self.log_folder or self.folder / "collector"

    @property
    def said(self) -> Path:
        """What the node says was accepted, a line each, after its fsync."""
        return self.folder / "said"

    def accepted(self) -> list[str]:
        return self.said.read_text().split("\n")[:-1] if self.said.exists() else []

    def node_lives(self, step: str = "", times: int = 0, boot: str = "boot-1") -> int:
        return _forked(lambda: node(self, boot), step, times)

    def collector_lives(self, step: str = "", times: int = 0) -> int:
        return _forked(lambda: collector(self), step, times)


def _forked(work: Callable[[], Coroutine[Any, Any, None]], step: str, times: int) -> int:
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])  # in the child until it listens for it
    child = os.fork()
    if child:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
        return child
    code = 1
    try:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(SECONDS)  # a step that is never come by must not hang the test
        if step:
            arm(step, times)
        asyncio.run(work())
        code = 0
    finally:
        os._exit(code)


def killed(child: int) -> bool:
    """Wait for a child's end; whether it was the step that ended it, and not its own work."""
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL, f"ended by signal {os.WTERMSIG(status)}"
        return True
    assert os.WEXITSTATUS(status) == 0
    return False


def stop(child: int) -> None:
    """Tell a collector to read its log to the end and go."""
    os.kill(child, signal.SIGTERM)
    assert not killed(child)


async def enrolled(place: Place) -> None:
    """Take the token as soon as it is there, and enrol."""
    token = place.collector / "token"
    while not token.exists():  # noqa: ASYNC110 - another process makes it
        await asyncio.sleep(0.005)
    await enrol(token.read_text(), "", place.node, Host("web-1"), now)


async def node(place: Place, boot: str) -> None:
    """Accept reports until there are enough, and end when all have left the disk."""
    clock = Clock(now=now, monotonic=lambda: 1.0, boot_id=boot)
    outbox = Outbox(place.node, clock, Bounds(min_free_bytes=0))
    await outbox.begin()
    transport = Transport([f"https://localhost:{place.port}"], load_identity(place.node).tls(), now)
    uplink = Uplink(transport, outbox, lambda: 0.01, "en")
    async with Tasks() as tasks:
        tasks.spawn("uplink", uplink.run())
        await outbox.drained()
        while len(place.accepted()) < REPORTS:
            await asyncio.gather(*(_accept(place, outbox) for _ in range(TOGETHER)))
            await outbox.drained()
    await transport.close()
    outbox.close()


async def _accept(place: Place, outbox: Outbox) -> None:
    at = now()
    body = {"key": "files:/srv/www", "class": "NAWEBMOD", "facts": {"page_tampered_since": at.isoformat()}}
    body |= {"first_seen": at.isoformat(), "last_seen": at.isoformat()}
    identifier = await outbox.accept(Entry("incident", "files", at, body))
    with place.said.open("a") as said:
        said.write(f"{identifier}\n")


async def collector(place: Place) -> None:
    """Listen, store, read the log and trim it; at SIGTERM read it to its end and go."""
    folder, office = place.collector, Office()
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
    store = await Store.open(f"sqlite+aiosqlite:///{folder / 'state.db'}")
    log = await SqliteLog.open(folder / "events.db")
    tower = Tower(folder, store, log, office.registry)
    chain = stages(
        lambda: office.registry, lambda: office.classes, office.casework.open, office.casework.note
    )
    pipeline = Pipeline(log, store, chain, now, rows=1)
    await tower.start(place.port)
    if not (folder / "token").exists():
        (folder / "token.new").write_text(await tower.token(unit="county", uses=2))
        (folder / "token.new").rename(folder / "token")
    flows = [spawn("pipeline", pipeline.run(), _died), spawn("trim", _trim(store, log), _died)]
    await stopped.wait()
    while await _cursor(store) < (await log.extent()).last:  # noqa: ASYNC110 - the pipeline has no other sign
        await asyncio.sleep(0.005)
    for flow in flows:
        flow.cancel()
    await asyncio.gather(*flows, return_exceptions=True)
    await tower.listener.stop(0.2)
    await log.close()
    await store.close()


async def _trim(store: Store, log: SqliteLog) -> None:
    while True:
        await log.trim(await _cursor(store), now())
        await asyncio.sleep(0.01)


async def _cursor(store: Store) -> int:
    async with store.read() as connection:
        return await read_cursor(connection, CURSOR)


def _died(name: str, error: BaseException) -> None:
    os.write(2, f"{name} died: {error!r}\n".encode())
    os._exit(1)
