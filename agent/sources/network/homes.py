"""Proxies that people set for themselves, in their homes: the setting alone, and nothing else of theirs.

    shells, PAM, environment.d    http_proxy=...
    GNOME (dconf)                 /system/proxy/, where its mode is in force (`dconf.py`)
    KDE                           kioslaverc
    Firefox, Chromium and kin     prefs.js, Preferences

A home belongs to its user, who may put anything there: only regular files are opened, without waiting and
without following a link in the file's own place, up to a bounded size. Homes on a network are left out, for
one that hangs would blind the source. A file that has not changed is not read again. What users write is met
by patterns that take a time in proportion to its length.
"""

import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from . import dconf

Setting = tuple[str, str]
_ASSIGNMENT = re.compile(
    r"""^[ \t]*(?:(?:export|set[ ]-gx)[ ]+)?(\w*_proxy)(?:=|[ \t]+(?:DEFAULT=)?)["']?([^"'\s;#]+)""",
    re.IGNORECASE | re.MULTILINE,
)
_KIO = re.compile(r"^(Proxy Config Script|httpProxy|httpsProxy|socksProxy)=(\S+)(?:[ ](\d+))?", re.MULTILINE)
_KIO_MODE = re.compile(r"^ProxyType=([1-4])", re.MULTILINE)
_FIREFOX = re.compile(r"""^user_pref\("network\.proxy\.(\w+)",[ ]*"?([^")\n]*)"?\);""", re.MULTILINE)
_CHROMIUM = re.compile(r'"proxy":\{([^{}]{0,4096})\}')
_CHROMIUM_VALUE = re.compile(r'"(mode|pac_url|server)":"([^"]*)"')
_MAX_BYTES = 1024 * 1024
_MAX_HOMES, _MAX_IN_A_HOME = 64, 16
_FIRST_PERSON = 1000
_NETWORKS = frozenset({"nfs", "nfs4", "cifs", "smb3", "9p", "afs", "autofs", "ceph", "glusterfs", "lustre"})


def _variables(data: bytes) -> list[Setting]:
    return [(name.lower(), value) for name, value in _ASSIGNMENT.findall(_text(data))]


def _kde(data: bytes) -> list[Setting]:
    text = _text(data)
    if not _KIO_MODE.search(text):
        return []
    rows = _KIO.findall(text)
    return [
        ("pac" if name.startswith("Proxy") else name.lower(), f"{value}:{port}" if port else value)
        for name, value, port in rows
    ]


def _gnome(data: bytes) -> list[Setting]:
    try:
        return dconf.told(dconf.proxy(data))
    except dconf.DconfError:
        return []


def _firefox(data: bytes) -> list[Setting]:
    """Read type 1 (by hand) and 2 (a script)."""
    said = dict(_FIREFOX.findall(_text(data)))
    if said.get("type") == "2":
        return [("pac", said["autoconfig_url"])] if said.get("autoconfig_url") else []
    if said.get("type") != "1":
        return []
    ways = ("http", "ssl", "socks")
    return [(way, f"{said[way]}:{said.get(f'{way}_port', '0')}") for way in ways if said.get(way)]


def _chromium(data: bytes) -> list[Setting]:
    found = []
    for inside in _CHROMIUM.findall(_text(data)):
        said = dict(_CHROMIUM_VALUE.findall(inside))
        if said.get("mode") == "pac_script" and said.get("pac_url"):
            found.append(("pac", said["pac_url"]))
        elif said.get("mode") == "fixed_servers" and said.get("server"):
            found.append(("server", said["server"]))
    return found


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


_READERS: tuple[tuple[str, Callable[[bytes], list[Setting]]], ...] = (
    (".pam_environment", _variables),
    (".profile", _variables),
    (".bashrc", _variables),
    (".bash_profile", _variables),
    (".zshrc", _variables),
    (".zshenv", _variables),
    (".config/environment.d/*.conf", _variables),
    (".config/fish/config.fish", _variables),
    (".config/dconf/user", _gnome),
    (".config/kioslaverc", _kde),
    (".mozilla/firefox/*/prefs.js", _firefox),
    (".config/chromium/*/Preferences", _chromium),
    (".config/google-chrome/*/Preferences", _chromium),
    (".config/microsoft-edge/*/Preferences", _chromium),
)
FOLDERS = ("", ".config", ".config/dconf", ".config/environment.d")
NAMES = frozenset(
    {"user", "kioslaverc", *(name for name, _ in _READERS if name.startswith(".") and "/" not in name)}
)


def homes(root: Path) -> list[Path]:
    """Return the homes of root and of people that are on this host's own disks, 64 at most."""
    away = _networks(root)
    found: dict[Path, None] = {}
    for line in _lines(root / "etc/passwd"):
        fields = line.split(":")
        if len(fields) < 7 or not fields[2].isdigit() or not fields[5].startswith("/"):
            continue
        home = root / fields[5].lstrip("/")
        if int(fields[2]) and (int(fields[2]) < _FIRST_PERSON or home == root):
            continue
        if not any(Path(fields[5]).is_relative_to(place) for place in away):
            found[home] = None
    return list(found)[:_MAX_HOMES]


def _networks(root: Path) -> set[str]:
    """Return where file systems of other hosts are mounted; what is asked of them may never be answered."""
    rows = [line.split() for line in _lines(root / "proc/self/mounts")]
    return {row[1] for row in rows if len(row) > 2 and (row[2] in _NETWORKS or row[2].startswith("fuse."))}


def _lines(path: Path) -> list[str]:
    with suppress(OSError), path.open("rb") as file:
        return file.read(_MAX_BYTES).decode("utf-8", "replace").splitlines()
    return []


class _Known(Struct, frozen=True):
    signature: tuple[int, int, int]
    settings: list[Setting]


class Homes:
    """Reads the proxies of all homes, and remembers files that have not changed.

    Attributes:
        closed: How many homes may not be looked into.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._known: dict[Path, _Known] = {}
        self.closed = 0

    def proxies(self) -> list[tuple[str, str, str]]:
        """Return name, value and file of each setting."""
        known, self._known = self._known, {}
        rows = []
        there = [home for home in homes(self._root) if _is_there(home)]
        self.closed = sum(not os.access(home, os.R_OK | os.X_OK) for home in there)
        for home in there:
            for path, read in _files(home):
                found = _look(path, read, known.get(path))
                if found:
                    self._known[path] = found
                    source = f"/{path.relative_to(self._root)}"
                    rows += [(name, value, source) for name, value in found.settings[:_MAX_IN_A_HOME]]
        return rows


def _is_there(home: Path) -> bool:
    """Whether a home is there; one behind a folder that we may not enter is, as far as we know."""
    try:
        return home.exists()
    except OSError:
        return True


def _files(home: Path) -> Iterator[tuple[Path, Callable[[bytes], list[Setting]]]]:
    for name, read in _READERS:
        paths: Iterable[Path] = (home / name,)
        if "*" in name:
            with suppress(OSError):
                paths = sorted(home.glob(name))[:_MAX_IN_A_HOME]
        for path in paths:
            yield path, read


def _look(path: Path, read: Callable[[bytes], list[Setting]], known: _Known | None) -> _Known | None:
    """Return what a file says; None where there is none that may be read."""
    try:
        seen = path.lstat()
        signature = (seen.st_ino, seen.st_size, seen.st_mtime_ns)
        if not stat.S_ISREG(seen.st_mode):
            return None
        if known and known.signature == signature:
            return known
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as file:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                return None
            return _Known(signature, read(file.read(_MAX_BYTES)))
    except OSError:
        return None
