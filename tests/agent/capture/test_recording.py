"""Each detection on packets with a sample that is an attack and one that only looks like it."""

import io
import struct
import warnings
from collections.abc import Iterable
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.capture.recording import Found, Recording, Unread
from agent.detection.floods import FloodSettings
from agent.detection.traffic import TrafficSettings
from agent.detection.webmail import Names, Seen
from tests.agent.detection.test_tls import hello

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from scapy.layers.dns import DNS, DNSQR
    from scapy.layers.inet import ICMP, IP, TCP, UDP
    from scapy.layers.inet6 import (
        ICMPv6DestUnreach,
        ICMPv6ND_NA,
        ICMPv6ND_NS,
        ICMPv6NDOptDstLLAddr,
        ICMPv6NDOptSrcLLAddr,
        ICMPv6PacketTooBig,
        IPv6,
        IPv6ExtHdrDestOpt,
        IPv6ExtHdrFragment,
        IPv6ExtHdrHopByHop,
    )
    from scapy.layers.l2 import ARP, Ether
    from scapy.packet import Packet

AT = datetime(2026, 3, 2, 1, 10, tzinfo=UTC)
ATTACKER, HOST, GATEWAY = "203.0.113.9", "10.1.1.5", "10.1.1.1"
Timed = tuple[float, Packet]


def pcap(packets: Iterable[Timed], link: int = 1) -> bytes:
    data = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, link)]
    ether = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
    for seconds, packet in sorted(packets, key=lambda one: one[0]):
        whole, micros = divmod(round((AT.timestamp() + seconds) * 1_000_000), 1_000_000)
        raw = bytes(ether / packet)
        data.append(struct.pack("<4I", whole, micros, len(raw), len(raw)) + raw)
    return b"".join(data)


FLOOD = FloodSettings(syn_per_second=100, udp_per_second=100, seconds=3)


def found(packets: Iterable[Timed], settings: TrafficSettings | None = None) -> list[Found | Unread]:
    return list(Recording(settings or TrafficSettings()).play(io.BytesIO(pcap(packets))))


def told(packets: Iterable[Timed]) -> list[tuple[str, str, bool]]:
    bodies = [one.told.body for one in found(packets) if isinstance(one, Found)]
    return [(body["key"], body["class"], body["restored"]) for body in bodies]


def knock(source: str, target: str, port: int, flags: str = "S") -> Packet:
    return IP(src=source, dst=target) / TCP(sport=40000, dport=port, flags=flags)


def open_door(source: str, target: str, port: int) -> list[Packet]:
    return [
        knock(source, target, port),
        IP(src=target, dst=source) / TCP(sport=port, dport=40000, flags="SA"),
    ]


def ask(name: str, source: str = HOST) -> Packet:
    return IP(src=source, dst="10.1.1.53") / UDP(sport=5000) / DNS(qd=DNSQR(qname=name))


def claim(address: str, mac: str, to: str = HOST) -> Packet:
    return ARP(op=2, psrc=address, hwsrc=mac, pdst=to)


def test_a_scan_of_ports_is_told_with_its_doors_and_its_end() -> None:
    packets = [(port / 100, knock(ATTACKER, HOST, 1000 + port)) for port in range(60)]

    assert told(packets) == [
        (f"scan:{ATTACKER}", "NASCAN", False),
        (f"scan:{ATTACKER}", "NASCAN", True),
    ]
    last = found(packets)[-1]
    assert isinstance(last, Found)
    assert (last.told.body["count"], last.told.body["source_address"]) == (60, ATTACKER)
    assert last.told.body["evidence"][0]["pace"] == "fast"


def test_a_scan_that_is_refused_is_told_before_the_patience_is_over() -> None:
    packets: list[Timed] = []
    for port in range(30):
        packets.append((port / 100, knock(ATTACKER, HOST, 1000 + port)))
        reset = IP(src=HOST, dst=ATTACKER) / TCP(sport=1000 + port, dport=40000, flags="RA")
        packets.append((port / 100 + 0.001, reset))
    first = found(packets)[0]

    assert isinstance(first, Found)
    assert (first.at - AT).total_seconds() == pytest.approx(1)


