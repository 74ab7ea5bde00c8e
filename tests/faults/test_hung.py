"""A file system that answers nothing (an NFS server that is away): a source hangs alone, and only once."""

from __future__ import annotations

import asyncio
import ctypes
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest
from msgspec import structs

from agent.budget import Budget
from agent.clock import host_clock
from agent.sources import (
    BackupsSettings,
    CertificatesSettings,
    FilesSettings,
    LoginsSettings,
    MalwareSettings,
    SensorLogSettings,
    SourcesSettings,
    WebRoot,
    build,
)
from agent.sources.services.backups import Backup, Copy
from agent.tasks import Tasks

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from agent.sources import Observation

    Beside: TypeAlias = Callable[[Callable[["Dead"], Coroutine[Any, Any, None]]], None]

CLONE_NEWNS, CLONE_FS = 0x20000, 0x200
MS_REC, MS_PRIVATE = 0x4000, 1 << 18
FUSE = Path("/dev/fuse")
WATCHDOG_SECONDS = 12.0
_libc = ctypes.CDLL(None, use_errno=True)
pytestmark = pytest.mark.root


def mount(what: str, where: Path, kind: str, flags: int, data: str) -> None:
    if _libc.mount(what.encode(), os.fsencode(where), kind.encode(), flags, data.encode()):
        raise OSError(ctypes.get_errno(), f"{kind} at {where} is not mounted")


class Dead:
    """A folder on a file system whose server takes every question and answers none, until it is released."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._server: int | None = os.open(FUSE, os.O_RDWR | os.O_CLOEXEC)
        self._lock = threading.Lock()
        mount("dead", folder, "fuse", 0, f"fd={self._server},rootmode=40000,user_id=0,group_id=0")

    def release(self) -> None:
        """Let everything that waits fail."""
        with self._lock:
            if self._server is not None:
                os.close(self._server)
                self._server = None


@pytest.fixture
def beside(tmp_path: Path) -> Beside:
    """Run a coroutine in a thread with mounts of its own, one of which is dead."""
    if os.geteuid() != 0 or not FUSE.exists():
        pytest.skip("needs root and /dev/fuse")
    failures: list[BaseException] = []

    def enter(work: Callable[[Dead], Coroutine[Any, Any, None]]) -> None:
        def inside() -> None:
            try:
                assert _libc.unshare(CLONE_NEWNS | CLONE_FS) == 0
                mount("none", Path("/"), "none", MS_REC | MS_PRIVATE, "")
                folder = tmp_path / "dead"
                folder.mkdir()
                dead = Dead(folder)
                # Should the loop itself hang, this ends it, and the test tells.
                watchdog = threading.Timer(WATCHDOG_SECONDS, dead.release)
                watchdog.start()
                try:
                    asyncio.run(work(dead))
                finally:
                    watchdog.cancel()
                    dead.release()
            except BaseException as error:  # noqa: BLE001 - raised again outside the thread
                failures.append(error)

        thread = threading.Thread(target=inside)
        thread.start()
        thread.join()
        if failures:
            raise failures[0]

    return enter


def settings(dead: Path) -> SourcesSettings:
    """Settings by which each source looks at the dead folder."""
    return SourcesSettings(
        files=FilesSettings(roots=(WebRoot(path=str(dead)),)),
        logins=LoginsSettings(file=f"{dead}/auth.log"),
        suricata=SensorLogSettings(files=(f"/{dead.name}/eve*.json",)),
        malware=MalwareSettings(enabled=True, folders=(str(dead),)),
        backups=BackupsSettings(backups=(Backup(name="portal", copies=(Copy(path=f"{dead}/*"),)),)),
        certificates=CertificatesSettings(files=(f"{dead}/portal.pem",)),
    )


def host(root: Path, dead: Path) -> None:
    """A host's tree in which what it takes from elsewhere lies in the dead folder."""
    for folder in ("etc", "proc", "var"):
        (root / folder).mkdir(parents=True)
    (root / "etc/passwd").write_text(f"ann:x:1000:1000::/{dead.relative_to(root)}:/bin/sh\n")
    (root / "etc/group").write_text("")
    for link in ("etc/resolv.conf", "etc/os-release", "var/log"):
        (root / link).symlink_to(dead)


@pytest.mark.parametrize(
    "name",
    [
        *("asset", "exits", "files", "logins", "suricata", "persistence", "logs"),
        *("malware", "backups", "certificates"),
    ],
)
def test_a_look_that_hangs_is_told_joined_by_no_second_and_stops_nobody_else(
    tmp_path: Path, name: str, beside: Beside
) -> None:
    longest, looks = 0.0, 0
    others = {*threading.enumerate()}  # looks of other tests that have just ended

    async def work(dead: Dead) -> None:
        nonlocal longest, looks
        host(tmp_path, dead.folder)
        (tmp_path / "state").mkdir()
        wanted = settings(dead.folder)
        impatient = structs.replace(getattr(wanted, name), budget=Budget(stuck_after=0.2))
        wanted = structs.replace(wanted, **{name: impatient})
        (source,) = [one for one in build(wanted, tmp_path / "state", tmp_path) if one.name == name]
        stuck = asyncio.Event()

        async def emit(seen: Observation) -> None:
            if "stuck for more than" in seen.body.get("why", ""):
                stuck.set()

        async def pulse() -> None:
            nonlocal longest, looks
            loop = asyncio.get_running_loop()
            while True:
                begun = loop.time()
                await asyncio.sleep(0.01)
                longest = max(longest, loop.time() - begun)
                alive = sum(thread.name == f"look-{name}" for thread in {*threading.enumerate()} - others)
                looks = max(looks, alive)

        async with asyncio.timeout(WATCHDOG_SECONDS), Tasks() as tasks:
            tasks.spawn("pulse", pulse())
            tasks.spawn(name, source.watch(emit, host_clock().now))
            await stuck.wait()
            assert source.blind
            dead.release()
            tasks.stop()

    beside(work)
    assert looks == 1
    assert longest < 2.0, "the agent itself hung"
