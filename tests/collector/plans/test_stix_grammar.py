"""The form of STIX comparisons: what is read, and where it is not."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.plans.stix import syntax_error
from collector.plans.stix_grammar import Comparison, Junction, Negation, StixError, parse


def test_and_binds_closer_than_or_and_not_closest() -> None:
    a, b, c = (Comparison(f"__{name}__:value", "=", (1,)) for name in "abc")

    read = parse("__a__:value = 1 OR NOT __b__:value = 1 AND __c__:value = 1")

    assert read == Junction("OR", (a, Junction("AND", (Negation(b), c))))
    assert parse("[__a__:value NOT = 1]") == Negation(a)


@pytest.mark.parametrize(
    ("text", "constant"),
    [
        ("'it\\'s \\\\ ours'", "it's \\ ours"),
        ("-7", -7),
        ("1.5", 1.5),
        ("TRUE", True),
        ("t'2026-03-02T09:10:00Z'", datetime(2026, 3, 2, 9, 10, tzinfo=UTC)),
        ("h'CAFE'", "cafe"),
        ("b'yv4='", "cafe"),
    ],
)
def test_constants_have_the_types_of_stix(text: str, constant: object) -> None:
    assert parse(f"__a__:value != {text}") == Comparison("__a__:value", "!=", (constant,))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", "column 1: found the end, expected a name"),
        ("Operator input to proceed", "column 1: found 'Operator', expected a name"),
        ("__a__:value 7", "column 13: found '7', expected one of = =="),
        ("__a__:value = 'x", 'column 15: found "\'"'),
        ("__a__:value = 1 __b__:value = 2", "column 17: found '__b__:value', expected AND, OR or the end"),
        ("(__a__:value = 1", "column 17: found the end, expected ')'"),
        ("__a__:value IN ('x' 'y')", "column 21: found \"'y'\", expected ')'"),
        ("__a__:value LIKE 7", "column 18: found '7', expected a text in single quotes"),
        ("__a__:value = t'yesterday'", "column 15: found \"t'yesterday'\", expected a time with offset"),
        ("__a__:value = h'xyz'", "expected hex digits"),
        ("__a__:value = 1；", "column 16: found '；'"),
        ("(" * 60 + "__a__:value = 1" + ")" * 60, "column 51: found '(', expected at most 50 levels"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_column(text: str, wrong: str) -> None:
    with pytest.raises(StixError) as told:
        parse(text)

    assert wrong in str(told.value)


@given(st.text(max_size=80) | st.text(alphabet="_ab:value ='()<>!NOTANDIR017,[]t\\", max_size=80))
def test_any_text_is_read_or_refused_with_a_column(text: str) -> None:
    wrong = syntax_error(text)

    assert wrong is None or wrong.startswith("column ")
