"""Reads a web root: which files it has, what they hold, and what differs from the accepted content."""

import errno
import hashlib
import io
import os
import pwd
import stat
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from fnmatch import fnmatch
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from .baseline import Baseline, Entry
from .hiddenlinks import PAGES, Link, hidden_links
from .names import real, told
from .tampering import Change, Side
from .textdiff import decoded, difference
from .windows import DeployWindow

MAX_TEXT = 64 * 1024
HOME_PAGES = (
    "index.html",
    "index.htm",
    "index.shtml",
    "index.php",
    "index.jsp",
    "index.jspx",
    "index.asp",
    "index.aspx",
    "default.html",
    "default.htm",
    "default.asp",
    "default.aspx",
    "home.html",
)
_BLOCK = 1 << 20
_WALKED_PER_FILE = 10
_FREE_STEPS, _STEP = 20_000, 1000
_RESTS_PER_STEP = 9.0


class WebRoot(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A folder whose content counts.

    Fields:
        path: Its absolute path; it may be a symbolic link, as deployments use it.
        exclude: Patterns of paths below it that change by themselves (`uploads/*`, `*.log`).
        home_pages: Names (or patterns) of home pages in the root itself.
        deploy_windows: When changes are expected: they are told when the window closes, if they still differ.
        manifest: The file in which a deployment says, signed, what it brings; empty: none does.
        manifest_key: Whose word counts: an Ed25519 public key, 32 bytes in base64.
        hosts: Names of the site itself, to which a folded menu may lead.
        max_files: Above this many files the rest is left out, and named.
    """

    path: str
    exclude: tuple[str, ...] = ()
    home_pages: tuple[str, ...] = HOME_PAGES
    max_files: int = 100_000
    hosts: tuple[str, ...] = ()
    deploy_windows: tuple[DeployWindow, ...] = ()
    manifest: Annotated[str, Meta(pattern="^(/.*)?$")] = ""
    manifest_key: Annotated[str, Meta(pattern="^([A-Za-z0-9+/]{43}=)?$")] = ""

    def __post_init__(self) -> None:
        """Hold that a manifest has a key.

        Raises:
            ValueError: it has none.
        """
        if bool(self.manifest) != bool(self.manifest_key):
            raise ValueError("manifest and manifest_key together, or neither")

    def excludes(self, path: str) -> bool:
        """Say whether the settings leave this path out."""
        return any(fnmatch(path, pattern) for pattern in self.exclude)

    def is_home(self, path: str) -> bool:
        """Say whether this is the root's home page."""
        return "/" not in path and any(fnmatch(path.lower(), name) for name in self.home_pages)


class Look(Struct, frozen=True):
    """What a look found: every path looked at (None: as accepted), and what could not be read."""

    seen: dict[str, Change | None]
    unreadable: tuple[tuple[str, str], ...]


def walk(root: WebRoot, below: str = "") -> Iterator[tuple[str, os.stat_result | None, str]]:
    """Yield path, lstat and error of every file below a folder; folders are yielded only with an error."""
    top = Path(root.path)
    waiting = [below]
    while waiting:
        folder = waiting.pop()
        try:
            names = _names(top, folder)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            yield folder or ".", None, error.strerror or str(error)
            continue
        for entry in names:
            name = told(entry.name)
            path = f"{folder}/{name}" if folder else name
            if root.excludes(path):
                continue
            if entry.is_dir(follow_symlinks=False):
                if not root.excludes(f"{path}/\0"):
                    waiting.append(path)
            else:
                try:
                    yield path, entry.stat(follow_symlinks=False), ""
                except FileNotFoundError:
                    continue


def _names(top: Path, folder: str) -> list[os.DirEntry[str]]:
    """Return what a folder holds; one that was replaced by a link leads elsewhere and holds nothing."""
    place = top / real(folder)
    if folder and Path(os.path.realpath(place)) != Path(os.path.realpath(top), real(folder)):
        raise FileNotFoundError(errno.ENOENT, "a link", str(place))
    with os.scandir(place) as found:
        return sorted(found, key=lambda entry: entry.name)


def stamp(status: os.stat_result) -> str:
    """Return what tells cheaply that a file was not touched; `ctime` can't be set by a program."""
    return f"{status.st_ino}.{status.st_size}.{status.st_mtime_ns}.{status.st_ctime_ns}"


def read(path: Path, status: os.stat_result) -> tuple[str, bytes | None]:
    """Return the SHA-256 of a file and its content where it is a text of a page's size; a link is its target.

    Raises:
        OSError: it can't be read, or is neither file nor link.
    """
    if stat.S_ISLNK(status.st_mode):
        target = os.fsencode(path.readlink())
        return hashlib.sha256(b"link:" + target).hexdigest(), b"link: " + target
    if not stat.S_ISREG(status.st_mode):
        return hashlib.sha256(f"special:{stat.S_IFMT(status.st_mode)}".encode()).hexdigest(), None
    digest = hashlib.sha256()
    head = b""
    with _opened(path, status) as file:
        while block := file.read(_BLOCK):
            head = head or block
            digest.update(block)
    return digest.hexdigest(), head if status.st_size <= _BLOCK and b"\0" not in head else None


def short(text: bytes | None) -> bytes | None:
    """Return a text that is short enough to be kept and compared by lines."""
    return text if text is not None and len(text) <= MAX_TEXT else None


@contextmanager
def _opened(path: Path, status: os.stat_result) -> Iterator[io.FileIO]:
    """Open the very file that was looked at.

    Whoever may write below the root could put a link to /etc/shadow in its place meanwhile, and have us
    quote it; or a pipe, and have us wait.
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    with open(os.open(path, flags), "rb", buffering=0) as file:  # noqa: PTH123 - of a descriptor
        now = os.fstat(file.fileno())
        if (now.st_dev, now.st_ino) != (status.st_dev, status.st_ino):
            raise FileNotFoundError(errno.ENOENT, "replaced while it was looked at", str(path))
        yield file


def contents(root: WebRoot) -> Iterator[Entry]:
    """Yield every file of the root as it is now; what can't be read is left out."""
    count = 0
    for path, status, _ in walk(root):
        if count >= root.max_files:
            return
        if status is None:
            continue
        try:
            digest, text = read(Path(root.path, real(path)), status)
        except OSError:
            continue
        count += 1
        yield Entry(path, digest, status.st_size, stamp(status), short(text))


def accept(root: WebRoot, state: Path) -> int:
    """Take what the root holds now for its accepted content: a person's act. Return the number of files.

    Raises:
        OSError: the root is no folder that can be read.
    """
    os.scandir(root.path).close()
    return Baseline(Path(root.path), state).accept(contents(root))


_Row = tuple[str, os.stat_result | None, str]
Writers = Callable[[list[str]], dict[str, dict[str, Any]]]


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
        self._baseline = baseline
        self._now = now
        self._writers = writers
        self._remember = remember
        self._unreadable: dict[str, str] = {}
        self._full = False
        self._fresh: list[tuple[str, str]] = []

    def look(self, told: Iterable[str] = (), touched: Iterable[str] | None = None) -> Look:
        """Compare everything, or the `touched` paths and what lies below them.

        Args:
            told: Paths that differed at the last look; they are looked at where they lie in its reach.
            touched: Paths relative to the root; None for all.

        Raises:
            OSError: the baseline can't be read.
        """
        reach = None if touched is None else set(touched)
        known = self._baseline.entries(reach)
        seen = {
            path: self._judge(path, status, known.get(path)) for path, status in self._found(reach, known)
        }
        for path in {*known, *(path for path in told if reach is None or _within(path, reach))} - seen.keys():
            if not _within(path, self._unreadable.keys()):
                seen[path] = self._gone(path, known.get(path))
        if self._fresh and self._remember:
            self._baseline.restamp(self._fresh)
        readable = {path: change for path, change in seen.items() if path not in self._unreadable}
        return Look(self._named(readable), tuple(sorted(self._unreadable.items())))

    def _found(
        self, reach: set[str] | None, known: dict[str, tuple[str, int, str]]
    ) -> Iterator[tuple[str, os.stat_result]]:
        """Yield each file once, as the walk comes to it: of a million, no second is kept in memory."""
        found: set[str] = set()
        most = self._root.max_files
        for count, (path, status, error) in enumerate(_at_ease(_places(self._root, reach)), 1):
            if status is None:
                self._unreadable[path] = error
            elif path in found:
                continue
            elif path in known or len(found) < most:
                found.add(path)
                yield path, status
            elif not self._full:
                self._full = True
                self._unreadable[path] = f"the root has more than max_files = {most} files"
            if count >= _WALKED_PER_FILE * most:
                yield from self._not_come_to(known.keys() - found)
                break

    def _not_come_to(self, paths: Iterable[str]) -> Iterator[tuple[str, os.stat_result]]:
        """Yield accepted files that the walk did not come to: a flood of others must not hide them."""
        for path in paths:
            with suppress(OSError):
                yield path, Path(self._root.path, real(path)).lstat()

    def _judge(
        self, path: str, status: os.stat_result, accepted: tuple[str, int, str] | None
    ) -> Change | None:
        mark = stamp(status)
        if accepted and accepted[2] == mark:
            return None
        try:
            digest, text = read(Path(self._root.path, real(path)), status)
        except FileNotFoundError:
            return self._gone(path, accepted)
        except OSError as error:
            self._unreadable[path] = error.strerror or str(error)
            return None
        if accepted and accepted[0] == digest:
            self._fresh.append((path, mark))
            return None
        before = self._baseline.text(path) if accepted else b""
        return Change(
            path=path,
            change="modified" if accepted else "created",
            home_page=self._root.is_home(path),
            since=min(self._now, datetime.fromtimestamp(status.st_ctime_ns / 1e9, UTC)),
            last_seen=self._now,
            old=Side(accepted[0], accepted[1]) if accepted else None,
            new=Side(digest, status.st_size),
            owner=_owner(status.st_uid),
            mode=f"{stat.S_IMODE(status.st_mode):04o}",
            diff=difference(before, short(text)),
            links=self._links(path, before, text),
        )

    def _links(self, path: str, before: bytes | None, text: bytes | None) -> list[Link]:
        """Return the hidden links that a page has and had not."""
        if text is None or not PAGES.search(path):
            return []
        own = frozenset(self._root.hosts)
        had = {link.url for link in hidden_links(decoded(before), own)} if before else set()
        return [link for link in hidden_links(decoded(text), own) if link.url not in had]

    def _gone(self, path: str, accepted: tuple[str, int, str] | None) -> Change | None:
        if accepted is None:
            return None
        return Change(
            path=path,
            change="deleted",
            home_page=self._root.is_home(path),
            since=self._removed(path),
            last_seen=self._now,
            old=Side(accepted[0], accepted[1]),
            new=None,
        )

    def _removed(self, path: str) -> datetime:
        """Return when a file went at the latest: its folder changed then, or the folder above that."""
        for folder in Path(self._root.path, real(path)).parents:
            try:
                return min(self._now, datetime.fromtimestamp(folder.stat().st_ctime, UTC))
            except OSError:
                continue
        return self._now

    def _named(self, seen: dict[str, Change | None]) -> dict[str, Change | None]:
        """Add who is writing, where a file is still open."""
        top = os.path.realpath(self._root.path)
        changed = {f"{top}/{real(path)}": path for path, one in seen.items() if one and one.new}
        if not changed:
            return seen
        writing = {changed[place]: who for place, who in self._writers(list(changed)).items()}
        return {
            path: msgspec.structs.replace(one, process=writing[path]) if one and path in writing else one
            for path, one in seen.items()
        }


def _at_ease(rows: Iterator[_Row]) -> Iterator[_Row]:
    """Rest between the steps of a long walk, so that it takes a tenth of a core and not all of it."""
    count = 0
    while True:
        begun = time.thread_time()
        step = list(islice(rows, _STEP))  # taken at once: what is done with a row is not the walk's time
        count += len(step)
        if not step:
            return
        if count > _FREE_STEPS:
            time.sleep(_RESTS_PER_STEP * (time.thread_time() - begun))
        yield from step


def _within(path: str, places: Iterable[str]) -> bool:
    return any(path == place or place in {"", "."} or path.startswith(f"{place}/") for place in places)


def _places(root: WebRoot, reach: set[str] | None) -> Iterator[tuple[str, os.stat_result | None, str]]:
    """Yield what there is of the reach: files as they are, folders with all below them."""
    for path in {""} if reach is None else reach:
        if path and root.excludes(path):
            continue
        try:
            status = Path(root.path, real(path)).lstat() if path else Path(root.path).stat()
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            yield path or ".", None, error.strerror or str(error)
            continue
        if stat.S_ISDIR(status.st_mode):
            yield from walk(root, path)
        else:
            yield path, status, ""


def _owner(uid: int) -> dict[str, Any]:
    try:
        return {"uid": uid, "name": pwd.getpwuid(uid).pw_name}
    except KeyError:
        return {"uid": uid, "name": None}
