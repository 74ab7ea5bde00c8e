"""Compares a web root with its accepted content, of whatever size both are, in little memory.

    told before      each path again
    accepted content in steps, by path: lstat, same stamp? Else read: changed or gone
    the folders      in steps, as they lie: what is not in the accepted content was created

Neither the accepted content nor the files are ever held together: a root of a million files takes what a step
takes. Of what differs, `TRACKED` paths are named; the rest is counted (`Beyond`), and accepted home pages are
always among the named.
"""

import os
import pwd
import stat
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from ..names import real
from ..textdiff import decoded, difference
from .baseline import Accepted, Baseline
from .hiddenlinks import PAGES, Link, hidden_links
from .tampering import Beyond, Change, Side
from .webroot import WebRoot, read, short, stamp, steady, walk

TRACKED = 2000
_HOME_PAGES = 100
_UNREADABLE = 100
_WALKED_PER_FILE = 10
_FREE_STEPS, _STEP = 20_000, 500
_RESTS_PER_STEP = 9.0

Writers = Callable[[list[str]], dict[str, dict[str, Any]]]
_Item = TypeVar("_Item")


class Look(Struct, frozen=True):
    """What a look found.

    Fields:
        seen: The paths that differ, and those told before that are as accepted again (None).
        unreadable: Path and reason of what could not be read; the last counts what is not named.
        whole: Whether everything was looked at.
        beyond: What differs besides, in what was looked at.
    """

    seen: dict[str, Change | None]
    unreadable: tuple[tuple[str, str], ...]
    whole: bool
    beyond: Beyond


