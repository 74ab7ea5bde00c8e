"""A host made of a network namespace, with a collector and a stranger beside it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
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
TAKE = """
import socket, sys
family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
door = socket.create_server((sys.argv[1], int(sys.argv[2])), family=family)
print("up", flush=True)
line, _ = door.accept()
line.settimeout(5)
taken = 0
try:
    while piece := line.recv(65536):
        taken += len(piece)
except OSError:
    pass
print(taken, flush=True)
"""
SEND = """
import socket, sys
with socket.create_connection((sys.argv[1], int(sys.argv[2])), 3) as line:
    line.sendall(bytes(int(sys.argv[3])))
"""
REACH = """
import socket, sys
try:
    socket.create_connection((sys.argv[1], int(sys.argv[2])), 0.4).close()
except OSError:
    sys.exit(1)
"""

ASK = """
import socket, sys
own, far, port, tries = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
to = socket.getaddrinfo(far, port, type=socket.SOCK_DGRAM)[0]
with socket.socket(to[0], socket.SOCK_DGRAM) as line:
    line.bind(("", own))
    line.settimeout(0.5)
    for _ in range(tries):
        try:
            line.sendto(b"renew", to[4])
            sys.exit(line.recv(100) != b"lease")
        except OSError:
            pass
sys.exit(1)
"""
ANSWER = """
import socket, struct, sys
family = socket.AF_INET6 if sys.argv[1] == "6" else socket.AF_INET
with socket.socket(family, socket.SOCK_DGRAM) as door, socket.socket(family, socket.SOCK_DGRAM) as other:
    door.bind(("", int(sys.argv[2])))
    if family == socket.AF_INET6:
        group = socket.inet_pton(family, "ff02::1:2") + struct.pack("@I", socket.if_nametoindex("eth0"))
        door.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, group)
    print("up", flush=True)
    while True:
        _, whom = door.recvfrom(100)
        (other if sys.argv[3:] else door).sendto(b"lease", whom)
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

    @contextmanager
    def behind_a_tunnel(self, far: str) -> Iterator[None]:
        """Put an address behind a line of 1300 bytes on the other side."""
        end, bits = f"{self.name}f", 64 if ":" in far else 24
        here = "fd97::2" if ":" in far else "198.18.7.2"
        words = ("ip", "netns", "exec", self.others, "sysctl", "-qw")
        run("ip", "netns", "add", end)
        try:
            run(*words, "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
            run("ip", "-n", self.others, "link", "add", "tun9", "type", "veth", "peer", "tun9", "netns", end)
            for name, address in ((self.others, here), (end, far)):
                nodad = ("nodad",) * (":" in far)
                run("ip", "-n", name, "address", "add", f"{address}/{bits}", "dev", "tun9", *nodad)
                run("ip", "-n", name, "link", "set", "tun9", "up")
            # The far end does not know of it: it would tell the sender in its first packet.
            run("ip", "-n", self.others, "link", "set", "tun9", "mtu", "1300")
            run("ip", "-n", end, "route", "add", "default", "via", here)
            yield
        finally:
            run("ip", "netns", "del", end)

    def sends(self, address: str, port: int, size: int) -> int:
        """Send so many bytes to an address behind the tunnel; return how many came."""
        far = ("ip", "netns", "exec", f"{self.name}f", sys.executable, "-c", TAKE, address, str(port))
        with subprocess.Popen(far, stdout=subprocess.PIPE, text=True) as taker:
            assert taker.stdout is not None
            assert taker.stdout.readline() == "up\n"
            words = ["ip", "netns", "exec", self.name, sys.executable, "-c", SEND, address, str(port)]
            subprocess.run([*words, str(size)], check=False, timeout=20, capture_output=True)
            return int(taker.stdout.readline())

    @contextmanager
    def leasing(self, family: int, port: int, *, from_anywhere: bool = False) -> Iterator[None]:
        """Answer on the other side as a DHCP server does; `from_anywhere`: from any port of its own."""
        words = ["ip", "netns", "exec", self.others, sys.executable, "-c", ANSWER, str(family), str(port)]
        server = subprocess.Popen([*words, *["x"] * from_anywhere], stdout=subprocess.PIPE)
        try:
            assert server.stdout is not None
            with server.stdout as said:
                assert said.readline() == b"up\n"
            yield
        finally:
            server.kill()
            server.wait()

    def renews(self, own: int, server: str, port: int, tries: int = 20) -> bool:
        """Say whether a datagram from a port of the node is answered."""
        words = ["ip", "netns", "exec", self.name, sys.executable, "-c", ASK, str(own), server, str(port)]
        return subprocess.run([*words, str(tries)], check=False, timeout=30).returncode == 0

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
