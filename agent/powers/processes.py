"""The end of one process, told from every other by its number, the program it runs and its age.

A pidfd is opened first and the rest read after: from then on the signal reaches that process or none, since
numbers are used again. One that began after it was asked for was not meant, although it runs the same
program, as two scripts do. Asked first (SIGTERM), then made (SIGKILL).
"""

import os
import select
import signal
import time
from pathlib import Path

from .port import ForbiddenError

_GRACE_MILLISECONDS = 5000
_DELETED = " (deleted)"


def stop(
    pid: int, program: str, *, asked_ago: float = 0.0, dry_run: bool = False, proc: Path = Path("/proc")
) -> str:
    """End a process; see `Powers.stop`.

    Raises:
        ForbiddenError: it is the first, the agent, one it lives in, or one that began since.
        OSError: it may not be ended, or did not end.
    """
    refuse_own(pid, proc)
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return "gone"
    try:
        if _program(proc, pid) != program or _ended(handle, 0):
            return "gone"
        if (age := _age(proc, pid)) < asked_ago:
            raise ForbiddenError(
                f"process {pid} began {age:.0f} s ago and was asked for {asked_ago:.0f} s ago: "
                "its number was used again"
            )
        if dry_run:
            return "running"
        return _end(handle, pid)
    finally:
        os.close(handle)


def refuse_own(pid: int, proc: Path = Path("/proc")) -> None:
    """Raise where a process is this one, one it lives in, or the first.

    Raises:
        ForbiddenError: it is.
    """
    if pid == 1 or pid in _own(proc):
        raise ForbiddenError(f"process {pid} is never stopped: it is the agent's own, or the first")


def _age(proc: Path, pid: int) -> float:
    """Return for how many seconds a process has run; one that is gone by now is as old as anybody asks."""
    try:
        begun = int(_stat(proc, pid)[19]) / os.sysconf("SC_CLK_TCK")
    except (FileNotFoundError, ProcessLookupError):
        return float("inf")
    return time.clock_gettime(time.CLOCK_BOOTTIME) - begun


def _stat(proc: Path, pid: int) -> list[bytes]:
    """Return the fields from the third on: the second is a name that may hold anything."""
    return (proc / str(pid) / "stat").read_bytes().rpartition(b")")[2].split()


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
            pid = int(_stat(proc, pid)[1])
        except OSError:
            break
    return found
