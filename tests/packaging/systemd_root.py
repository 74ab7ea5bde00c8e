"""Becomes a systemd with this checkout installed as the manual says; run by `unshare`, as its child.

Usage: systemd_root.py CHECKOUT SITE_PACKAGES BASE_PYTHON SCRATCH

Everything lies in namespaces of this process: the root is an overlay whose changes are in memory, /proc/sys
and /sys are read-only, and of the host's units only those of the journal and of temporary files are started.

    /opt/python               the interpreter that this runs on, as a distribution's
    /opt/library              the checkout's rooms over its virtual environment's packages, as wheels put them
    /opt/fengsui/a            the agent's first slot, with bin -> current/bin beside it (docs/update.md)
    /opt/fengsui-collector    the collector, in a place that no update of the agent touches
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

VERSION = f"python{sys.version_info.major}.{sys.version_info.minor}"
SYSTEMD = Path("/lib/systemd/systemd")
WANTED = ("systemd-journald.service", "systemd-tmpfiles-setup.service")
TARGET = """[Unit]
Requires=basic.target
After=basic.target
"""
COMMAND = """#!{place}/bin/python
import sys
from {wing}.cli import main
sys.exit(main())
"""
ROOMS = ("agent", "collector", "wire", "configs", "playbooks")
PYTHON, LIBRARY = Path("/opt/python"), Path("/opt/library")
COLLECTOR_PLACE = """[Service]
ExecStart=
ExecStart=/opt/fengsui-collector/bin/fengsui-collector run --config /etc/fengsui/collector.yaml
"""
# What a slot of the agent must not have: an update would take it away from a collector.
OF_COLLECTORS = {"alembic", "collector", "sqlalchemy"}
NOT_HERE = 77
SETTINGS = {
    "agent.yaml": "language: en\norders: {deputy: /run/fengsui-agent/deputy.sock}\n",
    "collector.yaml": (
        "unit: district\nregistry: registry.yaml\nlanguage: en\n"
        "listen: {agents: {host: 127.0.0.1, port: 8443}, console: {port: 8080}}\n"
    ),
}


def mount(*words: str | Path) -> None:
    subprocess.run(["mount", *map(str, words)], check=True)


def make_root(scratch: Path) -> Path:
    """Mount a copy of the host's root whose changes are in memory."""
    mount("--make-rprivate", "/")
    mount("-t", "tmpfs", "tmpfs", scratch)
    root, upper, work = (scratch / name for name in ("root", "upper", "work"))
    for folder in (root, upper, work):
        folder.mkdir()
    mount("-t", "overlay", "overlay", "-o", f"lowerdir=/,upperdir={upper},workdir={work}", root)
    mount("-t", "proc", "proc", root / "proc")
    mount("--bind", root / "proc/sys", root / "proc/sys")
    mount("-o", "remount,bind,ro", root / "proc/sys")
    mount("-t", "sysfs", "-o", "ro", "sysfs", root / "sys")
    mount("-t", "cgroup2", "cgroup2", root / "sys/fs/cgroup")
    mount("--rbind", "/dev", root / "dev")
    for name in ("run", "tmp", "var/lib", "var/log"):
        mount("-t", "tmpfs", "-o", "mode=0755", "tmpfs", root / name)
    return root


def quieten(root: Path) -> None:
    """Let no unit of the host start."""
    for place in ("etc", "lib", "usr/lib"):
        for folder in (root / place / "systemd/system").glob("*.wants"):
            shutil.rmtree(folder)
    wants = root / "lib/systemd/system/sysinit.target.wants"
    wants.mkdir()
    for unit in WANTED:
        (wants / unit).symlink_to(f"../{unit}")
    (root / "etc/fstab").write_text("")
    (root / "etc/systemd/system/fengsui-test.target").write_text(TARGET)


