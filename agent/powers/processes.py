"""The end of one process, told from every other by its number and the program it runs.

A pidfd is opened first and the program read after: from then on the signal reaches that process or none,
since numbers are used again. Asked first (SIGTERM), then made (SIGKILL).
"""

import os
import select
import signal
from pathlib import Path

from .port import ForbiddenError

_GRACE_MILLISECONDS = 5000
_DELETED = " (deleted)"


def stop(pid: int, program: str, *, dry_run: bool = False, proc: Path = Path("/proc")) -> str:
    """End a process; see `Powers.stop`.

    Raises:
        ForbiddenError: it is the first, the agent, or one it lives in.
        OSError: it may not be ended, or did not end.
    """
    if pid == 1 or pid in _own(proc):
        raise ForbiddenError(f"process {pid} is never stopped: it is the agent's own, or the first")
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return "gone"
    try:
        if _program(proc, pid) != program or _ended(handle, 0):
            return "gone"
        if dry_run:
            return "running"
        return _end(handle, pid)
    finally:
        os.close(handle)


def _end(handle: int, pid: int) -> str:
    for number, word in ((signal.SIGTERM, "ended"), (signal.SIGKILL, "killed")):
        try:
            signal.pidfd_send_signal(handle, number)
        except ProcessLookupError:
            return word
        if _ended(handle, _GRACE_MILLISECONDS):
            return word
    raise TimeoutError(f"process {pid} did not end; it hangs in the kernel")


def _ended(handle: int, milliseconds: int) -> bool:
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    return bool(poll.poll(milliseconds))


def _program(proc: Path, pid: int) -> str:
    """Return the program a process runs; empty where it has none, as threads of the kernel."""
    try:
        return str((proc / str(pid) / "exe").readlink()).removesuffix(_DELETED)
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _own(proc: Path) -> set[int]:
    """Return this process and all it descends from."""
    found: set[int] = set()
    pid = os.getpid()
    while pid > 0 and pid not in found:
        found.add(pid)
        try:
            stat = (proc / str(pid) / "stat").read_bytes()
        except OSError:
            break
        # The name in the second field may hold anything, so what follows is counted from its end.
        pid = int(stat.rpartition(b")")[2].split()[1])
    return found
