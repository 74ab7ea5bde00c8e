"""What the tests of capturing share: a wire of its own, and packets made by scapy."""

import ctypes
import os
import socket
import subprocess
import threading
import warnings
from collections.abc import Callable

import pytest

from agent.bpf import passed

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from scapy.layers.l2 import Ether
    from scapy.packet import Packet

CLONE_NEWNET = 0x40000000
NEAR, FAR = "fsnear", "fsfar"


def frame(packet: Packet) -> bytes:
    """Return a packet as it stands on the wire."""
    return bytes(Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / packet)


class Wire:
    """A veth pair in a network namespace of the calling thread; what is sent near is seen far."""

    def __init__(self) -> None:
        self._out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self._out.bind((NEAR, 0))

    def send(self, *frames: bytes) -> None:
        for one in frames:
            self._out.send(one)

    def close(self) -> None:
        self._out.close()


def _run(*words: str) -> None:
    subprocess.run(words, check=True, capture_output=True)


@pytest.fixture
def on_a_wire() -> Callable[[Callable[[Wire], None]], None]:
    """Run a test's body in a thread with a wire of its own."""
    if os.geteuid() != 0:
        pytest.skip("needs root")

    def enter(work: Callable[[Wire], None]) -> None:
        failures: list[BaseException] = []

        def inside() -> None:
            try:
                assert ctypes.CDLL(None).unshare(CLONE_NEWNET) == 0
                _run("ip", "link", "add", NEAR, "type", "veth", "peer", "name", FAR)
                for name in (NEAR, FAR):
                    _run("ip", "link", "set", name, "addrgenmode", "none", "up")
                _run("ip", "link", "set", "lo", "up")
                wire = Wire()
                try:
                    work(wire)
                finally:
                    wire.close()
            except BaseException as error:  # noqa: BLE001 - raised again outside the thread
                failures.append(error)

        thread = threading.Thread(target=inside)
        thread.start()
        thread.join()
        if failures:
            raise failures[0]

    return enter


@pytest.fixture(scope="session")
def kernel() -> Callable[..., int]:
    """Run a program of classic BPF on a packet: how many bytes of it pass."""
    return passed
