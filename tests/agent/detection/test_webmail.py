import doctest
import warnings

from agent.detection import webmail
from agent.detection.tally import Tally
from agent.detection.webmail import Names, Seen, Unread, seen, unread
from tests.agent.detection.test_tls import extension, hello, message, records

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from scapy.layers.dns import DNS, DNSQR, DNSRR

CLIENT, RESOLVER = bytes([10, 1, 1, 5]), bytes([10, 1, 1, 53])
SERVER = bytes([203, 0, 113, 9])
NAMES = Names({"qq": ["mail.qq.com"], "gmail": ["mail.google.com"]}, ["exmail.mail.qq.com"])


def asked(tally: Tally, name: str) -> None:
    tally.dns(CLIENT, bytes(DNS(qd=DNSQR(qname=name))))


def answered(tally: Tally, name: str, *addresses: str) -> None:
    rows = [DNSRR(rrname=name, type="A", rdata=one) for one in addresses]
    message = bytes(DNS(qr=1, qd=DNSQR(qname=name), an=rows))
    tally.dns_answer((RESOLVER, CLIENT), b"\x13\x88", message)


def test_the_examples_are_true() -> None:
    assert doctest.testmod(webmail).attempted
    assert doctest.testmod(webmail).failed == 0


def test_names_of_the_list_are_counted_with_the_addresses_that_were_answered() -> None:
    tally = Tally()
    for name in ("set3.mail.qq.com", "set3.mail.qq.com", "MAIL.google.com", "www.example.gov.cn"):
        asked(tally, name)
    answered(tally, "set3.mail.qq.com", "203.0.113.9", "203.0.113.10")
    answered(tally, "www.example.gov.cn", "203.0.113.80")

    assert seen(tally, NAMES) == [
        Seen("qq", "set3.mail.qq.com", "10.1.1.5", 2, ("203.0.113.9", "203.0.113.10")),
        Seen("gmail", "mail.google.com", "10.1.1.5", 1),
    ]


def test_servers_greeted_by_a_name_of_the_list_are_told_beside_what_was_asked_for_it() -> None:
    tally = Tally()
    asked(tally, "mail.qq.com")
    for server, name in ((9, b"Mail.QQ.com"), (9, b"mail.qq.com"), (10, b"mail.qq.com"), (9, b"www.qq.com")):
        tally.hello(CLIENT, SERVER[:3] + bytes([server]), hello(name))

    assert seen(tally, NAMES) == [
        Seen("qq", "mail.qq.com", "10.1.1.5", 1),
        Seen("qq", "mail.qq.com", "10.1.1.5", 3, ("203.0.113.9", "203.0.113.10"), "tls"),
    ]
    assert unread(tally, NAMES) == []


def test_a_greeting_without_a_name_or_by_a_name_that_only_looks_alike_is_not_told() -> None:
    tally = Tally()
    tally.hello(CLIENT, SERVER, records(message(extension(51, bytes(40)))))
    for name in (b"notmail.qq.com", b"mail.qq.com.example.cn", b"a.exmail.mail.qq.com"):
        tally.hello(CLIENT, SERVER, hello(name))

    assert seen(tally, NAMES) == []
    assert unread(tally, NAMES) == []


def test_greetings_that_could_not_be_read_are_counted_by_who_sent_them_if_anybody_wants_to_know() -> None:
    tally = Tally()
    tally.hello(CLIENT, SERVER, hello()[:60])
    tally.hello(CLIENT, SERVER, hello(b"mail.qq.com\0.example.cn"))
    tally.hello(SERVER, CLIENT, hello()[:60])

    assert unread(tally, NAMES) == [Unread("10.1.1.5", 2), Unread("203.0.113.9", 1)]
    assert unread(tally, Names({})) == []


def test_a_flood_of_greetings_is_read_up_to_a_bound_and_counted_beyond_it() -> None:
    tally = Tally()
    for _ in range(2_500):
        tally.hello(CLIENT, SERVER, hello())

    assert seen(tally, NAMES)[0].count == 2_000
    assert unread(tally, NAMES) == [Unread("10.1.1.5", 500)]


def test_what_the_operator_ignores_and_what_only_looks_alike_is_not_told() -> None:
    tally = Tally()
    for name in ("a.exmail.mail.qq.com", "notmail.qq.com", "mail.qq.com.example.cn", "qq.com"):
        asked(tally, name)

    assert seen(tally, NAMES) == []


def test_a_thousand_names_below_one_are_bounded() -> None:
    tally = Tally()
    for number in range(1000):
        asked(tally, f"{number}.mail.qq.com")
        answered(tally, f"{number}.mail.qq.com", *(f"203.0.113.{one}" for one in range(20)))

    found = seen(tally, NAMES)
    assert len(found) == 64
    assert max(len(one.addresses) for one in found) == 16


def test_a_damaged_answer_is_passed_over() -> None:
    tally = Tally()
    tally.dns_answer((RESOLVER, CLIENT), b"\x13\x88", bytes.fromhex("000781800001") + b"\xff" * 40)

    assert seen(tally, NAMES) == []


def test_without_a_list_nothing_is_looked_at() -> None:
    tally = Tally()
    asked(tally, "mail.qq.com")

    assert seen(tally, Names({})) == []