@pytest.mark.parametrize("flags", ["F", "", "FPU"])
def test_a_scan_by_packets_that_no_stack_sends_is_a_scan(flags: str) -> None:
    packets = [(port / 100, knock(ATTACKER, HOST, 1000 + port, flags)) for port in range(30)]

    assert told(packets)[0] == (f"scan:{ATTACKER}", "NASCAN", False)


def test_a_scan_by_datagrams_is_told_by_the_errors_that_come_back() -> None:
    packets: list[Timed] = []
    for port in range(30):
        probe = IP(src=ATTACKER, dst=HOST) / UDP(sport=40000, dport=1000 + port)
        packets.append((port / 10, IP(src=HOST, dst=ATTACKER) / ICMP(type=3, code=3) / probe))

    assert told(packets)[0] == (f"scan:{ATTACKER}", "NASCAN", False)


def test_answers_that_come_too_late_for_their_asker_are_no_scan() -> None:
    packets: list[Timed] = []
    for port in range(60):
        answer = IP(src="10.1.1.53", dst=HOST) / UDP(sport=53, dport=30000 + port) / DNS(qr=1)
        packets.append((port / 10, IP(src=HOST, dst="10.1.1.53") / ICMP(type=3, code=3) / answer))

    assert told(packets) == []


def refused_at_names(server: int) -> Timed:
    """A question to a name server that comes back as unreachable."""
    question = ask("www.example.net") / b""
    question[IP].dst = f"198.51.100.{server}"
    return server / 10, IP(src="10.1.1.1", dst=HOST) / ICMP(type=3, code=3) / question


def test_a_resolver_whom_many_servers_answer_is_no_scan_and_one_who_is_answered_by_one_is() -> None:
    refused = [refused_at_names(server) for server in range(40)]
    answers = [
        (
            0.0,
            IP(src=f"192.0.2.{server}", dst=HOST)
            / UDP(sport=53, dport=5000)
            / DNS(qr=1, qd=DNSQR(qname="x.cn")),
        )
        for server in range(8)
    ]

    assert told([*answers, *refused]) == []
    assert told([*answers[:1], *refused])[0] == (f"scan:{HOST}", "NASCAN", False)


def test_a_scan_by_datagrams_of_ipv6_is_told_and_datagrams_that_are_too_large_are_none() -> None:
    refused: list[Timed] = []
    too_large: list[Timed] = []
    for port in range(30):
        probe = IPv6(src="2001:db8::9", dst="2001:db8::5") / UDP(sport=40000, dport=1000 + port)
        back = IPv6(src="2001:db8::5", dst="2001:db8::9")
        refused.append((port / 10, back / ICMPv6DestUnreach(code=4) / probe))
        too_large.append((port / 10, back / ICMPv6PacketTooBig() / probe))

    assert told(refused)[0] == ("scan:2001:db8::9", "NASCAN", False)
    assert told(too_large) == []


def test_a_scan_behind_extension_headers_is_a_scan_and_work_behind_them_is_none() -> None:
    def between(source: str, target: str, here: int, there: int, flags: str) -> Packet:
        head = IPv6(src=source, dst=target) / IPv6ExtHdrHopByHop() / IPv6ExtHdrDestOpt()
        return head / IPv6ExtHdrFragment() / TCP(sport=here, dport=there, flags=flags)

    knocks = [(port / 100, between("2001:db8::9", "2001:db8::5", 4000, port, "S")) for port in range(60)]
    answers = [(port / 100, between("2001:db8::5", "2001:db8::9", port, 4000, "SA")) for port in range(60)]

    assert told(knocks)[0] == ("scan:2001:db8::9", "NASCAN", False)
    assert told([*knocks, *answers]) == []


def advertised(mac: str, to: str = "2001:db8::5") -> Packet:
    option = ICMPv6NDOptDstLLAddr(lladdr=mac)
    return IPv6(src="fe80::1", dst=to, hlim=255) / ICMPv6ND_NA(tgt="fe80::1", R=1, O=1) / option


def asked_for_the_gateway() -> Packet:
    solicited = IPv6(src="2001:db8::5", dst="ff02::1:ff00:1", hlim=255) / ICMPv6ND_NS(tgt="fe80::1")
    return solicited / ICMPv6NDOptSrcLLAddr(lladdr="02:00:00:00:00:05")


