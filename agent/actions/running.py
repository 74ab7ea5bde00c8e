"""The processes of this host as evidence has them, in about 40 µs a process.

Evidence is ordered when something happens, so often several times within a second, and a busy host has
thousands of processes: a library that opens five files of each took a quarter of a second an order.
Source: proc_pid_stat(5).
"""

import os
import pwd
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

_TICK = os.sysconf("SC_CLK_TCK")
_MAX_STAT = 4096


def processes(proc: Path = Path("/proc"), *, characters: int) -> Iterator[dict[str, Any]]:
    """Yield every process; one that ends meanwhile was not there.

    Args:
        proc: The kernel's table.
        characters: Of a command line that are given.

    Raises:
        OSError: there is no process table.
    """
    top = os.fspath(proc)
    boot = _boot(proc)
    with os.scandir(top) as found:
        pids = [entry.name for entry in found if entry.name.isdigit()]
    user = cache(_user)
    for pid in pids:
        with suppress(OSError, ValueError, IndexError):
            folder = f"{top}/{pid}"
            head, _, tail = _content(f"{folder}/stat", _MAX_STAT).partition(b"(")
            name, _, rest = tail.rpartition(b")")
            fields = rest.split()
            yield {
                "pid": int(head),
                "ppid": int(fields[1]),
                "username": user(os.stat(folder).st_uid),  # noqa: PTH116 - speed
                "name": name.decode("utf-8", "backslashreplace"),
                "exe": _program(folder),
                "cmdline": _arguments(folder, characters),
                "create_time": boot + int(fields[19]) / _TICK,
            }


def _content(path: str, most: int) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(descriptor, most)
    finally:
        os.close(descriptor)


def _program(folder: str) -> str | None:
    """Return the file a process runs, empty for the kernel's own; None where that may not be read."""
    try:
        target = os.readlink(f"{folder}/exe")  # noqa: PTH115 - speed
    except PermissionError:
        return None
    except FileNotFoundError:
        return ""
    # A name is bytes; what is no UTF-8 is shown escaped, for it goes into JSON.
    return os.fsencode(target).decode("utf-8", "backslashreplace")


def _arguments(folder: str, characters: int) -> str:
    # A character takes four bytes at most.
    data = _content(f"{folder}/cmdline", 4 * characters)
    return data.rstrip(b"\0").replace(b"\0", b" ").decode("utf-8", "backslashreplace")[:characters]


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _boot(proc: Path) -> float:
    with (proc / "stat").open("rb") as file:
        return next((float(line.split()[1]) for line in file if line.startswith(b"btime ")), 0.0)
