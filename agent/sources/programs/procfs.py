"""Who has it open: from a file or a socket to the process, by the links in /proc/PID/fd.

Looking through every process costs tens of milliseconds on a busy host, so that it is done for what was
flagged and never for everything, and it stops as soon as all that was asked for is found.
"""

import os
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from ..names import shown

_WRITING = os.O_WRONLY | os.O_RDWR


def pids(proc: Path = Path("/proc")) -> list[str]:
    """Return the processes we may see, newest first: what changes things is seldom old."""
    try:
        with os.scandir(proc) as found:
            return sorted((entry.name for entry in found if entry.name.isdigit()), key=int, reverse=True)
    except OSError:
        return []


def _links(proc: Path, pid: str) -> Iterator[tuple[str, str]]:
    """Yield descriptor and target of everything a process has open, as far as we may see; newest first."""
    try:
        folder = os.open(f"{proc}/{pid}/fd", os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return
    try:
        names = os.listdir(folder)  # noqa: PTH208 - by descriptor: half the time
    except OSError:
        names = []  # it ended since
    try:
        for name in sorted(names, key=int, reverse=True):
            try:
                yield name, os.readlink(name, dir_fd=folder)
            except OSError:
                continue
    finally:
        os.close(folder)


def describe(proc: Path, pid: str) -> dict[str, Any]:
    """Return a process as reports name it: `{pid, name, program, uid}`; None for what may not be read."""
    name: str | None = None
    program: str | None = None
    uid: int | None = None
    try:
        name = Path(proc, pid, "comm").read_text("utf-8", "replace").strip()
        uid = Path(proc, pid).stat().st_uid
        program = shown(Path(proc, pid, "exe").readlink())
    except OSError:
        pass
    return {"pid": int(pid), "name": name, "program": program, "uid": uid}


def writers(paths: list[str], proc: Path = Path("/proc")) -> dict[str, dict[str, Any]]:
    """Return who has which of the files open for writing, by path."""
    wanted = set(paths)
    found: dict[str, dict[str, Any]] = {}
    for pid in pids(proc):
        for descriptor, target in _links(proc, pid):
            if target in wanted and _writes(proc, pid, descriptor):
                found[target] = describe(proc, pid)
                wanted.discard(target)
        if not wanted:
            break
    return found


def _writes(proc: Path, pid: str, descriptor: str) -> bool:
    try:
        text = Path(proc, pid, "fdinfo", descriptor).read_text("ascii", "replace")
    except OSError:
        return False
    flags = next((line.split()[1] for line in text.splitlines() if line.startswith("flags:\t")), "0")
    return bool(int(flags, 8) & _WRITING)


def socket_owners(
    inodes: set[int], proc: Path = Path("/proc"), likely: Iterable[int] = ()
) -> dict[int, dict[str, Any]]:
    """Return the process that holds each socket, by inode; missing are those we may not see.

    Args:
        inodes: The sockets asked for.
        proc: Where the process table is.
        likely: Processes to look at first: who talked before, talks again.
    """
    wanted = {f"socket:[{inode}]": inode for inode in inodes}
    found: dict[int, dict[str, Any]] = {}
    for pid in chain(map(str, likely), pids(proc)) if wanted else ():
        for _, target in _links(proc, pid):
            inode = wanted.pop(target, None) if target.startswith("socket:") else None
            if inode is not None:
                found[inode] = describe(proc, pid)
            if not wanted:
                return found
    return found


def hidden_because() -> str:
    """Say why a socket's process is not to be seen."""
    if os.geteuid() == 0:
        return "no process that this agent sees holds it: it is another container's, or the kernel's"
    return "another user's processes are readable for root only (CAP_SYS_PTRACE)"