def test_a_gateway_taken_over_by_advertisements_that_nobody_asked_for_is_spoofed() -> None:
    owner, thief = "02:00:00:00:00:aa", "02:00:00:00:00:bb"
    packets: list[Timed] = [(0.0, asked_for_the_gateway()), (0.1, advertised(owner))]
    packets += [(20.0 + second, advertised(thief)) for second in range(5)]

    assert told(packets)[0] == ("arp:fe80::1", "NATRAFHIJ", False)


def test_a_gateway_that_moves_and_answers_whoever_asks_is_no_spoofing() -> None:
    owner, other = "02:00:00:00:00:aa", "02:00:00:00:00:bb"
    packets: list[Timed] = []
    for second in range(40):
        packets.append((float(second), asked_for_the_gateway()))
        packets.append((second + 0.1, advertised(owner if second < 20 else other)))
    packets.append((20.0, advertised(other, "ff02::1")))

    assert told(packets) == []


def test_a_neighbour_that_is_advertised_by_two_in_turns_is_spoofed() -> None:
    packets: list[Timed] = []
    for second in range(12):
        mac = "02:00:00:00:00:bb" if second % 3 else "02:00:00:00:00:aa"
        option = ICMPv6NDOptDstLLAddr(lladdr=mac)
        advert = ICMPv6ND_NA(tgt="2001:db8::1", R=1, O=1) / option
        packets.append((float(second), IPv6(src="2001:db8::1", dst="ff02::1", hlim=255) / advert))

    assert told(packets)[0] == ("arp:2001:db8::1", "NATRAFHIJ", False)


def test_a_slow_scan_over_hours_is_told_too() -> None:
    packets = [(number * 240.0, knock(ATTACKER, f"10.1.2.{number}", 445)) for number in range(80)]

    assert (f"scan:{ATTACKER}", "NASCAN", False) in told(packets)


