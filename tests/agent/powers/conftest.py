"""A host made of a network namespace, with a collector and a stranger beside it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Self

import pytest

from agent.powers.firewall import Firewall

if TYPE_CHECKING:
    from collections.abc import Iterator

HOST, COLLECTOR, STRANGER = "10.98.0.2", "10.98.0.1", "198.18.9.1"
LISTEN = """
import socket, sys, threading
def serve(family, address, port):
    door = socket.create_server((address, port), family=family)
    while True:
        door.accept()[0].close()
for word in sys.argv[1:]:
    address, port = word.rsplit("-", 1)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    threading.Thread(target=serve, args=(family, address, int(port)), daemon=True).start()
print("up", flush=True)
threading.Event().wait()
"""
REACH = """
import socket, sys
try:
    socket.create_connection((sys.argv[1], int(sys.argv[2])), 0.4).close()
except OSError:
    sys.exit(1)
"""


def run(*words: str) -> str:
    return subprocess.run(words, check=True, capture_output=True, text=True, timeout=30).stdout


class Host:
    """Two namespaces: the node, and whom it talks to."""

    def __init__(self) -> None:
        tag = f"fp{os.getpid() % 100000}"
        self.name, self.others = f"{tag}h", f"{tag}o"
        self.firewall = Firewall(("ip", "netns", "exec", self.name, "nft"))

    def __enter__(self) -> Self:
        for name in (self.name, self.others):
            run("ip", "netns", "add", name)
            run("ip", "-n", name, "link", "set", "lo", "up")
        run(
            *("ip", "-n", self.name, "link", "add", "eth0", "type", "veth"),
            *("peer", "name", "eth0", "netns", self.others),
        )
        for name, addresses in (
            (self.name, (f"{HOST}/24", "fd98::2/64")),
            (self.others, (f"{COLLECTOR}/24", "fd98::1/64", f"{STRANGER}/32", "fd99::1/128")),
        ):
            for address in addresses:
                run(
                    "ip", "-n", name, "address", "add", address, "dev", "eth0", *("nodad",) * (":" in address)
                )
            run("ip", "-n", name, "link", "set", "eth0", "up")
        run("ip", "-n", self.name, "route", "add", "default", "via", COLLECTOR)
        run("ip", "-n", self.name, "route", "add", "default", "via", "fd98::1")
        words = ["ip", "netns", "exec", self.others, sys.executable, "-c", LISTEN]
        doors = [f"{COLLECTOR}-8443", f"{COLLECTOR}-22", f"{STRANGER}-80", "fd99::1-80"]
        self._listening = subprocess.Popen([*words, *doors], stdout=subprocess.PIPE)
        assert self._listening.stdout is not None
        with self._listening.stdout as said:
            assert said.readline() == b"up\n"
        deadline = time.monotonic() + 20
        while not self.reaches("fd99::1", 80):  # the link's own IPv6 address is being looked for
            assert time.monotonic() < deadline
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.kill()
        self._listening.wait()
        for name in (self.name, self.others):
            run("ip", "netns", "del", name)

    def reaches(self, address: str, port: int) -> bool:
        words = ["ip", "netns", "exec", self.name, sys.executable, "-c", REACH, address, str(port)]
        return subprocess.run(words, check=False, timeout=10).returncode == 0


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    if os.geteuid() or not shutil.which("nft") or not shutil.which("ip"):
        pytest.skip("needs root, iproute2 and nftables")
    with Host() as made:
        yield made


@pytest.fixture(autouse=True)
def _clean(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "host" in request.fixturenames:
        made: Host = request.getfixturevalue("host")
        subprocess.run(
            ["ip", "netns", "exec", made.name, "nft", "delete", "table", "inet", "fengsui"],
            check=False,
            capture_output=True,
            timeout=10,
        )
