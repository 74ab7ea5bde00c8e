import doctest

from hypothesis import given
from hypothesis import strategies as st

from agent.detection import tally
from agent.detection.tally import Tally

ONE, TWO = bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2])
NEAR, FAR = b"\x9c\x40", b"\x01\xbb"


def test_the_example_is_true() -> None:
    assert doctest.testmod(tally).failed == 0


def test_question_answer_and_refusal_are_counted_for_the_same_contact() -> None:
    counted = Tally()
    counted.tcp(ONE, TWO, (NEAR, FAR), 0x02)
    counted.tcp(TWO, ONE, (FAR, NEAR), 0x12)
    counted.tcp(TWO, ONE, (FAR, NEAR), 0x14)
    counted.tcp(ONE, TWO, (NEAR, FAR), 0x10)
    counted.tcp(ONE, TWO, (NEAR, FAR), 0x11)

    assert counted.asked == counted.opened == counted.refused == {(ONE, TWO, FAR): 1}


def test_a_question_for_a_name_is_counted_and_an_answer_is_not() -> None:
    question = bytes(12) + b"\x03www\x02cn\0\0\1\0\1"
    counted = Tally()
    counted.dns(ONE, question)
    counted.dns(ONE, question[:2] + b"\x80" + question[3:])
    counted.dns(ONE, bytes(12) + b"\x3fnever ends")

    assert counted.names == {(ONE, b"\x03www\x02cn"): 1}


def test_arp_for_anything_but_ethernet_and_ipv4_is_not_counted() -> None:
    packet = b"\0\x01\x08\0\x06\x04\0\x02" + bytes(6) + ONE + bytes(10)
    counted = Tally()
    counted.arp(packet)
    counted.arp(b"\0\x06" + packet[2:])
    counted.arp(packet[:27])

    assert counted.claims == {(ONE, bytes(6)): 1}


def test_a_packet_that_belongs_to_no_connection_is_a_probe() -> None:
    for flags in (0x00, 0x01, 0x29):
        counted = Tally()
        counted.tcp(ONE, TWO, (NEAR, FAR), flags)

        assert counted.asked == {(ONE, TWO, FAR): 1}


@given(st.binary(max_size=64), st.integers(0, 255))
def test_any_bytes_are_counted_at_most_once(data: bytes, flags: int) -> None:
    counted = Tally()
    counted.dns(ONE, data)
    counted.arp(data)
    counted.advertisement(bytes(16), data)
    counted.solicitation(bytes(16), data)
    counted.router(bytes(15) + ONE[:1], data)
    counted.tcp(ONE, TWO, (NEAR, FAR), flags)

    assert sum(map(len, (counted.names, counted.claims))) <= 4
    assert sum(map(len, (counted.asked, counted.opened, counted.refused))) <= 1
