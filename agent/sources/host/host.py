"""What the host is: its operating system's release, kernel and hardware.

Distributions of the target group do not all say who they are in os-release: older Kylin, UOS and NeoKylin
images carry a Debian or CentOS os-release and their own name in a file beside it.
"""

import os
import re
from pathlib import Path
from typing import Any

import psutil

from ..network.surroundings import read_text

# What names a family: ids and ID_LIKE of os-release, and words of the files beside it.
FAMILIES = (
    ("kylin", re.compile(r"kylin|银河麒麟|中标麒麟", re.IGNORECASE)),
    ("uos", re.compile(r"\buos\b|uniontech|统信|deepin", re.IGNORECASE)),
    ("openeuler", re.compile(r"open\s?euler|euleros|欧拉", re.IGNORECASE)),
    ("anolis", re.compile(r"anolis|alinux|alibaba cloud linux|龙蜥", re.IGNORECASE)),
    ("opencloudos", re.compile(r"opencloudos|tencentos", re.IGNORECASE)),
    ("loongnix", re.compile(r"loongnix|龙芯", re.IGNORECASE)),
    ("nfs", re.compile(r"nfsdesktop|nfschina|方德", re.IGNORECASE)),
    ("debian", re.compile(r"debian|ubuntu", re.IGNORECASE)),
    ("rhel", re.compile(r"rhel|red hat|centos|rocky|alma|fedora", re.IGNORECASE)),
    ("suse", re.compile(r"suse", re.IGNORECASE)),
    ("alpine", re.compile(r"alpine", re.IGNORECASE)),
)
_BESIDE = ("etc/.kyinfo", "etc/kylin-release", "etc/neokylin-release", "etc/os-version", "etc/*-release")
_PAIR = re.compile(r"^[ \t]*([A-Za-z_]+)[ \t]*=(.*)$", re.MULTILINE)
_CPU = re.compile(r"^(?:model name|Model Name|cpu model|Hardware|Processor)\s*:\s*(.+)$", re.MULTILINE)
_DMI = {"vendor": "sys_vendor", "product": "product_name"}


def os_release(root: Path) -> dict[str, Any]:
    """Return `{id, name, version, pretty_name, family, source}` of the operating system.

    Raises:
        OSError: a release file is there and can't be read.
    """
    found: dict[str, str] = {}
    source = None
    for name in ("etc/os-release", "usr/lib/os-release"):
        text = read_text(root / name)
        if text is not None:
            found = {key: value.strip().strip("\"'") for key, value in _PAIR.findall(text)}
            source = f"/{name}"
            break
    own = [(path, (read_text(path) or "").strip()) for path in _beside(root)]
    words = " ".join(found.get(key, "") for key in ("ID", "NAME", "PRETTY_NAME"))
    family = (
        _domestic(" ".join(text for _, text in own)) or _family(words) or _family(found.get("ID_LIKE", ""))
    )
    pretty = found.get("PRETTY_NAME") or next((text.splitlines()[0] for _, text in own if text), "")
    return {
        "id": found.get("ID", ""),
        "name": found.get("NAME", ""),
        "version": found.get("VERSION_ID") or found.get("VERSION", ""),
        "pretty_name": pretty[:200],
        "family": family or "unknown",
        "source": source or next((f"/{path.relative_to(root)}" for path, _ in own), None),
    }


def _beside(root: Path) -> list[Path]:
    found = {path for pattern in _BESIDE for path in root.glob(pattern) if path.name != "os-release"}
    return sorted(path for path in found if path.is_file())


def _family(words: str) -> str | None:
    return next((name for name, pattern in FAMILIES if pattern.search(words)), None)


def _domestic(words: str) -> str | None:
    """Return the family where a file beside os-release names one that hides behind another's os-release."""
    found = _family(words)
    return None if found in {"debian", "rhel", "suse", "alpine"} else found


def kernel() -> dict[str, str]:
    """Return `{release, version, machine}`."""
    uname = os.uname()
    return {"release": uname.release, "version": uname.version, "machine": uname.machine}


def hardware(root: Path) -> dict[str, Any]:
    """Return `{vendor, product, cpu_model, cpu_count, memory_bytes, disks}`, as `docs/wire.md` has them."""
    model = _CPU.search(read_text(root / "proc/cpuinfo", 8192) or "")
    return {
        **{key: _line(root / "sys/class/dmi/id" / name) for key, name in _DMI.items()},
        "cpu_model": model.group(1).strip() if model else None,
        "cpu_count": psutil.cpu_count(),
        "memory_bytes": psutil.virtual_memory().total,
        "disks": _disks(),
    }


def _disks() -> list[dict[str, Any]]:
    """Return the local file systems by device, each once however often it is mounted."""
    found: dict[str, dict[str, Any]] = {}
    for part in psutil.disk_partitions(all=False):
        if part.device in found:
            continue
        try:
            size = psutil.disk_usage(part.mountpoint).total
        except OSError:
            continue
        found[part.device] = {
            "mount": part.mountpoint,
            "device": part.device,
            "type": part.fstype,
            "bytes": size,
        }
    return list(found.values())


def _line(path: Path) -> str | None:
    try:
        return (read_text(path, 256) or "").strip() or None
    except OSError:
        return None


def host_name(root: Path) -> str:
    """Return the kernel's host name."""
    return _line(root / "proc/sys/kernel/hostname") or os.uname().nodename


def machine_id(root: Path) -> str | None:
    """Return the machine id (machine-id(5)): a hint, never an identity, for clones share it."""
    return _line(root / "etc/machine-id") or _line(root / "var/lib/dbus/machine-id")
