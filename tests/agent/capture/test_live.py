import os
import socket
import ssl
import struct
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.bpf import OUTGOING
from agent.capture.frames import count, network
from agent.capture.live import _count, drain
from agent.capture.ring import Block, Ring
from agent.capture.sieve import interesting
from agent.detection.tally import Tally
from tests.agent.capture.test_sieve import data_to, ipv4, ipv6
from tests.agent.detection.test_tls import KEY_SHARE, extension, hello, message, named, records

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


SERVER = """
import socket
with socket.create_server(("10.1.1.1", 443)) as listening:
    print("ready", flush=True)
    while True:
        listening.accept()[0].recv(9000)
"""
# The name behind a key share of ML-KEM, as a browser that shuffles its extensions sends it.
BEHIND_ITS_KEY = records(
    message(extension(KEY_SHARE, bytes(1260)), extension(21, bytes(300)), named(b"mail.qq.com"))
)


@contextmanager
def server_of_tls() -> Iterator[None]:
    """Give the far end of the wire to another host, which takes connections to port 443."""
    host = f"fs{os.getpid()}tls"
    ip("netns", "add", host)
    try:
        ip("link", "set", "fsfar", "netns", host)
        for words in (f"-n {host} address add 10.1.1.1/24 dev fsfar", f"-n {host} link set fsfar up"):
            ip(*words.split())
        ip("address", "add", "10.1.1.5/24", "dev", "fsnear")
        words = ["ip", "netns", "exec", host, sys.executable, "-c", SERVER]
        with subprocess.Popen(words, stdout=subprocess.PIPE) as server:
            try:
                assert server.stdout
                assert server.stdout.readline() == b"ready\n"
                yield
            finally:
                server.kill()
    finally:
        ip("netns", "del", host)


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


@pytest.mark.root
@pytest.mark.parametrize(("cut_by_us", "names", "unread"), [(False, {"mail.qq.com"}, 0), (True, set(), 1)])
def test_a_long_greeting_of_this_host_is_read_where_the_card_cuts_it_and_counted_where_we_do(
    *, cut_by_us: bool, names: set[str], unread: int, on_a_wire: Callable[[Any], None]
) -> None:
    live = Tally()

    def body(_: Any) -> None:  # noqa: ANN401 - the fixture's wire
        if cut_by_us:
            ip("link", "set", "fsnear", "gso_max_segs", "1")
        with server_of_tls(), Ring("fsnear", 1, interesting()) as ring:
            with socket.create_connection(("10.1.1.1", 443), 10) as client:
                client.sendall(BEHIND_ITS_KEY)
                assert client.recv(1) == b""
            for _ in range(50):
                ring.wait(100)
                drain(ring, live)
                if live.greetings:
                    break

    on_a_wire(body)
    assert {name for _, _, name in live.hellos} == names
    assert {source for source, _, _ in live.hellos} <= {bytes([10, 1, 1, 5])}
    assert sum(live.unread.values()) == unread


@pytest.mark.root
def test_a_real_handshake_of_this_host_is_read_from_its_first_packet(
    on_a_wire: Callable[[Any], None],
) -> None:
    live = Tally()

    def body(_: Any) -> None:  # noqa: ANN401 - the fixture's wire
        with server_of_tls(), Ring("fsnear", 1, interesting()) as ring:
            with (
                socket.create_connection(("10.1.1.1", 443), 10) as plain,
                pytest.raises((ssl.SSLError, OSError)),
            ):
                ssl.create_default_context().wrap_socket(plain, server_hostname="set3.mail.qq.com")
            for _ in range(50):
                ring.wait(100)
                drain(ring, live)
                if live.greetings:
                    break

    on_a_wire(body)
    assert live.hellos == {(bytes([10, 1, 1, 5]), bytes([10, 1, 1, 1]), "set3.mail.qq.com"): 1}


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
FLAGS = st.sampled_from([0x10, 0x18, 0x19, 0x12, 0x14, 0x02, 0x08])
GREETS = st.tuples(FLAGS, st.integers(0, 3), st.integers(0, len(hello()))).map(
    lambda drawn: data_to(443, hello()[: drawn[2]], flags=drawn[0], options=drawn[1])
)
GREETING = st.one_of(
    GREETS.map(lambda data: (0x0800, ipv4(6, data))), GREETS.map(lambda data: (0x86DD, ipv6(6, data)))
)


@given(packets=st.lists(st.one_of(ANY, GREETING), max_size=8))
def test_whatever_a_block_holds_is_counted_as_the_careful_way_counts_it(
    kernel: Callable[..., int], packets: list[tuple[int, bytes]]
) -> None:
    """Only what the filter lets pass: it has seen that the bytes it looked at are there."""
    passed = [
        (protocol, data)
        for protocol, data in packets
        if kernel(interesting(), data, protocol=protocol, direction=OUTGOING)
    ]
    memory, whole = block(passed)
    quick, careful = Tally(), Tally()
    with memoryview(memory) as view:
        _count(view, whole, quick)
    for protocol, data in passed:
        count(careful, protocol, data, 64)

    for name in Tally.__slots__:
        assert getattr(quick, name) == getattr(careful, name), name
