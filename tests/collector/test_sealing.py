from datetime import UTC, datetime

import msgspec
import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from collector.sealing import GENESIS, Head, canonical, seal, seal_text, texts_of

FIELDS = st.dictionaries(st.text(max_size=8), st.text(max_size=8) | st.integers(-(2**53) + 1, 2**53 - 1))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text() | st.floats(-1e30, 1e30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(max_size=4), VALUES, max_size=4))
def test_what_is_hashed_is_canonical_json(value: dict[str, object]) -> None:
    assert canonical(value) == rfc8785.dumps(value)


def test_escapes_are_those_of_the_standard() -> None:
    value: dict[str, object] = {
        "all": "".join(map(chr, range(0x2030))) + "\U0001f525",
        "b": [1, -5, True, None],
    }

    assert canonical(value) == rfc8785.dumps(value)


@pytest.mark.parametrize("value", [2**53, "\ud800", {1: 2}, (1,), 1e400])
def test_what_the_standard_does_not_hold_is_refused_or_written_by_the_book(value: object) -> None:
    fields = {"v": value}
    try:
        expected = rfc8785.dumps(fields)  # type: ignore[arg-type]
    except (rfc8785.CanonicalizationError, UnicodeEncodeError) as error:
        with pytest.raises(type(error)):
            canonical(fields)
    else:
        assert canonical(fields) == expected


@given(st.dictionaries(st.text(max_size=4), VALUES | st.datetimes() | st.tuples(VALUES), max_size=4))
def test_what_is_stored_reads_as_what_is_hashed(value: dict[str, object]) -> None:
    stored, hashed = texts_of(value)
    read = msgspec.json.decode(stored)

    assert read == msgspec.json.decode(msgspec.json.encode(value))
    assert canonical(read) == hashed
    assert seal_text(GENESIS, hashed) == seal(GENESIS, read)


@given(st.integers(), st.integers())
def test_a_number_of_any_size_is_written_down(one: int, other: int) -> None:
    stored, hashed = texts_of({"facts": [one, {"loss_yuan": other}]})

    assert canonical(msgspec.json.decode(stored)) == hashed
    assert {str(one), str(other)} == {
        str(msgspec.json.decode(stored)["facts"][0]),
        str(msgspec.json.decode(stored)["facts"][1]["loss_yuan"]),
    }


def test_a_chain_begins_at_nothing() -> None:
    assert (Head("c").n, Head("c").hash) == (0, GENESIS)


@given(FIELDS)
def test_the_order_of_fields_does_not_count(fields: dict[str, object]) -> None:
    assert seal(GENESIS, fields) == seal(GENESIS, dict(reversed(fields.items())))


@given(FIELDS, FIELDS)
def test_other_fields_have_another_seal(one: dict[str, object], other: dict[str, object]) -> None:
    assert (one == other) == (seal(GENESIS, one) == seal(GENESIS, other))


def test_the_entry_before_counts() -> None:
    assert seal(GENESIS, {"n": 1}) != seal("1" * 64, {"n": 1})


def test_what_has_no_json_form_is_refused() -> None:
    with pytest.raises(rfc8785.CanonicalizationError):
        seal(GENESIS, {"at": datetime(2026, 3, 2, tzinfo=UTC)})
