"""Installs the Debian packages the tests use, or says what is missing and which tests are skipped for it.

    python tests/requirements.py [--install] PACKAGE...

As root it runs apt-get; as an ordinary user it prints one sentence a missing package and goes on.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence

PROVIDES = {
    "iproute2": ("ip", "tests of a second exit in network namespaces"),
    "iptables": ("iptables-legacy", "tests of the old iptables' rules"),
    "systemd": ("systemd-analyze", "the score of the systemd units"),
    "nftables": ("nft", "tests of blocks and isolation"),
    "chromium": ("chromium", "tests of the console in a browser"),
    "faketime": ("faketime", "tests of an agent with a wrong clock"),
    "prometheus": ("promtool", "tests of the shipped rules"),
}
_SECONDS = 900


def missing(packages: Sequence[str]) -> list[str]:
    """Return the packages whose command is not on this machine."""
    return [package for package in packages if not shutil.which(PROVIDES[package][0])]


def install(packages: Sequence[str]) -> None:
    """Install Debian packages without asking."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", *packages]):
        subprocess.run(
            ["apt-get", *command], env=environment, check=False, timeout=_SECONDS, stdout=subprocess.DEVNULL
        )


def main(words: Sequence[str]) -> int:
    """Install or report; never fails by itself: a test that can't run says so when it is skipped."""
    packages = [word for word in words if word in PROVIDES]
    absent = missing(packages)
    if absent and "--install" in words and os.geteuid() == 0 and shutil.which("apt-get"):
        install(absent)
    for package in missing(packages):
        command, tests = PROVIDES[package]
        sys.stderr.write(
            f"{command} is missing: {tests} are skipped; install the Debian package {package} to run them\n"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
