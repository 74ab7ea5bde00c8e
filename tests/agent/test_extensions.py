"""Filter and decoder go behind the same headers: what one finds, the other finds there."""

import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent import extensions
from agent.bpf import ETH_IPV6, TCP, UDP, Assembler, passed
from agent.extensions import EXTENSIONS, behind, walk

SCTP = 132


def packet(kinds: list[int], last: int, *, longer: int = 0, offset: int = 0) -> bytes:
    """Headers of these kinds before what has the kind `last`; `offset` is that of the fragments."""
    made = b""
    following = last
    for kind in reversed(kinds):
        # Of a fragment the second byte is reserved: whatever it says, eight bytes are its length.
        size = 0 if kind == 44 else longer
        rest = bytes(4 + 8 * size)
        made = (
            bytes([following, 0xFF if kind == 44 else size, offset >> 5, (offset << 3) & 0xFF]) + rest + made
        )
        following = kind
    return bytes([0x60, 0, 0, 0, 0, 0, following, 64]) + bytes(32) + made


def ends(data: bytes) -> int:
    """Where the filter finds a first byte of TCP, UDP or SCTP; 0: it drops the packet."""
    made = walk(Assembler(), ((TCP, "found"), (UDP, "found")), "last").label("last")
    made.jump_if(TCP, "found").jump_if(SCTP, "found", "drop").label("found").load_byte_behind(0)
    return passed(made.accept_behind(0).label("drop").drop().code(), data, protocol=ETH_IPV6)


def test_the_example_is_true() -> None:
    assert doctest.testmod(extensions).attempted
    assert doctest.testmod(extensions).failed == 0


@given(
    kinds=st.lists(st.sampled_from([0, 43, 44, 60]), max_size=EXTENSIONS),
    last=st.sampled_from([TCP, SCTP]),
    longer=st.integers(0, 3),
)
def test_what_stands_behind_any_headers_is_found_by_both_at_its_place(
    kinds: list[int], last: int, longer: int
) -> None:
    data = packet(kinds, last, longer=longer) + bytes(4)

    assert behind(data) == (last, len(data) - 4)
    assert ends(data) == len(data) - 4


@pytest.mark.parametrize(
    "data",
    [
        packet([60] * (EXTENSIONS + 1), TCP),
        packet([44], TCP, offset=8),
        packet([135], TCP),
        packet([60, 0], TCP)[:50],
        packet([60], TCP)[:41],
    ],
)
def test_one_too_many_a_later_fragment_one_of_another_kind_and_a_cut_one_hide_no_ports(data: bytes) -> None:
    assert behind(data)[0] != TCP
    assert ends(data) == 0


@given(
    st.binary(max_size=80).map(lambda tail: bytes(40) + tail), st.sampled_from([0, 6, 17, 43, 44, 60, 132])
)
def test_whatever_the_headers_say_the_two_agree(data: bytes, first: int) -> None:
    whole = data[:6] + bytes([first]) + data[7:]
    kind, at = behind(whole)

    assert ends(whole) == (at if kind in {TCP, UDP, SCTP} and at < len(whole) else 0)