def install(root: Path, checkout: Path, site: Path, base: Path) -> None:
    """Install the checkout as the manual says: its programs, /etc/fengsui, the units and their users."""
    python = root / PYTHON.relative_to("/")
    python.mkdir()
    mount("--bind", base, python)
    # Its library is looked for where it was built, which may be a home that no service sees.
    (root / "etc/ld.so.conf.d/000-fengsui.conf").write_text(f"{PYTHON}/lib\n")
    subprocess.run(["ldconfig", "-r", str(root)], check=True)
    stock(root, checkout, site)
    slots = Path("/opt/fengsui")
    shutil.rmtree(root / slots.relative_to("/"), ignore_errors=True)
    install_wing(root, slots / "a", "agent")
    (root / slots.relative_to("/") / "bin").symlink_to("current/bin")
    install_wing(root, Path("/opt/fengsui-collector"), "collector")
    configure(root, checkout)


def stock(root: Path, checkout: Path, site: Path) -> None:
    """Lay the checkout's rooms over its virtual environment's packages."""
    library, places = root / LIBRARY.relative_to("/"), root / "opt/rooms"
    library.mkdir()
    for room in ROOMS:
        (places / room).mkdir(parents=True)
    mount("-t", "overlay", "overlay", "-o", f"lowerdir={places}:{site}", library)
    for room in ROOMS:
        mount("--bind", checkout / room, library / room)


def install_wing(root: Path, place: Path, wing: str) -> None:
    """Make a virtual environment with one command, of plain files and links that an update can clear away."""
    folder = root / place.relative_to("/")
    (folder / "bin").mkdir(parents=True)
    (folder / "lib" / VERSION).mkdir(parents=True)
    packages = folder / "lib" / VERSION / "site-packages"
    packages.mkdir()
    for name in os.listdir(root / LIBRARY.relative_to("/")):  # noqa: PTH208 - names alone
        if wing == "collector" or name not in OF_COLLECTORS:
            (packages / name).symlink_to(LIBRARY / name)
    (folder / "pyvenv.cfg").write_text(f"home = {PYTHON}/bin\n")
    shutil.copy(root / PYTHON.relative_to("/") / "bin" / VERSION, folder / "bin/python")
    command = folder / "bin" / f"fengsui-{wing}"
    command.write_text(COMMAND.format(place=place, wing=wing))
    command.chmod(0o755)


def configure(root: Path, checkout: Path) -> None:
    """Bring settings, units and users."""
    etc = root / "etc/fengsui"
    etc.mkdir(exist_ok=True)
    for name, text in SETTINGS.items():
        (etc / name).write_text(text)
    shutil.copy(checkout / "configs/registry.yaml", etc)
    packaging, units = checkout / "packaging/systemd", root / "etc/systemd/system"
    for unit in (*packaging.glob("*.service"), *packaging.glob("*.timer")):
        shutil.copy(unit, units)
    # Beside the settings, for whoever wants to watch packets to put in place.
    shutil.copytree(packaging / "fengsui-agent.service.d", etc / "fengsui-agent.service.d")
    place = units / "fengsui-collector.service.d"
    place.mkdir()
    (place / "place.conf").write_text(COLLECTOR_PLACE)
    subprocess.run(["systemd-sysusers", f"--root={root}", str(packaging / "fengsui.sysusers")], check=True)


def main(checkout: Path, site: Path, base: Path, scratch: Path) -> None:
    """Make the root, move into it and become systemd."""
    try:
        root = make_root(scratch)
    except (OSError, subprocess.CalledProcessError) as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(NOT_HERE)
    quieten(root)
    install(root, checkout, site, base)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    os.chdir(root)
    subprocess.run(["pivot_root", ".", "mnt"], check=True)
    os.chroot(".")
    words = ("--system", "--unit=fengsui-test.target", "--show-status=no", "--log-target=journal")
    environment = {"container": "lxc", "PATH": "/usr/bin:/usr/sbin:/bin:/sbin"}
    os.execve(SYSTEMD, [str(SYSTEMD), *words], environment)  # noqa: S606 - becomes it


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
