"""What starts by itself on this host: cron, units, start scripts, keys that open it, preloaded libraries.

    first start   what is there is noted, nothing is told
    a change      told once, with what was added; what is there now is noted in its place
    a restart     the notes are on disk: what changed meanwhile is told then

The notes of a file are its digest, owner and mode, and its text where that is short, so that the report can
show the line that came. What a package manager changed a moment ago is told as less grave; a key or a
preloaded library never is.
"""

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, NamedTuple

from msgspec import Struct

from ...budget import Budget
from ..port import moment
from ..rounds.matters import Finding
from ..rounds.patrol import Patrol, Round
from ..textdiff import difference

CLASS = "NABACKIMPL"
_MAX_FILES = 4000
_MAX_READ = 1 << 20
_MAX_TEXT = 8192
_MAX_HOMES = 500
_PACKAGES = (
    "var/lib/dpkg/status",
    "var/lib/rpm/rpmdb.sqlite",
    "var/lib/rpm/Packages",
    "usr/lib/sysimage/rpm",
)
_PACKAGE_TIME = timedelta(minutes=5)
Severity = Literal["low", "medium", "high"]


class Sort(NamedTuple):
    """A sort of persistence: where it lies below the root, and how grave a change is."""

    name: str
    severity: Severity
    patterns: tuple[str, ...]


SORTS = (
    Sort(
        "cron",
        "medium",
        (
            "etc/crontab",
            "etc/anacrontab",
            "etc/cron.*/*",
            "var/spool/cron/*",
            "var/spool/cron/crontabs/*",
            "var/spool/at/*",
        ),
    ),
    Sort(
        "systemd",
        "medium",
        (
            "etc/systemd/system/*",
            "etc/systemd/system/*/*",
            "etc/systemd/user/*",
            "etc/systemd/user/*/*",
            "usr/local/lib/systemd/system/*",
        ),
    ),
    Sort(
        "start",
        "medium",
        (
            "etc/rc.local",
            "etc/init.d/*",
            "etc/profile",
            "etc/profile.d/*",
            "etc/bash.bashrc",
            "etc/environment",
        ),
    ),
    Sort("preload", "high", ("etc/ld.so.preload", "etc/ld.so.conf", "etc/ld.so.conf.d/*")),
    Sort("pam", "high", ("etc/pam.d/*", "etc/security/pam_env.conf")),
)
_KEYS = Sort("keys", "high", (".ssh/authorized_keys", ".ssh/authorized_keys2", ".ssh/rc"))
_CAN_BE_PACKAGED = frozenset({"cron", "systemd", "start"})


class PersistenceSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of the persistence source.

    Fields:
        ignore: Paths (patterns) whose change is never told.
    """

    enabled: bool = True
    poll: float = 60.0
    ignore: tuple[str, ...] = ()
    budget: Budget = Budget()


class Noted(Struct, frozen=True):
    """A file as it was; `stamp` spares reading it again, `text` is kept where it is short."""

    stamp: str
    digest: str
    mode: int
    uid: int
    text: str | None = None


class Baseline(Struct, frozen=True):
    """Every file by its path; `taken` is false before the first look."""

    taken: bool = False
    files: dict[str, Noted] = {}


class Persistence(Patrol[Baseline]):
    """The persistence source."""

    name = "persistence"
    notes_kind = Baseline

    def __init__(
        self, settings: PersistenceSettings | None = None, *, state: Path | None, root: Path = Path("/")
    ) -> None:
        self._settings = settings or PersistenceSettings()
        self._root = root
        super().__init__(poll=self._settings.poll, budget=self._settings.budget, state=state)

    def folders(self) -> Iterable[Path]:
        """Return the folders that hold what starts by itself."""
        return sorted({path.parent for _, path in self._places() if path.parent.is_dir()})

    def look(self, now: datetime, notes: Baseline, *, alone: bool) -> Round:
        """Compare what starts by itself with what was noted."""
        if alone and not notes.taken:
            return Round(
                unreadable=(("baseline", "none yet; `fengsui-agent run` takes it at its first start"),)
            )
        found: dict[str, tuple[Sort, Noted]] = {}
        unreadable: list[tuple[str, str]] = []
        for sort, path in self._places():
            name = _shown(path, self._root)
            try:
                found[name] = (sort, _note(path, notes.files.get(name)))
            except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
                continue
            except OSError as error:
                unreadable.append((name, error.strerror or str(error)))
        files = {name: noted for name, (_, noted) in found.items()}
        files |= {name: notes.files[name] for name, _ in unreadable if name in notes.files}
        if len(found) >= _MAX_FILES:
            unreadable.append(("files", f"more than {_MAX_FILES}; the rest is not compared"))
        return Round(
            findings=tuple(self._changes(notes.files, files, found, now)) if notes.taken else (),
            unreadable=tuple(unreadable),
            notes=Baseline(True, files) if not notes.taken or files != notes.files else None,
        )

    def _places(self) -> Iterator[tuple[Sort, Path]]:
        """Yield every path to look at, bounded."""
        count = 0
        homes = [(_KEYS, home) for home in _homes(self._root)]
        for sort, top in [*((sort, self._root) for sort in SORTS), *homes]:
            for pattern in sort.patterns:
                for path in sorted(top.glob(pattern)) if "*" in pattern else (top / pattern,):
                    count += 1
                    if count > _MAX_FILES:
                        return
                    if not any(path.match(one) for one in self._settings.ignore):
                        yield sort, path

    def _changes(
        self,
        before: dict[str, Noted],
        after: dict[str, Noted],
        found: dict[str, tuple[Sort, Noted]],
        now: datetime,
    ) -> Iterator[Finding]:
        by_sort: dict[Sort, list[dict[str, Any]]] = {}
        packaged = self._packages_changed(now)
        for name in sorted(before.keys() | after.keys()):
            old, new = before.get(name), after.get(name)
            if old and new and (old.digest, old.mode, old.uid) == (new.digest, new.mode, new.uid):
                continue
            sort = found[name][0] if name in found else _sort_of(name)
            by_sort.setdefault(sort, []).append(_shown_change(name, old, new, now))
        for sort, changes in by_sort.items():
            severity = sort.severity
            if all(one["change"] == "deleted" for one in changes) or (
                packaged and sort.name in _CAN_BE_PACKAGED
            ):
                severity = "low"
            yield Finding(
                key=f"persistence:{sort.name}",
                klass=CLASS,
                severity_hint=severity,
                target=changes[0]["path"],
                passing=True,
                count=len(changes),
                evidence=changes,
            )

    def _packages_changed(self, now: datetime) -> bool:
        """Say whether the package manager wrote its records a moment ago."""
        for name in _PACKAGES:
            try:
                at = datetime.fromtimestamp((self._root / name).stat().st_mtime, UTC)
            except OSError:
                continue
            if timedelta() <= now - at <= _PACKAGE_TIME:
                return True
        return False


def _homes(root: Path) -> Iterator[Path]:
    """Yield the home folders of passwd, each once."""
    seen: set[str] = set()
    try:
        with (root / "etc/passwd").open("rb") as file:
            text = file.read(_MAX_READ).decode("utf-8", "surrogateescape")
    except OSError:
        return
    for line in text.splitlines():
        fields = line.split(":")
        home = fields[5].strip("/") if len(fields) > 5 else ""
        if home and home not in seen and len(seen) < _MAX_HOMES and "\0" not in home:
            seen.add(home)
            yield root / home


def _note(path: Path, before: Noted | None) -> Noted:
    """Return what a path holds now; a link is its target.

    Raises:
        OSError: it can't be read, or is neither file nor link.
    """
    status = path.lstat()
    stamp = f"{status.st_ino}.{status.st_size}.{status.st_mtime_ns}.{status.st_ctime_ns}"
    if before and before.stamp == stamp:
        return before
    if stat.S_ISLNK(status.st_mode):
        data = b"link: " + os.fsencode(path.readlink())
    elif stat.S_ISREG(status.st_mode):
        # Whoever may write here could put a pipe in its place meanwhile, and have us wait.
        with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:  # noqa: PTH123 - of a descriptor
            data = file.read(_MAX_READ)
    elif stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(21, "a folder", str(path))
    else:
        data = f"special: {stat.S_IFMT(status.st_mode):o}".encode()
    text = data.decode("utf-8", "replace") if len(data) <= _MAX_TEXT and b"\0" not in data else None
    return Noted(stamp, hashlib.sha256(data).hexdigest(), stat.S_IMODE(status.st_mode), status.st_uid, text)


def _shown(path: Path, root: Path) -> str:
    """Return a path as it is told: below the root, what is no UTF-8 escaped."""
    return os.fsencode("/" / path.relative_to(root)).decode("utf-8", "backslashreplace")


def _sort_of(name: str) -> Sort:
    """Return the sort of a path that is gone."""
    path = Path(name)
    for sort in SORTS:
        if any(path.match("/" + pattern) for pattern in sort.patterns):
            return sort
    return _KEYS


def _shown_change(name: str, old: Noted | None, new: Noted | None, now: datetime) -> dict[str, Any]:
    before, after = (old.text if old else ""), (new.text if new else "")
    return {
        "path": name[:1000],
        "change": "created" if old is None else "deleted" if new is None else "modified",
        "at": moment(now),
        "sha256": new.digest if new else None,
        "mode": f"{new.mode:04o}" if new else None,
        "uid": new.uid if new else None,
        "diff": difference(
            before.encode() if before is not None else None, after.encode() if after is not None else None
        ),
    }
