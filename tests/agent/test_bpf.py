import doctest

import pytest

from agent import bpf
from agent.bpf import ETH_IPV6, OUTGOING, Assembler, BpfError, passed


def test_the_example_is_true() -> None:
    assert doctest.testmod(bpf).attempted
    assert doctest.testmod(bpf).failed == 0


def test_a_jump_to_nowhere_or_backwards_is_refused() -> None:
    with pytest.raises(BpfError, match="no way to 'gone'"):
        Assembler().jump_if(1, "gone").drop().code()
    with pytest.raises(BpfError, match="no way to 'begin'"):
        Assembler().label("begin").load_byte(0).jump_if(1, "begin").drop().code()
    with pytest.raises(BpfError, match="no way to 'begin'"):
        Assembler().label("begin").jump("begin").code()
    with pytest.raises(BpfError, match="0 instructions"):
        Assembler().code()


def test_only_a_jump_without_a_question_goes_further_than_256_instructions() -> None:
    far = Assembler().jump("end")
    near = Assembler().jump_if(0, "end")
    for _ in range(300):
        far.set_a(1)
        near.set_a(1)

    assert passed(far.label("end").accept(7).code(), b"") == 7
    with pytest.raises(BpfError, match="within 256 instructions"):
        near.label("end").accept(7).code()


def test_a_header_that_says_its_own_length_is_gone_behind() -> None:
    walk = Assembler().set_x(1).load_byte_behind(0).remember().load_byte_behind(1).go_behind(8, 1).recall()
    program = walk.jump_if(9, "", "drop").accept_behind(2).label("drop").drop().code()

    assert passed(program, b"\0\x09\x02") == 1 + 8 * 3 + 2
    assert passed(program, b"\0\x08\x02") == 0
    assert passed(program, b"\0\x09") == 0


def test_a_length_in_the_upper_half_of_a_byte_is_gone_behind() -> None:
    words = Assembler().set_x(0).load_byte_behind(0).keep_bits(0xF0).shift_down(2).go_behind(1, 0)

    assert passed(words.accept_behind(0).code(), b"\x5f") == 20


def test_what_stands_before_the_packet_is_asked_of_the_kernel() -> None:
    asks = Assembler().load_protocol().jump_if(ETH_IPV6, "", "drop").load_hardware().jump_if(772, "drop")
    program = asks.load_random().keep_bits(3).jump_if(0, "", "drop").accept(1).label("drop").drop().code()

    leaves = Assembler().load_direction().jump_if(OUTGOING, "", "drop").accept(1).label("drop").drop().code()

    assert passed(leaves, b"", direction=OUTGOING) == 1
    assert passed(leaves, b"") == 0
    assert passed(program, b"", protocol=ETH_IPV6, random=4) == 1
    assert passed(program, b"", protocol=ETH_IPV6, random=5) == 0
    assert passed(program, b"", protocol=ETH_IPV6, hardware=772) == 0
    assert passed(program, b"") == 0
