"""Decodes frames, from the link to what a `Tally` counts; the live path inlines its common case.

A frame from the network may say anything; what is cut short, malformed, or of a kind that nothing here
looks at is not counted and never an error.
"""

from ..bpf import ETH_ARP, ETH_IPV4, ETH_IPV6, ICMP, ICMPV6, TCP, UDP
from ..detection.tally import Tally
from ..extensions import behind
from .sieve import ADVERTISEMENT, HTTPS, ROUTER, SOLICITATION, UNREACHABLE, UNREACHABLE_V6

# Numbers of link types (tcpdump.org/linktypes.html) whose frames begin as told here.
ETHERNET, RAW, RAW_OLD, RAW_OPENBSD, IPV4, IPV6, COOKED, COOKED_V2, NULL, LOOP = (
    1,
    101,
    12,
    14,
    228,
    229,
    113,
    276,
    0,
    108,
)
KNOWN = frozenset({ETHERNET, RAW, RAW_OLD, RAW_OPENBSD, IPV4, IPV6, COOKED, COOKED_V2, NULL, LOOP})
_TAGS = frozenset({0x8100, 0x88A8, 0x9100})
_DNS = b"\0\x35"
_HTTPS = HTTPS.to_bytes(2, "big")
_OPENS, _DATA = 0x16, 0x10  # of SYN, RST and ACK, data has the last alone
_MOST_TAGS = 3
_ERRORS = {ICMP: UNREACHABLE, ICMPV6: UNREACHABLE_V6}
_TOO_LARGE = 4  # of ICMP "unreachable": the door was there, the datagram did not fit (RFC 1191)
_FROM_THIS_LINK = 255  # a hop limit that no router leaves alone


def network(link: int, frame: bytes) -> tuple[int, int]:
    """Return the Ethernet protocol of what a frame carries, 0 for nothing we know, and where that begins."""
    if link == ETHERNET:
        return _tagged(frame, 12)
    if link == COOKED:
        return _tagged(frame, 14)
    if link == COOKED_V2:
        return int.from_bytes(frame[:2], "big"), 20
    begin = 4 if link in {NULL, LOOP} else 0
    version = frame[begin] >> 4 if len(frame) > begin else 0
    return {4: ETH_IPV4, 6: ETH_IPV6}.get(version, 0), begin


def _tagged(frame: bytes, at: int) -> tuple[int, int]:
    """Read the protocol at an offset, behind up to three VLAN tags."""
    for _ in range(_MOST_TAGS):
        protocol = int.from_bytes(frame[at : at + 2], "big")
        if protocol not in _TAGS:
            return protocol, at + 2
        at += 4
    return 0, at


def count(tally: Tally, protocol: int, packet: bytes, sampled: int = 1) -> None:
    """Count a packet that begins at its network header; `sampled`: of so many datagrams one is seen."""
    tally.packets += 1
    if protocol == ETH_ARP:
        tally.arp(packet)
        return
    kind, source, target, data = _internet(protocol, packet)
    if kind == TCP and len(data) >= 14:
        tally.tcp(source, target, (data[:2], data[2:4]), data[13])
        if data[2:4] == _HTTPS and data[13] & _OPENS == _DATA:
            tally.hello(source, target, data[(data[12] >> 4) * 4 :])
    elif kind == UDP and len(data) >= 8 and data[2:4] == _DNS:
        tally.dns(source, data[8:])
    elif kind == UDP and len(data) >= 8 and data[:2] == _DNS:
        tally.dns_answer((source, target), data[2:4], data[8:])
    elif kind == UDP and len(data) >= 8:
        tally.udp((source, target, data[2:4]), sampled)
    elif kind in _ERRORS and len(data) >= 8 and data[0] == _ERRORS[kind]:
        if (kind, data[1]) != (ICMP, _TOO_LARGE):
            _quoted(tally, protocol, data[8:])
    elif kind == ICMPV6 and packet[7] == _FROM_THIS_LINK:
        _neighbour(tally, source, target, data)


def _neighbour(tally: Tally, source: bytes, target: bytes, data: bytes) -> None:
    """Count what neighbours of IPv6 say of each other."""
    kind = data[0] if data else -1
    if kind == ADVERTISEMENT:
        tally.advertisement(target, data)
    elif kind == SOLICITATION:
        tally.solicitation(source, data)
    elif kind == ROUTER:
        tally.router(source, data)


def _internet(protocol: int, packet: bytes) -> tuple[int, bytes, bytes, bytes]:
    """Return kind, source, target and data of an IP packet; kind -1 for what is none, or has no ports."""
    if protocol == ETH_IPV4 and len(packet) >= 20 and packet[0] >> 4 == 4:
        if not int.from_bytes(packet[6:8], "big") & 0x1FFF:
            return packet[9], packet[12:16], packet[16:20], packet[(packet[0] & 15) * 4 :]
    elif protocol == ETH_IPV6 and len(packet) >= 40 and packet[0] >> 4 == 6:
        kind, begin = behind(packet)
        return kind, packet[8:24], packet[24:40], packet[begin:]
    return -1, b"", b"", b""


def _quoted(tally: Tally, protocol: int, packet: bytes) -> None:
    """Count the datagram that an error quotes: its beginning is the packet that could not be delivered."""
    kind, source, target, data = _internet(protocol, packet)
    if kind == UDP and len(data) >= 4:
        tally.unreachable(source, target, (data[:2], data[2:4]))
