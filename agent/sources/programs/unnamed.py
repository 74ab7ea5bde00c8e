"""Programs that run without a file: from memory, or from a file that was deleted under them. Pure.

    /memfd:x (deleted)          never had a name          told, unless its name is allowed
    /tmp/x (deleted)            where anybody may write   told, even where another x lies there now
    /srv/.x/y (deleted)         in a hidden folder        told, unless y is there again
    ~/.nvm/y (deleted)          a tool that people        as below
                                install and upgrade
    /usr/bin/x (deleted)        x is there again          an upgrade, of which the process knows nothing yet
                                x stays away              told, less grave, after a while

A container's process sees files of its own: whether x is there is asked through the root of the process.
"""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Literal, NamedTuple

from .proctable import Process, Table

_MEMORY = "/memfd:"
_OPEN_TO_ALL = ("/tmp/", "/var/tmp/", "/dev/shm/", "/run/user/", "/var/run/user/")  # noqa: S108 - looked for, not used
# What people install below their homes, and upgrade while it runs.
_TOOLS = re.compile(
    r"^/(?:root|home/[^/]+)/\.(?:local/(?:share|lib|bin)|vscode-server|vscode|cursor-server|nvm|pyenv|rbenv|asdf|sdkman"
    r"|cargo|rustup|jdks|nix-profile|bun|deno)/(?!\.|.*/\.)"
)
_AWAY = timedelta(minutes=10)


class Unnamed(NamedTuple):
    """A process whose program has no name."""

    process: Process
    severity: Literal["low", "medium", "high"]
    why: str


def unnamed(
    table: Table, allowed: tuple[str, ...], away: dict[str, datetime], now: datetime
) -> tuple[list[Unnamed], dict[str, datetime]]:
    """Return the processes without a file, and since when which program of a managed folder is away."""
    found: list[Unnamed] = []
    still: dict[str, datetime] = {}
    for process in table.processes.values():
        if not process.deleted or table.exists(process.pid, f"{process.program} (deleted)"):
            continue
        if process.program.startswith(_MEMORY):
            if not _is_allowed(process.program.removeprefix(_MEMORY), allowed):
                found.append(Unnamed(process, "high", "runs from memory, no file ever held it"))
        elif process.program.startswith(_OPEN_TO_ALL):
            found.append(Unnamed(process, "high", "its file was deleted while it runs"))
        elif table.exists(process.pid, process.program):
            continue
        elif "/." in process.program and not _TOOLS.match(process.program):
            found.append(Unnamed(process, "high", "its file was deleted while it runs"))
        else:
            since = still[process.program] = min(away.get(process.program, now), now)
            if now - since >= _AWAY:
                found.append(Unnamed(process, "low", "its file was deleted while it runs, and stays away"))
    return found, still


def _is_allowed(name: str, allowed: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in allowed)


def programs(found: list[Unnamed]) -> Iterator[tuple[str, list[Unnamed]]]:
    """Yield the findings by program."""
    for program in sorted({one.process.program for one in found}):
        yield program, [one for one in found if one.process.program == program]
