"""Becomes a systemd of its own, with this checkout installed as /opt/fengsui; run by `unshare`, as its child.

Usage: systemd_root.py CHECKOUT SITE_PACKAGES BASE_PYTHON SCRATCH

Everything lies in namespaces of this process: the root is an overlay whose changes are in memory, /proc/sys
and /sys are read-only, and of the host's units only those of the journal and of temporary files are started.
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
COMMAND = """#!/opt/fengsui/bin/python
import sys
from {wing}.cli import main
sys.exit(main())
"""
ROOMS = ("agent", "collector", "wire", "configs", "playbooks")
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
    """Install the checkout as the manual says: /opt/fengsui, /etc/fengsui, the units and their users."""
    opt = root / "opt/fengsui"
    shutil.rmtree(opt, ignore_errors=True)
    packages = opt / "lib" / VERSION / "site-packages"
    for folder in (opt / "bin", opt / "base", packages):
        folder.mkdir(parents=True)
    mount("--bind", base, opt / "base")
    # Its library is looked for where it was built, which may be a home that no service sees.
    (root / "etc/ld.so.conf.d/000-fengsui.conf").write_text("/opt/fengsui/base/lib\n")
    subprocess.run(["ldconfig", "-r", str(root)], check=True)
    # The checkout's rooms over its virtual environment's packages: what a wheel would put there.
    places = opt / "rooms"
    for room in ROOMS:
        (places / room).mkdir(parents=True)
    mount("-t", "overlay", "overlay", "-o", f"lowerdir={places}:{site}", packages)
    for room in ROOMS:
        mount("--bind", checkout / room, packages / room)
    (opt / "pyvenv.cfg").write_text("home = /opt/fengsui/base/bin\n")
    (opt / "bin/python").symlink_to(f"/opt/fengsui/base/bin/{VERSION}")
    for wing in ("agent", "collector"):
        command = opt / "bin" / f"fengsui-{wing}"
        command.write_text(COMMAND.format(wing=wing))
        command.chmod(0o755)
    etc = root / "etc/fengsui"
    etc.mkdir(exist_ok=True)
    for name, text in SETTINGS.items():
        (etc / name).write_text(text)
    shutil.copy(checkout / "configs/registry.yaml", etc)
    packaging = checkout / "packaging/systemd"
    for unit in packaging.glob("*.service"):
        shutil.copy(unit, root / "etc/systemd/system")
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
