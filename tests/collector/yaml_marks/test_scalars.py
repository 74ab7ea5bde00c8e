"""Scalars are read exactly or refused."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.yaml_marks.scalars import (
    format_duration,
    parse_bool,
    parse_date,
    parse_duration,
    parse_float,
    parse_int,
    parse_time,
)


@pytest.mark.parametrize(
    "text", ["", "1.0", "0x10", "1_000", "9223372036854775808", "٣", " 1", "1e3", "9" * 5000]
)
def test_what_is_no_whole_number_of_64_bits_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="a whole number"):
        parse_int(text)


@given(st.integers(-(2**63), 2**63 - 1))
def test_every_whole_number_of_64_bits_is_read(number: int) -> None:
    assert parse_int(str(number)) == number


@pytest.mark.parametrize("text", ["", "nan", "inf", "1e999", "1,5", "."])
def test_what_is_no_finite_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="a number"):
        parse_float(text)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_finite_number_is_read(number: float) -> None:
    assert parse_float(repr(number)) == number


def test_only_true_and_false_are_truth_values() -> None:
    assert parse_bool("true")
    assert not parse_bool("false")
    for text in ("yes", "no", "True", "1", ""):
        with pytest.raises(ValueError, match="true or false"):
            parse_bool(text)


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-02",
        "2026-03-02T09:10:00",
        "2026-02-30T09:10:00Z",
        "2026-03-02T24:10:00Z",
        "0001-01-01T00:00:00+08:00",
        "2026-03-02T09:10:00+08:00:30",
        "20260302T091000Z",
        "2026-W10-1T09:10:00Z",
        "٢٠26-03-02T09:10:00Z",
    ],
)
def test_a_time_without_offset_or_off_the_calendar_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"a time with offset|a year from"):
        parse_time(text)


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("2026-03-02T09:10:00+08:00", "2026-03-02T09:10:00+08:00"),
        ("2026-03-02 09:10Z", "2026-03-02T09:10:00+00:00"),
        ("2026-03-02t09:10:00.25-0330", "2026-03-02T09:10:00.250000-03:30"),
    ],
)
def test_a_time_keeps_its_offset(text: str, iso: str) -> None:
    assert parse_time(text).isoformat() == iso


def test_a_day_is_a_day_of_the_calendar() -> None:
    assert parse_date("2028-02-29") == date(2028, 2, 29)
    for text in ("2026-02-29", "2026-3-1", "20260301", ""):
        with pytest.raises(ValueError, match="a day such as"):
            parse_date(text)


@given(st.integers(0, 36_600 * 86_400))
def test_a_duration_reads_back_as_it_was_written(seconds: int) -> None:
    length = timedelta(seconds=seconds)

    assert parse_duration(format_duration(length)) == length


@pytest.mark.parametrize("text", ["", "5", "1h1d", "-1h", "1.5h", "99999999999999999999d", "1w", "40000d"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="a duration"):
        parse_duration(text)
