import doctest
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.detection import dns
from agent.detection.dns import AAAA, CNAME, MX, A, DnsError, Record, question, read

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from scapy.layers.dns import DNS, DNSQR, DNSRR, DNSRRMX

ANSWER = bytes(
    DNS(
        id=7,
        qr=1,
        qd=DNSQR(qname="mail.example.cn", qtype="MX"),
        an=[
            DNSRRMX(rrname="mail.example.cn", preference=10, exchange="mx1.example.net"),
            DNSRR(rrname="mx1.example.net", type="A", rdata="203.0.113.9"),
            DNSRR(rrname="mx1.example.net", type="AAAA", rdata="2001:db8::9"),
            DNSRR(rrname="www.example.cn", type="CNAME", rdata="cdn.example.net"),
            DNSRR(rrname="mail.example.cn", type="TXT", rdata="v=spf1"),
        ],
    )
)


def test_the_examples_are_true() -> None:
    assert doctest.testmod(dns).attempted
    assert doctest.testmod(dns).failed == 0


def test_another_ones_answer_is_read_whole() -> None:
    found = read(ANSWER)

    assert (found.number, found.answers, found.failed, found.cut) == (7, True, 0, False)
    assert (found.name, found.kind) == ("mail.example.cn", MX)
    assert found.records == (
        Record("mail.example.cn", MX, "mx1.example.net", 10),
        Record("mx1.example.net", A, "203.0.113.9"),
        Record("mx1.example.net", AAAA, "2001:db8::9"),
        Record("www.example.cn", CNAME, "cdn.example.net"),
    )


def test_another_one_reads_our_question() -> None:
    asked = DNS(question(513, "Mail.Example.CN.", AAAA))

    assert (asked.id, asked.rd, asked.qr) == (513, 1, 0)
    assert (bytes(asked.qd[0].qname), asked.qd[0].qtype) == (b"Mail.Example.CN.", AAAA)


def test_names_that_point_back_are_followed() -> None:
    head = bytes.fromhex("000781800001000100000000") + b"\4mail\2cn\0" + bytes.fromhex("00010001")
    record = bytes.fromhex("c00c000100010000003c0004cb007109")

    assert read(head + record).records == (Record("mail.cn", A, "203.0.113.9"),)


@pytest.mark.parametrize("end", range(34, len(ANSWER)))
def test_an_answer_that_is_cut_off_says_so_and_gives_what_was_read(end: int) -> None:
    found = read(ANSWER[:end])

    assert found.cut
    assert found.records == read(ANSWER).records[: len(found.records)]


@pytest.mark.parametrize(
    ("message", "why"),
    [
        (b"\0" * 11, "bytes"),
        (bytes(12), "questions"),
        (bytes.fromhex("000701000001000000000000") + b"\xc0\x0c" + bytes(4), "backwards"),
        (bytes.fromhex("000701000001000000000000") + b"\4ma", "cut off"),
        (bytes.fromhex("000701000001000000000000") + b"\2cn\0\0", "question ends"),
    ],
)
def test_what_is_no_message_is_refused(message: bytes, why: str) -> None:
    with pytest.raises(DnsError, match=why):
        read(message)


@pytest.mark.parametrize("name", ["a..b", "x" * 64 + ".cn", ".".join(["abcdefg"] * 40)])
def test_a_name_that_does_not_fit_is_refused(name: str) -> None:
    with pytest.raises(DnsError):
        question(1, name, A)


@given(st.binary(max_size=600))
def test_hostile_bytes_are_read_or_refused(message: bytes) -> None:
    try:
        found = read(message)
    except DnsError:
        return
    assert len(found.records) <= 64


@given(st.integers(0, len(ANSWER) - 1), st.integers(0, 255))
def test_one_wrong_byte_never_escapes(at: int, value: int) -> None:
    try:
        read(ANSWER[:at] + bytes([value]) + ANSWER[at + 1 :])
    except DnsError:
        return
