"""A greeting is read by its own lengths: what holds, what is cut, and what contradicts itself."""

import doctest
import ssl
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.detection import tls
from agent.detection.tls import CutError, TlsError, server_name

GREASE = 0x6A6A
KEY_SHARE, ECH, PADDING = 51, 0xFE0D, 21


def extension(kind: int, data: bytes) -> bytes:
    return struct.pack("!HH", kind, len(data)) + data


def named(*names: bytes, kind: int = 0) -> bytes:
    """The extension that says by which name the server is greeted."""
    entries = b"".join(bytes([kind]) + struct.pack("!H", len(name)) + name for name in names)
    return extension(0, struct.pack("!H", len(entries)) + entries)


def message(*extensions: bytes, session: bytes = bytes(32), suites: bytes = b"\x6a\x6a\x13\x01") -> bytes:
    """A ClientHello with its handshake head."""
    body = b"\3\3" + bytes(range(32)) + bytes([len(session)]) + session
    body += struct.pack("!H", len(suites)) + suites + b"\1\0"
    if extensions:
        body += struct.pack("!H", sum(map(len, extensions))) + b"".join(extensions)
    return b"\1" + len(body).to_bytes(3, "big") + body


def records(data: bytes, size: int = 1 << 14) -> bytes:
    """A message as it is sent, in records of at most so many bytes."""
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    return b"".join(b"\x16\3\1" + struct.pack("!H", len(piece)) + piece for piece in pieces)


def hello(name: bytes = b"mail.qq.com") -> bytes:
    """A greeting as browsers send it: GREASE, then what nobody here looks at, then the name."""
    return records(message(extension(GREASE, b""), extension(10, b"\0\2\0\x1d"), named(name)))


def greeting_of_a_library(name: str) -> bytes:
    """What OpenSSL sends first."""
    out = ssl.MemoryBIO()
    client = ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), out, server_hostname=name)
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return out.read()


def test_the_examples_are_true() -> None:
    assert doctest.testmod(tls).attempted
    assert doctest.testmod(tls).failed == 0


@pytest.mark.parametrize("name", ["mail.qq.com", "portal.example.gov.cn", "a" * 63 + ".example.cn"])
def test_the_greeting_of_a_library_says_whom_it_means(name: str) -> None:
    assert server_name(greeting_of_a_library(name)) == name


def test_a_library_that_greets_a_number_says_no_name() -> None:
    assert server_name(greeting_of_a_library("203.0.113.9")) == ""


def test_an_international_name_goes_as_dns_has_it() -> None:
    assert server_name(greeting_of_a_library("邮箱.中国")) == "xn--c0zu34b.xn--fiqs8s"


@pytest.mark.parametrize(
    ("wire", "name"),
    [
        (b"MAIL.qq.com", "mail.qq.com"),
        (b"mail.qq.com.", "mail.qq.com"),
        (b"a_b.example.cn", "a_b.example.cn"),
    ],
)
def test_letters_and_a_last_dot_make_no_other_name(wire: bytes, name: str) -> None:
    assert server_name(hello(wire)) == name


@given(size=st.integers(1, 400))
def test_a_greeting_in_many_records_is_the_same_greeting(size: int) -> None:
    whole = message(extension(KEY_SHARE, bytes(300)), named(b"mail.qq.com"))

    assert server_name(records(whole, size)) == "mail.qq.com"


def test_extensions_that_nobody_knows_and_what_follows_the_greeting_are_passed_over() -> None:
    strange = [extension(0x0A0A + 0x1010 * one, bytes(one)) for one in range(16)]
    whole = records(message(*strange, named(b"mail.qq.com"), extension(PADDING, bytes(200))))

    assert server_name(whole + b"\x14\3\3\0\1\1") == "mail.qq.com"


def test_under_encrypted_hello_the_name_is_the_outer_one() -> None:
    inner = extension(ECH, b"\0" + bytes(180))

    assert server_name(records(message(inner, named(b"public.example.net")))) == "public.example.net"


@pytest.mark.parametrize("greeting", [message(), message(extension(KEY_SHARE, bytes(40)))])
def test_a_greeting_without_a_name_has_none(greeting: bytes) -> None:
    assert server_name(records(greeting)) == ""


