"""What the tests of sources share: a listener that waits for what it wants, and process tables."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from agent.clock import host_clock
from agent.sources.pages.webroot import WebRoot, accept
from agent.sources.port import Clock, Observation, Source
from agent.tasks import Tasks


class Listener:
    """Hears what a source emits; every wait has an end."""

    def __init__(self) -> None:
        self.heard: list[Observation] = []
        self._more = asyncio.Event()

    async def emit(self, observation: Observation) -> None:
        self.heard.append(observation)
        self._more.set()

    async def until(self, wanted: Callable[[Observation], bool], within: float = 15.0) -> Observation:
        """Return the first observation that is wanted, heard already or to come."""
        async with asyncio.timeout(within):
            while True:
                for one in self.heard:
                    if wanted(one):
                        return one
                self._more.clear()
                await self._more.wait()


Watching = Callable[..., AbstractAsyncContextManager[Listener]]


@pytest.fixture
def watching() -> Watching:
    """Run a source's watch for the time of a block."""

    @asynccontextmanager
    async def watch(
        source: Source, clock: Clock | None = None, listener: Listener | None = None
    ) -> AsyncIterator[Listener]:
        heard = listener or Listener()
        async with Tasks() as tasks:
            tasks.spawn(source.name, source.watch(heard.emit, clock or host_clock().now))
            yield heard
            tasks.stop()

    return watch


@pytest.fixture
def certificate(tmp_path: Path) -> Callable[..., Path]:
    """Make a PEM file with a key and a certificate of the portal that ends in so many days."""
    key = ec.generate_private_key(ec.SECP256R1())

    def make(*, days: float, from_days: float = -100) -> Path:
        now = host_clock().now()
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "www.example.gov.cn")])
        made = (
            x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
            .not_valid_before(now + timedelta(days=from_days))
            .not_valid_after(now + timedelta(days=days))
            .sign(key, SHA256())
        )
        pem = serialization.Encoding.PEM
        secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        path = tmp_path / "portal.pem"
        path.write_bytes(secret + made.public_bytes(pem))
        return path

    return make


@pytest.fixture
def eventually() -> Callable[[Callable[[], object]], Coroutine[Any, Any, None]]:
    """Wait for a condition that another process or thread brings about."""

    async def wait(condition: Callable[[], object]) -> None:
        async with asyncio.timeout(15):
            while True:
                if condition():
                    return
                await asyncio.sleep(0.01)

    return wait


REMOTE = "203.0.113.9"
OWN = "10.1.2.3"
_TICKS = 100


class ProcTree:
    """A /proc below a folder; every process has the same network."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.proc = root / "proc"
        self.proc.mkdir(parents=True)
        (self.proc / "stat").write_text("cpu 1 2 3\nbtime 1772400000\n")
        self._rows: list[str] = []
        self._pid = 100

    def process(
        self,
        program: str,
        *,
        name: str = "",
        parent: int = 1,
        pid: int = 0,
        arguments: str = "",
        stdio: tuple[str, str, str] = ("/dev/null", "/dev/null", "/dev/null"),
        sockets: tuple[int, ...] = (),
        cpu: float = 0.0,
    ) -> int:
        """Add a process."""
        self._pid += 1
        pid = pid or self._pid
        folder = self.proc / str(pid)
        for place in ("fd", "net", "ns"):
            (folder / place).mkdir(parents=True)
        (folder / "exe").symlink_to(program)
        (folder / "root").symlink_to(self.root)
        (folder / "ns" / "net").symlink_to("net:[4026531840]")
        (folder / "cmdline").write_bytes(arguments.replace(" ", "\0").encode() + b"\0")
        self.spend(pid, cpu, name or program.rsplit("/", 1)[-1][:15], parent)
        for number, target in enumerate((*stdio, *(f"socket:[{inode}]" for inode in sockets))):
            (folder / "fd" / str(number)).symlink_to(target)
        self._net(pid)
        return pid

    def spend(self, pid: int, cpu: float, name: str, parent: int = 1) -> None:
        """Set what a process has spent."""
        ticks = int(cpu * _TICKS)
        rest = f"S {parent} 1 1 0 -1 4194560 1 0 0 0 {ticks} 0 0 0 20 0 1 0 5000 1 1"
        (self.proc / str(pid) / "stat").write_text(f"{pid} ({name}) {rest}\n")

    def connection(
        self,
        inode: int,
        *,
        local_port: int = 50000,
        remote: str = REMOTE,
        remote_port: int = 4444,
        state: int = 1,
    ) -> int:
        """Add a TCP connection, or with state 10 a listener, and return its inode."""
        local = f"{_hex(OWN)}:{local_port:04X}"
        far = "00000000:0000" if state == 10 else f"{_hex(remote)}:{remote_port:04X}"
        self._rows.append(
            f" 0: {local} {far} {state:02X} 00000000:00000000 00:00000000 00000000 0 0 {inode} 1 0"
        )
        for folder in self.proc.iterdir():
            if folder.name.isdigit():
                self._net(int(folder.name))
        return inode

    def _net(self, pid: int) -> None:
        (self.proc / str(pid) / "net" / "tcp").write_text(
            "\n".join(["  sl  local_address", *self._rows]) + "\n"
        )


def _hex(address: str) -> str:
    return bytes(map(int, address.split(".")))[::-1].hex().upper()


@pytest.fixture
def tree(tmp_path: Path) -> ProcTree:
    """A process table to put processes into."""
    return ProcTree(tmp_path / "host")


@pytest.fixture
def site(tmp_path: Path) -> WebRoot:
    """A small site whose content was accepted."""
    top = tmp_path / "www"
    (top / "news").mkdir(parents=True)
    (top / "index.html").write_text("<h1>Town hall</h1>\n")
    (top / "news/1.html").write_text("one\n")
    (top / "news/2.html").write_text("two\n")
    (top / "uploads").mkdir()
    root = WebRoot(path=str(top), exclude=("uploads/*", "*.log"))
    accept(root, tmp_path / "state")
    return root
