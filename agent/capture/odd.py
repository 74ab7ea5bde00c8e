"""Takes apart frames of links that we have no reader for, with scapy, in a process of its own.

    parent    link type, length, frame   ->
    child                                <- protocol, length, packet; protocol 0: nothing in it that we know

Scapy is large (50 MB and half a second) and dissects what an attacker recorded; so it is started for the
first odd frame only, the kernel bounds its memory and its processor time, and a frame that takes it too
long ends it.
"""

import resource
import select
import struct
import subprocess
import sys
from typing import IO, BinaryIO, Self

from ..bpf import ETH_ARP, ETH_IPV4, ETH_IPV6

_ASK = struct.Struct("=II")
_ANSWER = struct.Struct("=HI")
_MEMORY = 512 * 1024 * 1024
_CPU_SECONDS = 120
_PATIENCE = 10.0
_MAX_ENDS = 3


class Dissector:
    """The child, as its parent sees it; a context manager."""

    def __init__(self) -> None:
        self._child: subprocess.Popen[bytes] | None = None
        self._ends = 0

    def __enter__(self) -> Self:
        """Start nothing yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the child."""
        self._end()

    def network(self, link: int, frame: bytes) -> tuple[int, bytes]:
        """Return Ethernet protocol and bytes of the packet in an odd frame; protocol 0 for nothing."""
        if self._ends >= _MAX_ENDS:
            return 0, b""
        try:
            return self._ask(link, frame)
        except OSError:
            self._end()
            self._ends += 1
            return 0, b""

    def _ask(self, link: int, frame: bytes) -> tuple[int, bytes]:
        if self._child is None:
            words = [sys.executable, "-P", "-m", "agent.capture.odd"]
            self._child = subprocess.Popen(  # noqa: S603 - our own module
                words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
        into, out = self._child.stdin, self._child.stdout
        if into is None or out is None:
            raise OSError("started without pipes")
        into.write(_ASK.pack(link, len(frame)) + frame)
        into.flush()
        if not select.select([out], [], [], _PATIENCE)[0]:
            raise OSError("no answer in time")
        protocol, length = _ANSWER.unpack(_exactly(out, _ANSWER.size))
        return protocol, _exactly(out, length)

    def _end(self) -> None:
        child, self._child = self._child, None
        if child:
            child.kill()
            child.communicate()


def _exactly(stream: IO[bytes], length: int) -> bytes:
    data = stream.read(length)
    if len(data) < length:
        raise OSError("it ended")
    return data


def answer(link: int, frame: bytes) -> tuple[int, bytes]:
    """Dissect a frame; runs in the child."""
    from scapy.config import conf  # noqa: PLC0415 - see above
    from scapy.layers.inet import IP  # noqa: PLC0415 - likewise
    from scapy.layers.inet6 import IPv6  # noqa: PLC0415 - likewise
    from scapy.layers.l2 import ARP  # noqa: PLC0415 - likewise

    for extra in ("dot11", "ppp", "bluetooth"):
        __import__(f"scapy.layers.{extra}")
    kind = conf.l2types.num2layer.get(link)
    if kind is None:
        return 0, b""
    try:
        packet = kind(frame)
        for protocol, layer in ((ETH_IPV4, IP), (ETH_IPV6, IPv6), (ETH_ARP, ARP)):
            if layer in packet:
                return protocol, bytes(packet[layer])
    except Exception:  # noqa: BLE001 - a dissector of somebody else's on somebody else's bytes
        return 0, b""
    return 0, b""


def main(source: BinaryIO, out: BinaryIO) -> int:
    """Answer until stdin ends."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS, _CPU_SECONDS))
    while len(begin := source.read(_ASK.size)) == _ASK.size:
        link, length = _ASK.unpack(begin)
        protocol, packet = answer(link, source.read(length))
        out.write(_ANSWER.pack(protocol, len(packet)) + packet)
        out.flush()
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.stdin.buffer, sys.stdout.buffer))
