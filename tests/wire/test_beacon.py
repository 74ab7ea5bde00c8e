import doctest
from contextlib import suppress
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire import beacon

SAW = beacon.Saw("0" * 32, "203.0.113.200", datetime(2026, 3, 2, 4, tzinfo=UTC))
LINE = beacon.encode(beacon.Answer(msgspec.json.encode(SAW), b"\1" * 64))


def test_an_answer_comes_out_as_it_went_in() -> None:
    answer, saw = beacon.decode(LINE)

    assert saw == SAW
    assert answer.signature == b"\1" * 64


@pytest.mark.parametrize("line", [b"GET / HTTP/1.1\r\n", b"fengsui-beacon 1 xyz\n", b"", b"\xff" * 80])
def test_what_is_no_question_is_refused(line: bytes) -> None:
    with pytest.raises(beacon.BeaconError, match="expected fengsui-beacon 1"):
        beacon.asked(line)


def test_an_endless_answer_is_refused_before_it_is_read() -> None:
    with pytest.raises(beacon.BeaconError, match="at most 1024"):
        beacon.decode(b"[" * 100_000)


@given(st.binary(max_size=400) | st.integers(0, len(LINE)).map(lambda n: LINE[:n]))
def test_garbage_and_cut_answers_are_refused_and_nothing_else(data: bytes) -> None:
    for read in (beacon.decode, beacon.asked):
        with suppress(beacon.BeaconError):
            read(data)


def test_the_examples_of_the_file_are_true() -> None:
    assert doctest.testmod(beacon).failed == 0