class Comparison:
    """One comparison of a root with what was accepted.

    Args:
        root: The root.
        baseline: Its accepted content; must exist.
        now: The time of the look.
        writers: Says who has files open for writing, by absolute path.
        remember: Whether to note the new stamps of files that were touched and hold what they held.
    """

    def __init__(
        self,
        root: WebRoot,
        baseline: Baseline,
        now: datetime,
        *,
        writers: Writers = lambda _: {},
        remember: bool = True,
    ) -> None:
        self._root = root
        self._top = Path(root.path)
        self._baseline = baseline
        self._now = now
        self._writers = writers
        self._remember = remember
        self._seen: dict[str, Change | None] = {}
        self._beyond = Beyond()
        self._home_pages = 0
        self._unreadable: dict[str, str] = {}
        self._unnamed = 0
        self._fresh: list[tuple[str, str]] = []
        self._steady: dict[str, bool] = {}
        self._reading = 0.0

    def look(self, told: Iterable[str] = (), touched: Iterable[str] | None = None) -> Look:
        """Compare everything, or the `touched` paths and what lies below them.

        Args:
            told: Paths that differed at the last look; they are looked at where they lie in its reach.
            touched: Paths relative to the root; None for all.

        Raises:
            OSError: the baseline can't be read.
        """
        before = frozenset(told)
        reach = [""] if touched is None else _apart(touched)
        again = [path for path in before if _within(path, reach)]
        self._seen = dict.fromkeys(again)
        self._home_pages = sum(map(self._root.is_home, before))
        room = max(0, TRACKED - len(before))
        for step in _steps(again):
            accepted = self._baseline.accepted(step)
            for path in step:
                self._hold(path, None if self._excluded(path) else self._judge(path, accepted.get(path)), 0)
        self._look_at_accepted(reach, before, room - room // 2)
        self._look_for_created(reach, before, room // 2)
        self._restamp()
        if self._unnamed:
            self._unreadable["…"] = f"{self._unnamed} more places could not be read"
        return Look(self._named(), tuple(self._unreadable.items()), touched is None, self._beyond)

    def _look_at_accepted(self, reach: list[str], before: Collection[str], room: int) -> None:
        full = len(self._seen) + room
        rows = (row for place in reach for row in self._baseline.rows(place))
        for step in self._at_ease(rows):
            for accepted in step:
                if accepted.path not in before and not self._excluded(accepted.path):
                    self._hold(accepted.path, self._judge(accepted.path, accepted), full)
            self._restamp()

    def _look_for_created(self, reach: list[str], before: Collection[str], room: int) -> None:
        full = len(self._seen) + room
        most = self._root.max_files
        count = 0
        walked = islice(_files(self._root, reach), _WALKED_PER_FILE * most)
        for step in self._at_ease(walked):
            for path, error in step:
                if error:
                    self._miss(path, error)
            files = [path for path, error in step if not error and path not in before]
            accepted = self._baseline.accepted(files)
            count += len(accepted)
            for path in files:
                if path in accepted:
                    continue
                count += 1
                if count > most:
                    self._miss(path, f"the root has more than max_files = {most} files")
                    return
                self._hold(path, self._judge(path, None), full)

    def _at_ease(self, rows: Iterable[_Item]) -> Iterator[list[_Item]]:
        """Give steps of a long walk with rests between them, so that it takes a tenth of a core and not all.

        Reading what differs is not the walk's time: what was tampered with is to be told soon.
        """
        count = 0
        begun, read = time.thread_time(), self._reading
        for step in _steps(rows):
            yield step
            count += len(step)
            if count > _FREE_STEPS:
                walked = time.thread_time() - begun - (self._reading - read)
                time.sleep(_RESTS_PER_STEP * max(0.0, walked))
            begun, read = time.thread_time(), self._reading

    def _hold(self, path: str, change: Change | None, full: int) -> None:
        """Keep a change by its path while there is room, or count it."""
        if change is None:
            return
        always = change.home_page and (change.old is not None or self._home_pages < _HOME_PAGES)
        if always or path in self._seen or len(self._seen) < full:
            self._home_pages += change.home_page and path not in self._seen
            self._seen[path] = change
            return
        since = min(change.since, self._beyond.since) if self._beyond.since else change.since
        self._beyond = Beyond(self._beyond.count + 1, since)

    def _judge(self, path: str, accepted: Accepted | None) -> Change | None:
        try:
            status = self._status(path)
            if accepted and accepted.stamp == stamp(status):
                return None
        except (FileNotFoundError, NotADirectoryError):
            return self._gone(path, accepted)
        except OSError as error:
            self._miss(path, error.strerror or str(error))
            return None
        begun = time.thread_time()
        try:
            return self._compared(path, status, accepted)
        finally:
            self._reading += time.thread_time() - begun

    def _compared(self, path: str, status: os.stat_result, accepted: Accepted | None) -> Change | None:
        """Read a file that is not as it was noted, and tell how it differs."""
        try:
            digest, text = read(self._top / real(path), status)
        except (FileNotFoundError, NotADirectoryError):
            return self._gone(path, accepted)
        except OSError as error:
            self._miss(path, error.strerror or str(error))
            return None
        if accepted and accepted.sha256 == digest:
            self._fresh.append((path, stamp(status)))
            return None
        before = self._baseline.text(path) if accepted else b""
        return Change(
            path=path,
            change="modified" if accepted else "created",
            home_page=self._root.is_home(path),
            since=min(self._now, datetime.fromtimestamp(status.st_ctime_ns / 1e9, UTC)),
            last_seen=self._now,
            old=Side(accepted.sha256, accepted.size) if accepted else None,
            new=Side(digest, status.st_size),
            owner=_owner(status.st_uid),
            mode=f"{stat.S_IMODE(status.st_mode):04o}",
            diff=difference(before, short(text)),
            links=self._links(path, before, text),
        )

    def _status(self, path: str) -> os.stat_result:
        """Return a file's lstat.

        Raises:
            FileNotFoundError: it is not there, or a folder above it was replaced by a link.
        """
        folder = path.rpartition("/")[0]
        if folder:
            if len(self._steady) > _STEP:
                self._steady.clear()
            if folder not in self._steady:
                self._steady[folder] = steady(self._top, folder)
            if not self._steady[folder]:
                raise FileNotFoundError(path)
        status = (self._top / real(path)).lstat()
        if stat.S_ISDIR(status.st_mode):
            raise FileNotFoundError(path)
        return status

    def _links(self, path: str, before: bytes | None, text: bytes | None) -> list[Link]:
        """Return the hidden links that a page has and had not."""
        if text is None or not PAGES.search(path):
            return []
        own = frozenset(self._root.hosts)
        had = {link.url for link in hidden_links(decoded(before), own)} if before else set()
        return [link for link in hidden_links(decoded(text), own) if link.url not in had]

    def _gone(self, path: str, accepted: Accepted | None) -> Change | None:
        if accepted is None:
            return None
        return Change(
            path=path,
            change="deleted",
            home_page=self._root.is_home(path),
            since=self._removed(path),
            last_seen=self._now,
            old=Side(accepted.sha256, accepted.size),
            new=None,
        )

    def _removed(self, path: str) -> datetime:
        """Return when a file went at the latest: its folder changed then, or the folder above that."""
        for folder in (self._top / real(path)).parents:
            try:
                return min(self._now, datetime.fromtimestamp(folder.stat().st_ctime, UTC))
            except OSError:
                continue
        return self._now

    def _miss(self, path: str, why: str) -> None:
        """Note what could not be read; what lies in a folder that is named need not be."""
        self._seen.pop(path, None)
        if _within(path, self._unreadable):
            return
        if len(self._unreadable) < _UNREADABLE:
            self._unreadable[path] = why
        else:
            self._unnamed += 1

    def _excluded(self, path: str) -> bool:
        """Say whether the settings leave out an accepted path, or a folder above it."""
        return bool(self._root.exclude) and (
            self._root.excludes(path)
            or any(self._root.excludes(above) or self._root.excludes(f"{above}/\0") for above in _above(path))
        )

    def _restamp(self) -> None:
        if self._fresh and self._remember:
            self._baseline.restamp(self._fresh)
        self._fresh.clear()

    def _named(self) -> dict[str, Change | None]:
        """Return what was seen, with who is writing where a file is still open."""
        top = os.path.realpath(self._root.path)
        seen = self._seen
        changed = {f"{top}/{real(path)}": path for path, one in seen.items() if one and one.new}
        if not changed:
            return seen
        writing = {changed[place]: who for place, who in self._writers(list(changed)).items()}
        return {
            path: msgspec.structs.replace(one, process=writing[path]) if one and path in writing else one
            for path, one in seen.items()
        }


def _steps(items: Iterable[_Item]) -> Iterator[list[_Item]]:
    rest = iter(items)
    while step := list(islice(rest, _STEP)):
        yield step


def _above(path: str) -> Iterator[str]:
    """Yield the folders above a path, the nearest first."""
    while path := path.rpartition("/")[0]:
        yield path


def _within(path: str, places: Collection[str]) -> bool:
    return path in places or "" in places or "." in places or any(above in places for above in _above(path))


def _apart(places: Iterable[str]) -> list[str]:
    """Return places without those that lie below another."""
    every = frozenset(places)
    return sorted(path for path in every if not path or every.isdisjoint({*_above(path), ""}))


def _files(root: WebRoot, reach: list[str]) -> Iterator[tuple[str, str]]:
    """Yield what there is of the reach, as `walk` does: files as they are, folders with all below them."""
    for path in reach:
        if path and root.excludes(path):
            continue
        try:
            status = Path(root.path, real(path)).lstat() if path else Path(root.path).stat()
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            yield path or ".", error.strerror or str(error)
            continue
        if stat.S_ISDIR(status.st_mode):
            yield from walk(root, path)
        else:
            yield path, ""


def _owner(uid: int) -> dict[str, Any]:
    try:
        return {"uid": uid, "name": pwd.getpwuid(uid).pw_name}
    except KeyError:
        return {"uid": uid, "name": None}
