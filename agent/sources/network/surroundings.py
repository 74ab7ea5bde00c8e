"""Resolvers, proxies and forwarding: the ways out that stand in files instead of routing tables."""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

_RESOLVERS = ("etc/resolv.conf", "run/systemd/resolve/resolv.conf", "run/NetworkManager/no-stub-resolv.conf")
_PROXY_NAME = re.compile(r"(?:https?|ftp|all|socks|no|auto)_proxy", re.IGNORECASE)
# Within a line alone: blanks that may go over lines are tried from every line anew, a time by squares.
_ASSIGNMENT = re.compile(
    r"""^[ \t]*(?:export[ \t]+)?(\w+_proxy)[ \t]*=[ \t]*["']?([^"'\s;#]+)""", re.IGNORECASE | re.MULTILINE
)
_APT = re.compile(r"""^[ \t]*Acquire::(\w+)::Proxy[ \t]+"([^"\n]+)"[ \t]*;""", re.IGNORECASE | re.MULTILINE)
_YUM = re.compile(r"^[ \t]*(proxy)[ \t]*=[ \t]*(\S+)", re.MULTILINE)
_VARIABLES = ("etc/environment", "etc/profile", "etc/profile.d/*.sh", "etc/environment.d/*.conf")
_PAC_FILES = (
    "etc/dconf/db/local.d/*",
    "etc/xdg/kioslaverc",
    "etc/chromium/policies/managed/*.json",
    "etc/opt/chrome/policies/managed/*.json",
    "etc/opt/edge/policies/managed/*.json",
    "etc/brave/policies/managed/*.json",
    "etc/firefox/policies/policies.json",
    "usr/lib/firefox/distribution/policies.json",
)
# GNOME, KDE, Chromium and Firefox: each writes the address of its proxy script in its own way.
_PAC = re.compile(
    r"""["']?(autoconfig-url|Proxy Config Script|ProxyPacUrl|AutoConfigURL)["']?\s*[=:]\s*["']?([^"'\s,}]+)"""
)
# The same files may name the proxy itself.
_POLICY = re.compile(r"""["'](ProxyServer|HTTPProxy|SSLProxy|SOCKSProxy)["']\s*:\s*["']([^"'\s]+)["']""")
_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]*@")
_MAX_BYTES = 256 * 1024
_MAX_FILES = 64
_MAX_RESOLVERS, _MAX_ADDRESS = 64, 256


def read_text(path: Path, limit: int = _MAX_BYTES) -> str | None:
    """Return the head of a text file, None where there is no such file.

    Raises:
        OSError: it is there and can't be read.
    """
    try:
        with path.open("rb") as file:
            return file.read(limit).decode("utf-8", "replace")
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None


def resolvers(root: Path) -> list[dict[str, Any]]:
    """Return the name servers in use: `[{address, source}]`.

    Raises:
        OSError: a file is there and can't be read.
    """
    found: dict[str, dict[str, Any]] = {}
    for name in _RESOLVERS:
        for line in (read_text(root / name) or "").splitlines():
            words = line.split()
            if len(words) > 1 and words[0] == "nameserver" and len(found) < _MAX_RESOLVERS:
                address = words[1][:_MAX_ADDRESS]
                found.setdefault(address, {"address": address, "source": f"/{name}"})
    return list(found.values())


def proxies(
    root: Path, environment: Mapping[str, str], homes: Iterable[tuple[str, str, str]] = ()
) -> list[dict[str, str]]:
    """Return proxy settings, without their credentials: `[{name, value, source}]`.

    `homes` are those that people set for themselves: name, value and file.

    Raises:
        OSError: a file is there and can't be read.
    """
    found = [
        (name.lower(), value, "environment")
        for name, value in sorted(environment.items())
        if value and _PROXY_NAME.fullmatch(name)
    ]
    found += _in_files(root, _VARIABLES, _ASSIGNMENT)
    found += _in_files(root, ("etc/apt/apt.conf", "etc/apt/apt.conf.d/*"), _APT)
    found += _in_files(root, ("etc/yum.conf", "etc/dnf/dnf.conf"), _YUM)
    found += [("pac", value, source) for _, value, source in _in_files(root, _PAC_FILES, _PAC)]
    found += _in_files(root, _PAC_FILES, _POLICY)
    found += homes
    return [
        {"name": name, "value": _CREDENTIALS.sub("", value)[:512], "source": source}
        for name, value, source in found
    ]


def _in_files(
    root: Path, patterns: tuple[str, ...], pattern: re.Pattern[str]
) -> Iterator[tuple[str, str, str]]:
    for glob in patterns:
        for path in sorted(root.glob(glob))[:_MAX_FILES]:
            for name, value in pattern.findall(read_text(path) or ""):
                yield name.lower(), value, f"/{path.relative_to(root)}"


def forwarding(root: Path) -> dict[str, Any]:
    """Return whether the host passes packets on: `{ipv4, ipv6, interfaces: [those that do]}`."""
    interfaces: set[str] = set()
    whole: dict[str, bool] = {}
    for family in ("ipv4", "ipv6"):
        place = root / "proc/sys/net" / family / "conf"
        on = {path.parent.name for path in place.glob("*/forwarding") if _is_on(path)}
        whole[family] = "all" in on
        interfaces |= on - {"all", "default"}
    return {"ipv4": whole["ipv4"], "ipv6": whole["ipv6"], "interfaces": sorted(interfaces)}


def _is_on(path: Path) -> bool:
    try:
        return path.read_text("ascii", "replace").strip() not in {"0", ""}
    except OSError:
        return False
