import doctest
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.detection import record
from agent.detection.record import RecordError, address, bounded, port, when


def test_the_example_is_true() -> None:
    assert doctest.testmod(record).failed == 0


def test_a_time_is_read_in_every_form_sensors_write() -> None:
    assert when(1772413800) == datetime(2026, 3, 2, 1, 10, tzinfo=UTC)
    assert when(1772413800500) == datetime(2026, 3, 2, 1, 10, 0, 500_000, tzinfo=UTC)
    assert when("1772413800.5") == datetime(2026, 3, 2, 1, 10, 0, 500_000, tzinfo=UTC)
    assert when("2026-03-02T01:10:00Z") == datetime(2026, 3, 2, 1, 10, tzinfo=UTC)


@pytest.mark.parametrize("text", ["yesterday", "", 1e300, float("nan"), float("inf")])
def test_what_is_no_time_is_refused(text: str | float) -> None:
    with pytest.raises(RecordError, match="is no time"):
        when(text)


@given(st.one_of(st.text(max_size=40), st.floats()))
def test_any_value_is_a_time_or_refused(text: str | float) -> None:
    with suppress(RecordError):
        assert when(text).tzinfo is UTC


def test_an_address_has_one_form_and_what_is_none_is_left_out() -> None:
    assert [address(text) for text in ("::ffff:10.0.0.1", "FE80::1%eth0", "10.0.0.1", "portal", "")] == [
        "10.0.0.1",
        "fe80::1",
        "10.0.0.1",
        None,
        None,
    ]
    assert [port(number) for number in (0, 443, 65536, -1)] == [None, 443, None, None]


def test_text_from_the_network_is_bounded_and_holds_no_control_characters() -> None:
    assert bounded("a\x1b[31m\nb" + "c" * 300, 8) == "a?[31m?b"
