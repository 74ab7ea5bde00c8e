"""The child that looks at the first hops of a way: packets that die after one, two, three hops, by scapy.

It reads one job from stdin, sends at most eight packets out of the link that is named, to the next hop's
hardware address, and prints who answered for each hop. scapy costs 60 MB, so it lives here only.

The packets carry no data. IPv4 and IPv6 differ in what the limit is called (TTL, hop limit) and in who says
that it was reached (ICMP, ICMPv6); scapy tells which answer belongs to which packet by what is quoted in it.
"""

import sys
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

_PORT = 33434


class Job(Struct, frozen=True, forbid_unknown_fields=True):
    """Where to look."""

    interface: Annotated[str, Meta(pattern="^[^/ ]{1,15}$")]
    mac: Annotated[str, Meta(pattern="^([0-9a-f]{2}:){5}[0-9a-f]{2}$")]
    target: Annotated[str, Meta(pattern="^([0-9.]{7,15}|(?=.*:)[0-9a-fA-F:.]{2,45})$")]
    hops: Annotated[int, Meta(ge=1, le=8)]
    timeout: Annotated[float, Meta(gt=0, le=30)]


def trace(job: Job) -> list[str | None]:
    """Return who answered for each hop, None where nobody did.

    Raises:
        OSError: the link is not there, has no address to send from, or may not be sent on.
    """
    from scapy.layers.inet import UDP  # noqa: PLC0415 - the child's only reason to be
    from scapy.layers.l2 import Ether  # noqa: PLC0415 - likewise
    from scapy.sendrecv import srp  # noqa: PLC0415 - likewise

    layer, packets = _ipv6(job) if ":" in job.target else _ipv4(job)
    probes = [
        Ether(dst=job.mac) / packet / UDP(sport=_PORT + hop, dport=_PORT + hop)
        for hop, packet in enumerate(packets, start=1)
    ]
    answered, _ = srp(probes, iface=job.interface, timeout=job.timeout, verbose=False)
    by_hop = {sent[UDP].sport - _PORT: str(answer[layer].src) for sent, answer in answered if layer in answer}
    return [by_hop.get(hop) for hop in range(1, job.hops + 1)]


# The link's own address: by scapy's idea of routes it would be that of the best default route.
def _ipv4(job: Job) -> tuple[Any, list[Any]]:
    from scapy.arch import get_if_addr  # noqa: PLC0415 - see above
    from scapy.layers.inet import IP  # noqa: PLC0415 - likewise

    source = get_if_addr(job.interface)
    return IP, [IP(src=source, dst=job.target, ttl=hop, id=hop) for hop in range(1, job.hops + 1)]


def _ipv6(job: Job) -> tuple[Any, list[Any]]:
    from scapy.arch import get_if_addr6  # noqa: PLC0415 - see above
    from scapy.layers.inet6 import IPv6  # noqa: PLC0415 - likewise

    source = get_if_addr6(job.interface)
    if source is None:
        raise OSError(f"{job.interface} has no IPv6 address but its own link's")
    return IPv6, [IPv6(src=source, dst=job.target, hlim=hop) for hop in range(1, job.hops + 1)]


def main() -> None:
    """Read the job, look, tell."""
    job = msgspec.json.decode(sys.stdin.buffer.read(4096), type=Job)
    sys.stdout.buffer.write(msgspec.json.encode(trace(job)) + b"\n")


if __name__ == "__main__":
    main()