def test_a_busy_browser_and_a_port_that_closes_after_work_are_no_scan() -> None:
    packets: list[Timed] = []
    for number in range(200):
        target = f"198.51.100.{number % 100 + 1}"
        packets += [(number / 50, one) for one in open_door(HOST, target, 443 + number // 100)]
        packets.append(
            (number / 50 + 0.01, IP(src=target, dst=HOST) / TCP(sport=443, dport=40000, flags="R"))
        )

    assert told(packets) == []


def test_a_flood_of_connections_from_forged_addresses_has_no_source() -> None:
    packets = [(number / 150, knock(f"198.18.{number % 250}.7", HOST, 443)) for number in range(750)]
    reports = [
        one.told.body for one in found(packets, TrafficSettings(floods=FLOOD)) if isinstance(one, Found)
    ]
    floods = [body for body in reports if body["class"] == "NADOS"]

    assert {body["key"] for body in floods} == {f"flood:syn:{HOST}:443"}
    assert (floods[0]["source_address"], floods[0]["evidence"][0]["per_second"]) == (None, 150)
    assert (floods[-1]["restored"], floods[-1]["count"]) == (True, 450)


def test_three_busy_seconds_that_are_not_in_a_row_are_no_flood() -> None:
    packets: list[Timed] = []
    for begin in (0, 10, 20):
        for number in range(150):
            packets += [(begin + number / 150, one) for one in open_door(ATTACKER, HOST, 443)]

    assert found(packets, TrafficSettings(floods=FLOOD)) == []


def test_a_flood_of_datagrams_from_one_address_names_it() -> None:
    packet = IP(src=ATTACKER, dst=HOST) / UDP(sport=9, dport=9)
    packets = [(number / 120, packet) for number in range(480)]
    first = found(packets, TrafficSettings(floods=FLOOD))[0]

    assert isinstance(first, Found)
    assert (first.told.body["key"], first.told.body["source_address"]) == (f"flood:udp:{HOST}", ATTACKER)


def test_an_address_that_two_claim_in_turns_is_spoofed() -> None:
    owner, thief = "02:00:00:00:00:aa", "02:00:00:00:00:bb"
    packets = [(second, claim(GATEWAY, thief if second % 3 else owner)) for second in range(12)]

    assert told(packets)[0] == (f"arp:{GATEWAY}", "NATRAFHIJ", False)


def test_an_address_taken_over_by_replies_that_nobody_asked_for_is_spoofed() -> None:
    packets: list[Timed] = [(0.0, ARP(op=1, psrc=HOST, pdst=GATEWAY, hwsrc="02:00:00:00:00:05"))]
    packets.append((0.01, claim(GATEWAY, "02:00:00:00:00:aa")))
    packets += [(20.0 + second, claim(GATEWAY, "02:00:00:00:00:bb")) for second in range(5)]

    assert told(packets)[0] == (f"arp:{GATEWAY}", "NATRAFHIJ", False)


def test_a_failover_back_and_forth_and_a_shared_address_are_no_spoofing() -> None:
    owner, other, shared = "02:00:00:00:00:aa", "02:00:00:00:00:bb", "00:00:5e:00:01:07"
    packets = [
        (float(second), claim(GATEWAY, other if 10 <= second < 40 else owner, GATEWAY))
        for second in range(60)
    ]
    packets += [(second + 0.5, claim("10.1.1.2", shared if second % 2 else owner)) for second in range(60)]

    assert told(packets) == []


def test_ever_new_long_names_of_one_domain_are_a_tunnel() -> None:
    packets = [(number / 4, ask(f"{number:040x}.t.example.net")) for number in range(90)]

    assert told(packets) == [
        (f"dns_tunnel:{HOST}:example.net", "ABTRAFFIC", False),
        (f"dns_tunnel:{HOST}:example.net", "ABTRAFFIC", True),
    ]


def test_names_of_webmail_are_kept_with_who_asked_or_greeted_over_the_whole_recording() -> None:
    head = IP(src=HOST, dst="203.0.113.9") / TCP(sport=40000, dport=443, flags="PA")
    packets: list[Timed] = [(float(number), ask("mail.qq.com")) for number in range(0, 30, 10)]
    packets += [
        (number + 0.5, head / greeting) for number, greeting in enumerate([hello(), hello(), hello()[:70]])
    ]
    packets += [(5.0, ask("www.qq.com")), (6.0, head / hello(b"www.qq.com"))]
    recording = Recording(TrafficSettings(), Names({"qq": ["mail.qq.com"]}))

    assert list(recording.play(io.BytesIO(pcap(packets)))) == []
    assert recording.named() == [
        Seen("qq", "mail.qq.com", HOST, 3),
        Seen("qq", "mail.qq.com", HOST, 2, ("203.0.113.9",), "tls"),
    ]
    assert recording.unread == 1


@pytest.mark.parametrize(
    "name",
    [
        "{number:040x}.ip6.arpa",
        "img{number}.cdn.example.net",
        "a-rather-long-name-of-a-host-in-a-data-centre.example.net",
        "{number}.2.0.192.zen.example.org",
    ],
)
def test_reverse_lookups_short_names_and_names_asked_again_are_no_tunnel(name: str) -> None:
    assert told((number / 4, ask(name.format(number=number))) for number in range(200)) == []


def test_a_damaged_end_and_a_link_nobody_knows_are_told_by_the_packets_number() -> None:
    cut = pcap([(0, knock(ATTACKER, HOST, 22))] * 3)[:-5]
    unknown = pcap([(0, knock(ATTACKER, HOST, 22))], link=65000)
    recording = Recording(TrafficSettings())

    assert list(recording.play(io.BytesIO(cut))) == [Unread(3, "packet 3: the file ends 5 bytes too early")]
    assert recording.read == 2
    assert list(Recording(TrafficSettings()).play(io.BytesIO(unknown))) == [
        Unread(1, "link type 65000: nothing in it that can be read")
    ]


@given(st.lists(st.tuples(st.integers(0, 2**32 - 1), st.binary(max_size=60)), max_size=12))
def test_any_packets_at_any_times_end(packets: list[tuple[int, bytes]]) -> None:
    data = pcap([])
    for seconds, raw in packets:
        data += struct.pack("<4I", seconds, 0, len(raw), len(raw)) + raw
    recording = Recording(TrafficSettings())
    list(recording.play(io.BytesIO(data)))

    assert recording.read == len(packets)
