from datetime import UTC, datetime

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from collector.sealing import GENESIS, Head, seal

FIELDS = st.dictionaries(st.text(max_size=8), st.text(max_size=8) | st.integers(-(2**53) + 1, 2**53 - 1))


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
