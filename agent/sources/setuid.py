"""Programs that run as another than who starts them: setuid and setgid files, and those with capabilities.

    hot folders     where anybody may write; looked through at every round
    cold folders    everything else; looked through every `sweep` seconds, at a walker's pace

A sweep of a hundred thousand files is a second of work. It is done in small steps with rests between them, so
that it never takes more than a twentieth of a core, and it is bounded: what lies beyond is named.
"""

import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from msgspec import Struct

from ..budget import Budget
from .matters import Finding
from .patrol import Patrol, Round
from .port import moment

CLASS = "NABACKIMPL"
_STEP = 500
_RESTS_PER_STEP = 20.0
_SPECIAL = stat.S_ISUID | stat.S_ISGID
HOT = ("/tmp", "/var/tmp", "/dev/shm", "/run/user")  # noqa: S108 - looked into, not used
COLD = ("/usr", "/bin", "/sbin", "/opt", "/srv", "/home", "/root", "/var/www", "/var/lib", "/etc")


class SetuidSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of the setuid source.

    Fields:
        hot, cold: The folders.
        sweep: Seconds between two looks through the cold ones.
        max_files: How many files a look takes in at most.
        allow: Paths that are never told.
    """

    enabled: bool = True
    poll: float = 300.0
    hot: tuple[str, ...] = HOT
    cold: tuple[str, ...] = COLD
    sweep: float = 6 * 3600.0
    max_files: int = 200_000
    allow: tuple[str, ...] = ()
    budget: Budget = Budget(cpu_seconds=20.0, stuck_after=3600.0)


class Known(Struct, frozen=True):
    """The files known, with what they were; when the cold folders were looked through last."""

    files: dict[str, str] = {}
    swept_at: datetime | None = None


class Setuid(Patrol[Known]):
    """The setuid source."""

    name = "setuid"
    notes_kind = Known

    def __init__(
        self,
        settings: SetuidSettings | None = None,
        *,
        state: Path | None,
        root: Path = Path("/"),
        rest: Callable[[float], None] = time.sleep,
    ) -> None:
        self._settings = settings or SetuidSettings()
        self._root = root
        self._rest = rest
        super().__init__(poll=self._settings.poll, budget=self._settings.budget, state=state)

    def look(self, now: datetime, notes: Known, *, alone: bool) -> Round:
        """Look through the folders whose turn it is."""
        cold = not alone and self._is_time(notes, now)
        unreadable: list[tuple[str, str]] = []
        found = dict(self._special([*self._settings.hot, *(self._settings.cold if cold else ())], unreadable))
        first = notes.swept_at is None and not alone
        came = {path: mark for path, mark in found.items() if notes.files.get(path) != mark}
        hot = {path for path in came if self._is_hot(path)}
        told = [path for path in sorted(came) if path in hot or not first]
        kept = {path: mark for path, mark in notes.files.items() if not self._is_hot(path)}
        if cold and not unreadable:
            kept = {}
        known = Known(kept | found, now if cold else notes.swept_at)
        return Round(
            findings=tuple(self._finding([(path, came[path]) for path in told], notes, now)),
            unreadable=tuple(unreadable),
            notes=known if known != notes else None,
        )

    def _is_time(self, notes: Known, now: datetime) -> bool:
        sweep = timedelta(seconds=self._settings.sweep)
        return notes.swept_at is None or not timedelta() <= now - notes.swept_at < sweep

    def _is_hot(self, path: str) -> bool:
        return path.startswith(tuple(f"{folder}/" for folder in self._settings.hot))

    def _special(self, folders: list[str], unreadable: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
        """Yield the files with such a bit, each with what it is; rest between the steps."""
        begun = time.thread_time()
        top = os.fspath(self._root)
        files = _files([os.path.join(top, folder.lstrip("/")) for folder in folders])  # noqa: PTH118 - text is half the time
        for count, (path, status) in enumerate(files, 1):
            if count >= self._settings.max_files:
                unreadable.append(("files", f"more than max_files = {count}; the rest is not looked at"))
                return
            if count % _STEP == 0:
                self._rest(_RESTS_PER_STEP * (time.thread_time() - begun))
                begun = time.thread_time()
            if status.st_mode & _SPECIAL and stat.S_ISREG(status.st_mode) and status.st_mode & 0o111:
                below = "/" + path.removeprefix(top).lstrip("/")
                name = os.fsencode(below).decode("utf-8", "backslashreplace")
                if name not in self._settings.allow:
                    # An upgrade writes it anew under the same owner; what it may do is what counts.
                    yield name, f"{stat.S_IMODE(status.st_mode):04o} {status.st_uid}:{status.st_gid}"

    def _finding(self, told: list[tuple[str, str]], notes: Known, now: datetime) -> Iterator[Finding]:
        if told:
            yield Finding(
                key="setuid:files",
                klass=CLASS,
                severity_hint="high",
                target=told[0][0][:300],
                passing=True,
                count=len(told),
                evidence=[_item(path, mark, notes.files.get(path), now) for path, mark in told],
            )


def _item(path: str, mark: str, before: str | None, now: datetime) -> dict[str, Any]:
    mode, _, owner = mark.partition(" ")
    change = "created" if before is None else "modified"
    return {"at": moment(now), "path": path[:1000], "change": change, "mode": mode, "owner": owner}


def _files(tops: list[str]) -> Iterator[tuple[str, os.stat_result]]:
    """Yield every file below the folders, each folder once, never over a link or onto another disk."""
    seen: set[tuple[int, int]] = set()
    waiting: list[tuple[str, int]] = []
    for top in tops:
        with suppress(OSError):
            waiting.append((top, os.lstat(top).st_dev))
    while waiting:
        folder, device = waiting.pop()
        # Gone, or not ours to see: what is in it can't be looked at by name either.
        with suppress(OSError):
            status = os.lstat(folder)
            place = (status.st_dev, status.st_ino)
            if place in seen or status.st_dev != device or not stat.S_ISDIR(status.st_mode):
                continue
            seen.add(place)
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append((entry.path, device))
                    elif entry.is_file(follow_symlinks=False):
                        yield entry.path, entry.stat(follow_symlinks=False)
