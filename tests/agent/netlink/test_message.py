import doctest
import errno
import socket
import struct
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.netlink import message
from agent.netlink.message import (
    HEADER,
    NetlinkError,
    attributes,
    dump,
    pack_attribute,
    reason,
    refusal,
    split,
)


def packed(kind: int, payload: bytes) -> bytes:
    return (HEADER.pack(HEADER.size + len(payload), kind, 0, 1, 0) + payload).ljust(
        HEADER.size + len(payload) + 3 & ~3, b"\0"
    )


@given(st.lists(st.tuples(st.integers(0, 0xFFFF), st.binary(max_size=40)), max_size=8))
def test_messages_of_a_datagram_come_out_as_they_went_in(rows: list[tuple[int, bytes]]) -> None:
    datagram = b"".join(packed(kind, payload) for kind, payload in rows)

    assert [(one.type, one.payload) for one in split(datagram)] == rows


@given(st.dictionaries(st.integers(0, 0x3FFF), st.binary(max_size=40), max_size=8))
def test_attributes_of_a_message_come_out_as_they_went_in(values: dict[int, bytes]) -> None:
    joined = b"".join(pack_attribute(kind, value) for kind, value in values.items())

    assert attributes(joined) == values


def test_the_mark_of_a_nested_attribute_is_no_part_of_its_number() -> None:
    assert attributes(pack_attribute(18 | 0x8000, b"x")) == {18: b"x"}


@given(st.binary(max_size=300))
def test_garbage_is_a_netlink_error_and_never_anything_else(data: bytes) -> None:
    for read in (lambda: list(split(data)), lambda: attributes(data), lambda: refusal(data)):
        with suppress(NetlinkError):
            read()


def test_a_message_of_length_zero_is_an_error_and_not_an_endless_loop() -> None:
    with pytest.raises(NetlinkError, match="claims 0 bytes"):
        list(split(struct.pack("=IHHII", 0, 16, 0, 0, 0)))


def test_what_the_kernel_refuses_is_told_with_its_reason() -> None:
    with pytest.raises(NetlinkError, match=r"refused a dump of type 9999: Operation not supported"):
        list(dump(socket.NETLINK_ROUTE, 9999, bytes(16)))


def test_of_a_missing_right_is_told_which_one_the_kernel_asks_for() -> None:
    assert reason(errno.EPERM) == "Operation not permitted; needs CAP_NET_ADMIN"
    assert reason(errno.EBUSY) == "Device or resource busy"


def test_the_examples_of_the_file_are_true() -> None:
    assert doctest.testmod(message).failed == 0
