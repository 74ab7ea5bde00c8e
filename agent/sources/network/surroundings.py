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
_ALL = "all"
_NO_LINKS = {_ALL, "default"}


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
    """Return whether the host passes packets on: `{ipv4, ipv6, interfaces, ipv4_links, ipv6_links}`.

    `ipv4` and `ipv6` are the switches of all links, `interfaces` those with one of their own. Which of them
    decides differs (ip-sysctl of the kernel's documentation), and the last two say it: of IPv4 the switch of
    the link on which a packet comes, whatever that of all says; of IPv6 that of all, unless a link is forced.
    """
    ipv4, ipv6 = (_switched_on(root, family, "forwarding") for family in ("ipv4", "ipv6"))
    return {
        "ipv4": _ALL in ipv4,
        "ipv6": _ALL in ipv6,
        "interfaces": sorted((ipv4 | ipv6) - _NO_LINKS),
        "ipv4_links": sorted(ipv4 - _NO_LINKS),
        "ipv6_links": sorted(_switched_on(root, "ipv6", "force_forwarding") - _NO_LINKS),
    }


def _switched_on(root: Path, family: str, switch: str) -> set[str]:
    places = (root / "proc/sys/net" / family / "conf").glob(f"*/{switch}")
    return {place.parent.name for place in places if _is_on(place)}


def _is_on(path: Path) -> bool:
    try:
        return path.read_text("ascii", "replace").strip() not in {"0", ""}
    except OSError:
        return False
