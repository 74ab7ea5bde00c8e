from hypothesis import given
from hypothesis import strategies as st

from agent.capture.frames import COOKED, COOKED_V2, ETHERNET, KNOWN, NULL, RAW, count, network
from agent.detection.tally import Tally

ADDRESSES = bytes([10, 0, 0, 1, 10, 0, 0, 2])
SYN = bytes([0x45]) + bytes(8) + b"\x06" + bytes(2) + ADDRESSES + b"\x9c\x40\x01\xbb" + bytes(9) + b"\x02"
CONTACT = (ADDRESSES[:4], ADDRESSES[4:], b"\x01\xbb")


def counted(protocol: int, packet: bytes) -> Tally:
    tally = Tally()
    count(tally, protocol, packet)
    return tally


def test_every_link_says_where_its_packet_begins() -> None:
    macs = bytes(12)

    assert network(ETHERNET, macs + b"\x08\x00" + SYN) == (0x0800, 14)
    assert network(ETHERNET, macs + b"\x81\x00\x00\x05\x08\x06") == (0x0806, 18)
    assert network(ETHERNET, macs + b"\x88\xa8\x00\x05\x81\x00\x00\x06\x86\xdd") == (0x86DD, 22)
    assert network(COOKED, bytes(14) + b"\x08\x00") == (0x0800, 16)
    assert network(COOKED_V2, b"\x08\x00" + bytes(18)) == (0x0800, 20)
    assert network(RAW, SYN) == (0x0800, 0)
    assert network(NULL, bytes(4) + b"\x60") == (0x86DD, 4)


def test_tags_without_end_are_nothing() -> None:
    assert network(ETHERNET, bytes(12) + b"\x81\x00\x00\x05" * 9)[0] == 0


def test_a_connection_asked_for_is_counted_by_its_door() -> None:
    assert counted(0x0800, SYN).asked == {CONTACT: 1}
    assert counted(0x0800, bytes([0x46]) + SYN[1:20] + bytes(4) + SYN[20:]).asked == {CONTACT: 1}


def test_ipv6_is_counted_likewise() -> None:
    packet = bytes([0x60]) + bytes(5) + b"\x06\x40" + bytes(15) + b"\1" + bytes(15) + b"\2" + SYN[20:]

    assert counted(0x86DD, packet).asked == {(bytes(15) + b"\1", bytes(15) + b"\2", b"\x01\xbb"): 1}


def test_a_later_fragment_has_no_ports() -> None:
    tally = counted(0x0800, SYN[:6] + b"\x00\x10" + SYN[8:])

    assert (tally.asked, tally.packets) == ({}, 1)


def test_a_datagram_is_counted_as_often_as_it_stands_for() -> None:
    packet = SYN[:9] + b"\x11" + SYN[10:20] + b"\x9c\x40\x01\xbb" + bytes(4)
    tally = Tally()
    count(tally, 0x0800, packet, 64)

    assert tally.datagrams == {CONTACT: 64}


def test_an_error_counts_the_datagram_that_it_quotes_and_not_the_answer_to_one_that_left() -> None:
    quoted = SYN[:9] + b"\x11" + SYN[10:20] + b"\x9c\x40\x00\xa1" + bytes(4)
    answer = SYN[:9] + b"\x11" + SYN[10:20] + b"\x00\x35\x9c\x40" + bytes(4)
    error = SYN[:9] + b"\x01" + bytes(2) + ADDRESSES[4:] + ADDRESSES[:4] + bytes([3, 3]) + bytes(6)

    assert counted(0x0800, error + quoted).bounced == {(ADDRESSES[:4], ADDRESSES[4:], b"\x00\xa1"): 1}
    assert counted(0x0800, error + answer).bounced == {}
    assert counted(0x0800, error + SYN).bounced == {}


HOSTS = bytes([0xFE, 0x80]) + bytes(13) + b"\5"
GATEWAY = bytes([0xFE, 0x80]) + bytes(13) + b"\1"
MAC = b"\2\0\0\0\0\7"


def neighbour(
    body: bytes, *, source: bytes = GATEWAY, target: bytes = HOSTS, limit: int = 255, between: bytes = b""
) -> bytes:
    """A neighbour message of IPv6; `between`: a header of options before it."""
    head = bytes([0x60]) + bytes(5) + bytes([60 if between else 58, limit])
    return head + source + target + between + body


ADVERTISED = bytes([136]) + bytes(7) + GATEWAY + b"\x02\x01" + MAC


def test_a_neighbour_claims_its_address_from_this_link_only() -> None:
    assert counted(0x86DD, neighbour(ADVERTISED)).claims == {(GATEWAY, MAC): 1}
    assert counted(0x86DD, neighbour(ADVERTISED)).replies == {(GATEWAY, MAC, HOSTS): 1}
    assert counted(0x86DD, neighbour(ADVERTISED, limit=64)).claims == {}


def test_a_claim_to_all_answers_nobody_and_one_behind_options_is_a_claim() -> None:
    everybody = bytes([0xFF, 2]) + bytes(13) + b"\1"
    to_all = counted(0x86DD, neighbour(ADVERTISED, target=everybody))
    hidden = counted(0x86DD, neighbour(ADVERTISED, between=bytes([58, 0]) + bytes(6)))
    nonce_first = ADVERTISED[:24] + bytes([14, 1]) + bytes(6) + ADVERTISED[24:]

    assert (to_all.claims, to_all.replies) == ({(GATEWAY, MAC): 1}, {})
    assert hidden.claims == counted(0x86DD, neighbour(nonce_first)).claims == {(GATEWAY, MAC): 1}


def test_who_asks_for_a_neighbour_is_known_and_says_its_own_mac_but_not_before_it_has_an_address() -> None:
    asks = bytes([135]) + bytes(7) + GATEWAY + b"\x01\x01" + MAC
    tally = counted(0x86DD, neighbour(asks, source=HOSTS))
    begins = counted(0x86DD, neighbour(asks, source=bytes(16)))

    assert (tally.sought, tally.claims) == ({(HOSTS, GATEWAY)}, {(HOSTS, MAC): 1})
    assert begins.claims == {}


def test_a_router_that_advertises_itself_claims_its_address() -> None:
    assert counted(0x86DD, neighbour(bytes([134]) + bytes(15) + b"\x01\x01" + MAC)).claims == {
        (GATEWAY, MAC): 1
    }
    assert counted(0x86DD, neighbour(bytes([134]) + bytes(15) + bytes(8))).claims == {}


def test_a_datagram_that_was_only_too_large_met_an_open_door() -> None:
    quoted = SYN[:9] + b"\x11" + SYN[10:20] + b"\x9c\x40\x00\xa1" + bytes(4)
    for code, refused in ((3, True), (1, True), (13, True), (4, False)):
        error = SYN[:9] + b"\x01" + bytes(2) + ADDRESSES[4:] + ADDRESSES[:4] + bytes([3, code]) + bytes(6)

        assert bool(counted(0x0800, error + quoted).bounced) == refused


@given(st.sampled_from([*KNOWN, 105, -1]), st.binary(max_size=120))
def test_any_frame_is_counted_once_or_as_nothing(link: int, data: bytes) -> None:
    protocol, begin = network(link, data)
    tally = counted(protocol, data[begin:])

    assert tally.packets == 1
    # These tell more of an ARP packet that is a claim, and of a datagram that is an answer.
    beside = {"packets", "sought", "replies", "answers", "answered", "greetings"}
    kinds = [getattr(tally, name) for name in Tally.__slots__ if name not in beside]
    assert sum(sum(kind.values()) for kind in kinds) <= 1
