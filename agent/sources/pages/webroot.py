"""Reads a web root: which files it has and what they hold; never all of it at once."""

import errno
import hashlib
import io
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatch
from itertools import islice
from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct

from ...bounded import Count
from ..names import real, told
from .baseline import Baseline, Entry
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
    max_files: Count = 100_000
    hosts: tuple[str, ...] = ()
    deploy_windows: tuple[DeployWindow, ...] = ()
    manifest: Annotated[str, Meta(pattern="^(/.*)?$")] = ""
    manifest_key: Annotated[str, Meta(pattern="^([A-Za-z0-9+/]{43}=)?$")] = ""

    def __post_init__(self) -> None:
        """Hold that the path is the same wherever an agent is started, and that a manifest has a key.

        Raises:
            ValueError: it is not, or it has none.
        """
        if not self.path.startswith("/"):
            raise ValueError(f"an absolute path of a web root, not {self.path!r}")
        if bool(self.manifest) != bool(self.manifest_key):
            raise ValueError("manifest and manifest_key together, or neither")

    def excludes(self, path: str) -> bool:
        """Say whether the settings leave this path out."""
        return any(fnmatch(path, pattern) for pattern in self.exclude)

    def is_home(self, path: str) -> bool:
        """Say whether this is the root's home page."""
        return "/" not in path and any(fnmatch(path.lower(), name) for name in self.home_pages)


def walk(root: WebRoot, below: str = "") -> Iterator[tuple[str, str]]:
    """Yield the path of every file below a folder, and an empty text; of a place that can't be read, why.

    Files come as the file system has them and none is remembered, so that a folder may hold any number; the
    folders that wait to be read are remembered and end the walk above `max_files`.
    """
    top = Path(root.path)
    waiting = [below]
    folders = 0
    while waiting:
        folder = waiting.pop()
        try:
            with _scanned(top, folder) as entries:
                for entry in entries:
                    name = told(entry.name)
                    path = f"{folder}/{name}" if folder else name
                    if root.excludes(path):
                        continue
                    if not entry.is_dir(follow_symlinks=False):
                        yield path, ""
                    elif not root.excludes(f"{path}/\0"):
                        folders += 1
                        if folders > root.max_files:
                            yield path, f"the root has more than max_files = {root.max_files} folders"
                            return
                        waiting.append(path)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            yield folder or ".", error.strerror or str(error)


@contextmanager
def _scanned(top: Path, folder: str) -> Iterator[Iterator[os.DirEntry[str]]]:
    """Give what a folder holds.

    Raises:
        FileNotFoundError: it is not there, or was replaced by a link and leads elsewhere.
        OSError: it can't be read.
    """
    place = top / real(folder)
    if folder and not steady(top, folder):
        raise FileNotFoundError(errno.ENOENT, "a link", str(place))
    with os.scandir(place) as entries:
        yield entries


def steady(top: Path, folder: str) -> bool:
    """Say whether a folder lies where its path says: no part of it below the root is a link."""
    return Path(os.path.realpath(top / real(folder))) == Path(os.path.realpath(top), real(folder))


def home_pages(root: WebRoot, baseline: Baseline) -> frozenset[str]:
    """Return the home pages that there are, and those of the settings' names that were accepted.

    Raises:
        OSError: the accepted content can't be read.
    """
    try:
        with os.scandir(root.path) as entries:
            names = [told(entry.name) for entry in islice(entries, root.max_files)]
    except OSError:
        names = []
    there = (name for name in names if root.is_home(name) and not root.excludes(name))
    return frozenset({*there, *baseline.accepted(root.home_pages)})


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
    for path, error in walk(root):
        if count >= root.max_files:
            return
        if error:
            continue
        place = Path(root.path, real(path))
        try:
            status = place.lstat()
            digest, text = read(place, status)
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
