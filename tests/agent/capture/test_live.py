import struct
import warnings
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.capture.frames import count, network
from agent.capture.live import _count, drain
from agent.capture.ring import Block, Ring
from agent.capture.sieve import interesting
from agent.detection.tally import Tally

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from scapy.layers.dns import DNS, DNSQR
    from scapy.layers.inet import IP, TCP, UDP, IPOption_NOP
    from scapy.layers.inet6 import ICMPv6ND_NS, IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, PadN
    from scapy.layers.l2 import ARP, Dot1Q, Ether

ETHER = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
FROM, TO = "203.0.113.9", "10.1.1.5"
# As long as makes the kernel cut behind it, not at a fixed place.
LONG = [PadN(optdata=bytes(250)), PadN(optdata=bytes(250))]
FRAMES = [
    bytes(ETHER / layer)
    for layer in (
        IP(src=FROM, dst=TO) / TCP(sport=40000, dport=22, flags="S"),
        IP(src=FROM, dst=TO) / TCP(sport=40001, dport=22, flags="S"),
        IP(src=TO, dst=FROM) / TCP(sport=22, dport=40000, flags="SA"),
        IP(src=TO, dst=FROM) / TCP(sport=23, dport=40000, flags="RA"),
        IP(src=FROM, dst=TO) / TCP(sport=40000, dport=22, flags="A") / b"data",
        IP(src=FROM, dst=TO, options=[IPOption_NOP()] * 4) / TCP(sport=1, dport=23, flags="S"),
        IP(src=TO, dst="10.1.1.53") / UDP(sport=5000) / DNS(qd=DNSQR(qname="portal.example.gov.cn")),
        IP(src="10.1.1.53", dst=TO) / UDP(sport=53, dport=5000) / DNS(qr=1, qd=DNSQR(qname="x.cn")),
        IPv6(src="2001:db8::9", dst="2001:db8::5") / TCP(dport=22, flags="S"),
        IPv6(src="2001:db8::9", dst="2001:db8::5")
        / IPv6ExtHdrDestOpt(options=LONG)
        / TCP(dport=25, flags="S"),
        IPv6(src="2001:db8::9", dst="2001:db8::5")
        / IPv6ExtHdrFragment()
        / TCP(dport=26, flags="A")
        / b"data",
        IPv6(src="2001:db8::5", dst="2001:db8::1", hlim=255) / ICMPv6ND_NS(tgt="2001:db8::1"),
        IPv6(src="2001:db8::9", dst="2001:db8::53") / UDP() / DNS(qd=DNSQR(qname="v6.example.cn")),
        ARP(op=2, psrc="10.1.1.1", hwsrc="02:00:00:00:00:07"),
        Dot1Q(vlan=7) / IP(src=FROM, dst=TO) / TCP(dport=24, flags="S"),
    )
]


@pytest.mark.root
def test_the_ring_counts_what_a_recording_of_the_same_packets_counts(
    on_a_wire: Callable[[Any], None],
) -> None:
    expected = Tally()
    for frame in FRAMES:
        protocol, begin = network(1, frame)
        count(expected, protocol, frame[begin:])
    live = Tally()

    def body(wire: Any) -> None:  # noqa: ANN401 - the fixture's wire
        with Ring("fsfar", 1, interesting()) as ring:
            wire.send(*FRAMES)
            for _ in range(20):
                ring.wait(100)
                drain(ring, live)
                if live.packets >= 13:
                    break

    on_a_wire(body)
    for name in ("asked", "opened", "refused", "names", "answers", "claims", "sought"):
        assert getattr(live, name) == getattr(expected, name), name
    assert len(live.asked) == 5
    assert live.answers[0][1].endswith(b"\x01x\x02cn\0\0\x01\0\x01")
    assert next(iter(live.names))[1] == b"\x06portal\x07example\x03gov\x02cn"


def block(packets: list[tuple[int, bytes]]) -> tuple[bytearray, Block]:
    """Packets as the kernel lays them out: header, address of the link, data 96 bytes behind."""
    memory = bytearray()
    for protocol, data in packets:
        length = -(-(96 + len(data)) // 16) * 16
        head = struct.pack("=IIIIIIHH", length, 0, 0, len(data), len(data), 0, 0, 96).ljust(48, b"\0")
        link = struct.pack("=H2s", 17, protocol.to_bytes(2, "big")).ljust(48, b"\0")
        memory += (head + link + data).ljust(length, b"\0")
    return memory, Block(len(packets), 0)


FIRST = st.sampled_from([b"", b"\x45" + bytes(8) + b"\x06", b"\x45" + bytes(8) + b"\x11", b"\x46", b"\x60"])
ANY = st.tuples(
    st.sampled_from([0x0800, 0x86DD, 0x0806, 0x88CC]),
    st.tuples(FIRST, st.binary(max_size=90)).map(b"".join),
)


@given(packets=st.lists(ANY, max_size=8))
def test_whatever_a_block_holds_is_counted_as_the_careful_way_counts_it(
    kernel: Callable[..., int], packets: list[tuple[int, bytes]]
) -> None:
    """Only what the filter lets pass: it has seen that the bytes it looked at are there."""
    passed = [
        (protocol, data) for protocol, data in packets if kernel(interesting(), data, protocol=protocol)
    ]
    memory, whole = block(passed)
    quick, careful = Tally(), Tally()
    with memoryview(memory) as view:
        _count(view, whole, quick)
    for protocol, data in passed:
        count(careful, protocol, data, 64)

    for name in Tally.__slots__:
        assert getattr(quick, name) == getattr(careful, name), name
