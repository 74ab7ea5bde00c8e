r"""Where what starts by itself lies on a host, by sorts: cron, units, start scripts, keys, loaded libraries.

A pattern lies below the root, those of `HOMES` below every home. sshd may read keys elsewhere: where, its
settings say (`AuthorizedKeysFile`, sshd_config(5)).

>>> key_files("AuthorizedKeysFile .ssh/authorized_keys /etc/ssh/keys/%u\n")
KeyFiles(anywhere=('etc/ssh/keys/*',), homes=())
"""

import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Literal, NamedTuple

_MAX_READ = 1 << 20
_MAX_HOMES = 500
_MAX_SETTINGS = 50
_MAX_KEY_FILES = 20
Severity = Literal["low", "medium", "high"]


class Sort(NamedTuple):
    """A sort of persistence: where it lies, and how grave a change is.

    `packaged`: what changes while packages are installed is less grave; with `named` only what their lists
    name, where they have lists. `later`: patterns that came to this table after hosts had been noted by it:
    what notes without them miss there is no news.
    """

    name: str
    severity: Severity
    patterns: tuple[str, ...]
    packaged: bool = False
    named: bool = False
    later: tuple[str, ...] = ()


class Place(NamedTuple):
    """A path to look at."""

    sort: Sort
    path: Path
    later: bool


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
        packaged=True,
        later=("var/spool/cron/atjobs/[!.]*",),
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
        packaged=True,
        later=(
            "etc/systemd/system-generators/*",
            "usr/lib/systemd/system/*",
            "usr/lib/systemd/system/*.d/*",
            "usr/lib/systemd/user/*",
            "lib/systemd/system/*",
            "lib/systemd/system/*.d/*",
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
        packaged=True,
        later=(
            "etc/rc.d/rc.local",
            "etc/rc.d/init.d/*",
            "etc/bashrc",
            "etc/zsh/*",
            "etc/update-motd.d/*",
            "etc/udev/rules.d/*",
            "usr/lib/udev/rules.d/*",
            "lib/udev/rules.d/*",
            "etc/xdg/autostart/*",
            "etc/NetworkManager/dispatcher.d/*",
            "etc/network/if-up.d/*",
        ),
    ),
    Sort("preload", "high", ("etc/ld.so.preload", "etc/ld.so.conf", "etc/ld.so.conf.d/*")),
    Sort("pam", "high", ("etc/pam.d/*", "etc/security/pam_env.conf")),
    Sort(
        "modules",
        "high",
        (),
        packaged=True,
        named=True,
        later=(
            "usr/lib/security/*.so",
            "usr/lib64/security/*.so",
            "usr/lib/*/security/*.so",
            "lib/security/*.so",
            "lib64/security/*.so",
            "lib/*/security/*.so",
        ),
    ),
    Sort("sshd", "medium", (), packaged=True, later=("etc/ssh/sshd_config", "etc/ssh/sshd_config.d/*")),
)
KEYS = Sort("keys", "high", (".ssh/authorized_keys", ".ssh/authorized_keys2", ".ssh/rc"))
_UNITS_OF_USERS = Sort("systemd", "medium", (), later=(".config/systemd/user/*", ".config/systemd/user/*/*"))
HOMES = (KEYS, _UNITS_OF_USERS)
_SSHD = ("etc/ssh/sshd_config", "etc/ssh/sshd_config.d/*.conf")
_KEY_FILE = re.compile(
    r"^[ \t]*AuthorizedKeysFile(?:[ \t]*=[ \t]*|[ \t]+)([^#\n]+)", re.IGNORECASE | re.MULTILINE
)
_TOKEN = re.compile(r"%[%A-Za-z]")


class KeyFiles(NamedTuple):
    """Patterns of files with keys besides the usual ones: below the root, and below each home."""

    anywhere: tuple[str, ...]
    homes: tuple[str, ...]


def key_files(settings: str) -> KeyFiles:
    """Return where sshd's settings say that keys are."""
    anywhere: dict[str, None] = {}
    homes: dict[str, None] = {}
    for match in islice(_KEY_FILE.finditer(settings), _MAX_KEY_FILES):
        for word in match[1].replace('"', "").split()[:_MAX_KEY_FILES]:
            named = word.removeprefix("%h/")
            pattern = _TOKEN.sub("*", re.sub(r"([\[?*])", r"[\1]", named)).lstrip("/")
            if named.startswith("/"):
                anywhere[pattern] = None
            elif pattern not in KEYS.patterns and named != "none":
                homes[pattern] = None
    return KeyFiles(tuple(anywhere), tuple(homes))


def places(root: Path) -> Iterator[Place]:
    """Yield every path of the table that is there, or might be; of some files a host has not, too."""
    keys = key_files("\n".join(_settings_of_sshd(root)))
    below_root = (*SORTS, Sort("keys", "high", (), later=keys.anywhere))
    below_homes = (*HOMES, Sort("keys", "high", (), later=keys.homes))
    tops = [(sort, root) for sort in below_root]
    tops += [(sort, home) for home in _homes(root) for sort in below_homes]
    for sort, top in tops:
        for pattern in (*sort.patterns, *sort.later):
            first = pattern.partition("/")[0]
            if first.startswith("lib") and (top / first).is_symlink():
                continue  # the same as below /usr
            later = pattern in sort.later
            found = sorted(top.glob(pattern)) if "*" in pattern or "[" in pattern else (top / pattern,)
            yield from (Place(sort, path, later) for path in found)


def sort_named(name: str) -> Sort:
    """Return the sort of that name: keys, and units, lie in more places than one."""
    return next((sort for sort in (*SORTS, KEYS) if sort.name == name), KEYS)


def sort_of(name: str) -> Sort:
    """Return the sort of a path that is gone."""
    path = Path(name)
    for sort in SORTS:
        if any(path.match("/" + pattern) for pattern in (*sort.patterns, *sort.later)):
            return sort
    return _UNITS_OF_USERS if any(path.match(pattern) for pattern in _UNITS_OF_USERS.later) else KEYS


def _settings_of_sshd(root: Path) -> Iterator[str]:
    found = (path for pattern in _SSHD for path in sorted(root.glob(pattern)))
    for path in islice(found, _MAX_SETTINGS):
        try:
            if path.is_file():
                with path.open("rb") as file:
                    yield file.read(_MAX_READ).decode("utf-8", "replace")
        except OSError:  # told where it is compared
            continue


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
