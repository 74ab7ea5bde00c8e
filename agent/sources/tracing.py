"""The child that looks at the first hops of a way: packets that die after one, two, three hops, by scapy.

It reads one job from stdin, sends at most eight packets out of the link that is named, to the next hop's
hardware address, and prints who answered for each hop. scapy costs 60 MB, so it lives here only.
"""

import sys
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

_PORT = 33434


class Job(Struct, frozen=True, forbid_unknown_fields=True):
    """Where to look."""

    interface: Annotated[str, Meta(pattern="^[^/ ]{1,15}$")]
    mac: Annotated[str, Meta(pattern="^([0-9a-f]{2}:){5}[0-9a-f]{2}$")]
    target: Annotated[str, Meta(pattern="^[0-9.]{7,15}$")]
    hops: Annotated[int, Meta(ge=1, le=8)]
    timeout: Annotated[float, Meta(gt=0, le=30)]


def trace(job: Job) -> list[str | None]:
    """Return who answered for each hop, None where nobody did."""
    from scapy.arch import get_if_addr  # noqa: PLC0415 - the child's only reason to be
    from scapy.layers.inet import IP, UDP  # noqa: PLC0415 - likewise
    from scapy.layers.l2 import Ether  # noqa: PLC0415 - likewise
    from scapy.sendrecv import srp  # noqa: PLC0415 - likewise

    # The link's own address: by scapy's idea of routes it would be that of the best default route.
    source = get_if_addr(job.interface)
    packets = [
        Ether(dst=job.mac)
        / IP(src=source, dst=job.target, ttl=ttl, id=ttl)
        / UDP(sport=_PORT + ttl, dport=_PORT + ttl)
        for ttl in range(1, job.hops + 1)
    ]
    answered, _ = srp(packets, iface=job.interface, timeout=job.timeout, verbose=False)
    by_hop = {sent[IP].ttl: str(answer[IP].src) for sent, answer in answered if IP in answer}
    return [by_hop.get(ttl) for ttl in range(1, job.hops + 1)]


def main() -> None:
    """Read the job, look, tell."""
    job = msgspec.json.decode(sys.stdin.buffer.read(4096), type=Job)
    sys.stdout.buffer.write(msgspec.json.encode(trace(job)) + b"\n")


if __name__ == "__main__":
    main()
