"""Programs that can do more than who starts them: setuid and setgid files, and files with capabilities.

    hot folders     where anybody may write; looked through at every round
    cold folders    everything else; a slice a round, and round again every `sweep` seconds at most

    round      1        2        3        4  ...
    hot        all      all      all      all
    cold       0-2.5k   -5k      -7k      (done; what was known and is not there any more is forgotten)

A file's capabilities (`filecaps`) are a way to the same end that no mode shows: a copy of an interpreter with
cap_setuid is as good as a shell that is setuid. Notes of an agent that did not look for them are completed
by the next walk, which tells none of them.

Layers of container images hold setuid programs of other systems, and every image that is fetched brings more.
Where only root can reach them, as container engines have it, they give nobody power, and are not looked at.

What a package brought (`packaged`) is told as less grave.

So the dearest round costs some tens of milliseconds, however large the disk is. What a slice finds is told at
once; only the first walk tells nothing, for it learns what belongs to this host.
"""

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from msgspec import Struct

from ...bounded import Count, Seconds
from ...budget import Budget
from ..names import real, told
from ..port import moment
from ..rounds.matters import Finding
from ..rounds.patrol import Patrol, Round
from .filecaps import attribute, mild, words
from .packaged import Packages
from .startplaces import Severity

CLASS = "NABACKIMPL"
_SLICE = 2500
_MOST_HOT = 20_000
_SPECIAL = stat.S_ISUID | stat.S_ISGID
HOT = ("/tmp", "/var/tmp", "/dev/shm", "/run/user")  # noqa: S108 - looked into, not used
_LAYERS = (
    "/var/lib/docker/overlay2",
    "/var/lib/docker/vfs",
    "/var/lib/docker/aufs",
    "/var/lib/containers/storage/overlay",
    "/var/lib/containers/storage/vfs",
    "/var/lib/containerd/io.containerd.snapshotter.v1.overlayfs",
    "/var/lib/containerd/io.containerd.snapshotter.v1.native",
    "/var/lib/rancher/k3s/agent/containerd/io.containerd.snapshotter.v1.overlayfs",
)
COLD = ("/usr", "/bin", "/sbin", "/lib", "/opt", "/srv", "/home", "/root", "/var", "/etc")


class SetuidSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of the setuid source.

    Fields:
        hot, cold: The folders.
        sweep: Seconds between the beginnings of two walks through the cold ones.
        max_files: How many files a walk takes in at most.
        allow: Paths that are never told.
    """

    enabled: bool = True
    poll: Seconds = 120.0
    hot: tuple[str, ...] = HOT
    cold: tuple[str, ...] = COLD
    sweep: Seconds = 6 * 3600.0
    max_files: Count = 400_000
    allow: tuple[str, ...] = ()
    budget: Budget = Budget()


class Known(Struct, frozen=True):
    """The files known, with what they were; when the last whole walk through the cold folders began.

    `capabilities`: whether such a walk has looked for them.
    """

    files: dict[str, str] = {}
    swept_at: datetime | None = None
    capabilities: bool = False


class _Walk:
    """A walk through the cold folders, over many rounds."""

    def __init__(self, files: Iterator[tuple[str, os.stat_result]], at: datetime) -> None:
        self.files = files
        self.began = at
        self.count = 0
        self.found: dict[str, str] = {}


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
        capabilities: Callable[[str], bytes] = attribute,
    ) -> None:
        self._settings = settings or SetuidSettings()
        self._capabilities = capabilities
        self._top = os.fspath(root)
        self._walk: _Walk | None = None
        super().__init__(poll=self._settings.poll, budget=self._settings.budget, state=state)

    def look(self, now: datetime, notes: Known, *, alone: bool) -> Round:
        """Look through the hot folders and one slice of the cold ones."""
        unreadable: list[tuple[str, str]] = []
        hot = dict(self._hot(unreadable))
        cold = {} if alone else self._slice(now, notes)
        came = {path: mark for path, mark in (hot | cold).items() if notes.files.get(path) != mark}
        swept = notes.swept_at is not None and not alone
        tell = [
            path for path in sorted(came) if path in hot or (swept and not _learned(path, came[path], notes))
        ]
        kept = {path: mark for path, mark in notes.files.items() if not self._is_hot(path)}
        swept_at, capabilities = notes.swept_at, notes.capabilities
        if self._walk and not alone and (ended := self._ended(self._walk)):
            if ended == "whole":
                kept = {}
            else:
                unreadable.append(("files", ended))
            cold, swept_at, self._walk = self._walk.found, self._walk.began, None
            capabilities = True
        known = Known(kept | cold | hot, swept_at, capabilities)
        return Round(
            findings=tuple(self._finding([(path, came[path]) for path in tell], notes, now)),
            unreadable=tuple(unreadable),
            notes=known if known != notes else None,
        )

    def _hot(self, unreadable: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
        for count, (path, status) in enumerate(self._below(self._settings.hot), 1):
            if count > _MOST_HOT:
                unreadable.append(
                    ("files", f"more than {_MOST_HOT} in the hot folders; the rest is not looked at")
                )
                return
            if mark := self._mark(path, status):
                yield self._name(path), mark

    def _slice(self, now: datetime, notes: Known) -> dict[str, str]:
        """Go on with the walk, or begin one where it is time; return what the slice has."""
        if self._walk is None:
            sweep = timedelta(seconds=self._settings.sweep)
            if notes.swept_at is not None and timedelta() <= now - notes.swept_at < sweep:
                return {}
            self._walk = _Walk(self._below(self._settings.cold), now)
        found: dict[str, str] = {}
        before = self._walk.count
        for path, status in islice(self._walk.files, _SLICE):
            self._walk.count += 1
            if mark := self._mark(path, status):
                found[self._name(path)] = mark
        if self._walk.count == before:
            self._walk.count = -1
        self._walk.found |= found
        return found

    def _ended(self, walk: _Walk) -> str:
        """Return `whole` or why a walk ends before its time; empty while it goes on."""
        if walk.count < 0:
            return "whole"
        most = self._settings.max_files
        return f"more than max_files = {most}; the rest is not looked at" if walk.count >= most else ""

    def _below(self, folders: tuple[str, ...]) -> Iterator[tuple[str, os.stat_result]]:
        layers = frozenset(os.path.join(self._top, folder.lstrip("/")) for folder in _LAYERS)  # noqa: PTH118 - likewise
        return _files([os.path.join(self._top, folder.lstrip("/")) for folder in folders], layers)  # noqa: PTH118 - text is half the time

    def _name(self, path: str) -> str:
        return told("/" + path.removeprefix(self._top).lstrip("/"))

    def _mark(self, path: str, status: os.stat_result) -> str:
        """Return what a file may do, empty for one that runs as who starts it."""
        if not (stat.S_ISREG(status.st_mode) and status.st_mode & 0o111):
            return ""
        value = self._capabilities(path)
        can = words(value) if value else ""
        if not (status.st_mode & _SPECIAL or can) or self._name(path) in self._settings.allow:
            return ""
        # An upgrade writes it anew under the same owner; what it may do is what counts.
        return f"{stat.S_IMODE(status.st_mode):04o} {status.st_uid}:{status.st_gid} {can}".rstrip()

    def _is_hot(self, path: str) -> bool:
        return path.startswith(tuple(f"{folder}/" for folder in self._settings.hot))

    def _severity(self, came: list[tuple[str, str]]) -> Severity:
        packages = Packages(Path(self._top))
        own = [(path, mark) for path, mark in came if not self._came_with(packages, path)]
        if not own:
            return "low"
        return "high" if any(_is_grave(mark) for _, mark in own) else "medium"

    def _came_with(self, packages: Packages, path: str) -> bool:
        try:
            return packages.brought(path, os.lstat(os.path.join(self._top, real(path).lstrip("/"))).st_ctime)  # noqa: PTH118 - text is at hand
        except OSError:
            return False

    def _finding(self, came: list[tuple[str, str]], notes: Known, now: datetime) -> Iterator[Finding]:
        if came:
            yield Finding(
                key="setuid:files",
                klass=CLASS,
                severity_hint=self._severity(came),
                target=came[0][0][:300],
                passing=True,
                count=len(came),
                evidence=[_item(path, mark, notes.files.get(path), now) for path, mark in came],
            )


def _parts(mark: str) -> tuple[str, str, str]:
    """Return mode, owner and capabilities of a mark."""
    mode, _, rest = mark.partition(" ")
    owner, _, can = rest.partition(" ")
    return mode, owner, can


def _learned(path: str, mark: str, notes: Known) -> bool:
    """Say whether a mark is only new because nobody looked for capabilities before."""
    mode, owner, can = _parts(mark)
    before = f"{mode} {owner}" if int(mode, 8) & _SPECIAL else None
    return bool(can) and not notes.capabilities and notes.files.get(path) == before


def _is_grave(mark: str) -> bool:
    mode, _, can = _parts(mark)
    return bool(int(mode, 8) & _SPECIAL) or not mild(can)


def _item(path: str, mark: str, before: str | None, now: datetime) -> dict[str, Any]:
    mode, owner, can = _parts(mark)
    change = "created" if before is None else "modified"
    item = {"at": moment(now), "path": path[:1000], "change": change, "mode": mode, "owner": owner}
    return {**item, "capabilities": can} if can else item


def _files(tops: list[str], layers: frozenset[str]) -> Iterator[tuple[str, os.stat_result]]:
    """Yield every file below the folders, each folder once, never over a link or onto another disk."""
    seen: set[tuple[int, int]] = set()
    waiting: list[tuple[str, int]] = []
    for top in tops:
        with suppress(OSError):
            waiting.append((top, os.lstat(top).st_dev))
    while waiting:
        folder, device = waiting.pop()
        there: list[os.DirEntry[str]] = []
        # Gone, or not ours to see: what is in it can't be looked at by name either.
        with suppress(OSError):
            status = os.lstat(folder)
            place = (status.st_dev, status.st_ino)
            if place in seen or status.st_dev != device or not stat.S_ISDIR(status.st_mode):
                continue
            if folder in layers and not (status.st_mode & os.lstat(os.path.dirname(folder)).st_mode & 0o001):  # noqa: PTH120 - text is at hand
                continue
            seen.add(place)
            # Read whole, so that no folder stays open from round to round.
            with os.scandir(folder) as entries:
                there = list(entries)
        for entry in there:
            with suppress(OSError):
                if entry.is_dir(follow_symlinks=False):
                    waiting.append((entry.path, device))
                elif entry.is_file(follow_symlinks=False):
                    yield entry.path, entry.stat(follow_symlinks=False)
