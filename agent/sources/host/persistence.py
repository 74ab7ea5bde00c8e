"""What starts by itself on this host: cron, units, start scripts, keys that open it, preloaded libraries.

    first start   what is there is noted, nothing is told
    a change      told once, with what was added; what is there now is noted in its place
    a restart     the notes are on disk: what changed meanwhile is told then

The notes of a file are its digest, owner and mode, and its text where that is short, so that the report can
show the line that came. What a package manager changed a moment ago is told as less grave; a key, a setting
of PAM or a preloaded library only where the package's own list names it (`packaged`).
"""

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from msgspec import Struct

from ...bounded import Seconds
from ...budget import Budget
from ..port import moment
from ..rounds.matters import Finding
from ..rounds.patrol import Patrol, Round
from ..textdiff import difference
from .packaged import Packages
from .startplaces import Place, Sort, places, sort_named, sort_of

CLASS = "NABACKIMPL"
_MAX_FILES = 4000
_MAX_READ = 1 << 20
_MAX_TEXT = 8192
_PACKAGES = (
    "var/lib/dpkg/status",
    "var/lib/rpm/rpmdb.sqlite",
    "var/lib/rpm/Packages",
    "usr/lib/sysimage/rpm",
)
_PACKAGE_TIME = timedelta(minutes=5)


class PersistenceSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of the persistence source.

    Fields:
        ignore: Paths (patterns) whose change is never told.
    """

    enabled: bool = True
    poll: Seconds = 60.0
    ignore: tuple[str, ...] = ()
    budget: Budget = Budget()


class Noted(Struct, frozen=True):
    """A file as it was; `stamp` spares reading it again, `text` is kept where it is short."""

    stamp: str
    digest: str
    mode: int
    uid: int
    text: str | None = None

    @property
    def changed(self) -> float:
        """When its inode was changed, in seconds since 1970."""
        return int(self.stamp.rpartition(".")[2]) / 1e9


class Baseline(Struct, frozen=True):
    """Every file by its path; `taken` is false before the first look.

    `later` is false where the places that came later to the table were not looked at.
    """

    taken: bool = False
    files: dict[str, Noted] = {}
    later: bool = False


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
        return sorted({place.path.parent for place in self._places() if place.path.parent.is_dir()})

    def look(self, now: datetime, notes: Baseline, *, alone: bool) -> Round:
        """Compare what starts by itself with what was noted."""
        if alone and not notes.taken:
            return Round(
                unreadable=(("baseline", "none yet; `fengsui-agent run` takes it at its first start"),)
            )
        found: dict[str, tuple[Sort, Noted]] = {}
        unreadable: list[tuple[str, str]] = []
        learned: dict[str, Noted] = {}
        count = 0
        for place in self._places():
            count += 1
            name = _shown(place.path, self._root)
            try:
                found[name] = (place.sort, _note(place.path, notes.files.get(name)))
                if place.later and not notes.later and name not in notes.files:
                    learned[name] = found[name][1]
            except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
                continue
            except OSError as error:
                unreadable.append((name, error.strerror or str(error)))
        files = {name: noted for name, (_, noted) in found.items()}
        files |= {name: notes.files[name] for name, _ in unreadable if name in notes.files}
        if count >= _MAX_FILES:
            unreadable.append(("files", f"more than {_MAX_FILES}; the rest is not compared"))
        return Round(
            findings=tuple(self._changes(notes.files | learned, files, found, now)) if notes.taken else (),
            unreadable=tuple(unreadable),
            notes=after if (after := Baseline(True, files, True)) != notes else None,
        )

    def _places(self) -> Iterator[Place]:
        """Yield every path to look at, bounded."""
        for place in islice(places(self._root), _MAX_FILES):
            if not any(place.path.match(one) for one in self._settings.ignore):
                yield place

    def _changes(
        self,
        before: dict[str, Noted],
        after: dict[str, Noted],
        found: dict[str, tuple[Sort, Noted]],
        now: datetime,
    ) -> Iterator[Finding]:
        by_sort: dict[Sort, list[tuple[bool, dict[str, Any]]]] = {}
        packaged = self._packages_changed(now)
        packages = Packages(self._root)
        for name in sorted(before.keys() | after.keys()):
            old, new = before.get(name), after.get(name)
            if old and new and (old.digest, old.mode, old.uid) == (new.digest, new.mode, new.uid):
                continue
            sort = found[name][0] if name in found else sort_of(name)
            soon = packaged and sort.packaged and not (sort.named and packages.known)
            mild = new is None or soon or packages.brought(name, new.changed)
            by_sort.setdefault(sort_named(sort.name), []).append((mild, _shown_change(name, old, new, now)))
        for sort, those in by_sort.items():
            changes = [change for _, change in those]
            severity = "low" if all(mild for mild, _ in those) else sort.severity
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