def test_a_name_in_the_first_packet_is_read_and_one_in_the_second_is_not() -> None:
    """A key share of ML-KEM makes 1.7 kB of it; browsers send their extensions in any order."""
    share = extension(KEY_SHARE, bytes(1260))
    first = records(
        message(extension(GREASE, b""), named(b"mail.qq.com"), share, extension(PADDING, bytes(300)))
    )
    second = records(
        message(extension(GREASE, b""), share, extension(PADDING, bytes(300)), named(b"mail.qq.com"))
    )

    assert server_name(first[:1448]) == server_name(second) == "mail.qq.com"
    with pytest.raises(CutError):
        server_name(second[:1448])


@given(cut=st.integers(0, len(hello()) - 1))
def test_wherever_it_is_cut_it_says_so_and_never_that_it_has_no_name(cut: int) -> None:
    with pytest.raises(CutError):
        server_name(hello()[:cut])


LONG = named(b".".join([b"a" * 60] * 5))


@pytest.mark.parametrize(
    "wire",
    [
        named(b"mail.qq.com\0.example.cn"),
        named("mäil.example.de".encode()),
        named("邮箱.中国".encode()),
        named(b"a b.example.cn"),
        named(b"..mail.qq.com"),
        named(b"mail..qq.com"),
        named(b"."),
        named(b""),
        named(b"a" * 64 + b".cn"),
        LONG,
        named(),
        named(b"mail.qq.com", b"mail.163.com"),
        named(b"mail.qq.com", kind=1),
        extension(0, b""),
        extension(0, b"\0"),
        extension(0, b"\0\x09\0\0\x06mx.gov"[:-1]),
        extension(0, b"\xff\xff\0\0\x06mx.gov"),
        extension(0, b"\0\x09\0\xff\xffmx.gov"),
        extension(0, b"\0\x09\0\0\x06mx.gov\0"),
    ],
)
def test_a_name_that_is_no_hosts_is_refused(wire: bytes) -> None:
    with pytest.raises(TlsError) as refused:
        server_name(records(message(wire)))
    assert not isinstance(refused.value, CutError)


def broken(at: int, new: bytes) -> bytes:
    """A message with other bytes at a place; lengths stay as they are."""
    whole = message(named(b"mail.qq.com"))
    return records(whole[:at] + new + whole[at + len(new) :])


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x17" + hello()[1:],
        b"\x16\x02" + hello()[2:],
        b"\x16\3\1\0\0" + hello(),
        b"\x16\3\1\x40\1" + hello()[5:],
        broken(0, b"\2"),  # a ServerHello
        broken(1, b"\xff\xff\xff"),
        broken(4, b"\2"),
        broken(38, b"\x21"),  # a session of 33 bytes
        broken(38, b"\xff"),
        broken(71, b"\0\0"),  # no suites
        broken(71, b"\0\3"),  # a suite and a half
        broken(71, b"\xff\xfe"),
        broken(77, b"\0"),  # no compression
        broken(79, b"\0\0"),  # extensions that end before the message
        broken(79, b"\xff\xff"),
        broken(83, b"\xff\xff"),  # an extension longer than all of them
        records(message(named(b"mail.qq.com"))[:40], 20)[:-1] + b"\x17\3\3\0\1\0",
        records(message(extension(GREASE, b"")), 50)[:55] + b"\x15\3\3\0\2\2\x28" + bytes(60),
    ],
)
def test_what_contradicts_itself_is_refused(data: bytes) -> None:
    with pytest.raises(TlsError) as refused:
        server_name(data)
    assert not isinstance(refused.value, CutError)


HEADS = st.sampled_from([b"", b"\x16\3\1", hello()[:5], hello()[:60], hello()[:-14]])


@given(begin=HEADS, rest=st.binary(max_size=120))
def test_whatever_comes_is_a_name_none_or_refused(begin: bytes, rest: bytes) -> None:
    try:
        name = server_name(begin + rest)
    except TlsError:
        return
    assert name == name.lower()
    assert name.isascii()
    assert len(name) <= 253


@given(
    kinds=st.lists(st.tuples(st.integers(1, 0xFFFF), st.binary(max_size=40)), max_size=20),
    place=st.integers(0, 20),
)
def test_among_any_extensions_the_name_is_found(kinds: list[tuple[int, bytes]], place: int) -> None:
    others = [extension(kind, data) for kind, data in kinds]
    others.insert(min(place, len(others)), named(b"mail.qq.com"))

    assert server_name(records(message(*others))) == "mail.qq.com"
