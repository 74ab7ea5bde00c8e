from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.api.cursor import mark, place
from collector.desk import ProblemError


@given(
    st.lists(
        st.one_of(
            st.integers(0, 2**53),
            st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40),
        ),
        min_size=1,
        max_size=3,
    )
)
def test_a_cursor_leads_back_to_its_key(key: list[str | int]) -> None:
    assert place(mark(key), [type(part) for part in key]) == tuple(key)


@pytest.mark.parametrize(
    "cursor", ["", "!", "WzFd", "bnVsbA", mark([2**60]), mark(["a\0"]), mark(["a", "b"])]
)
def test_a_cursor_of_another_list_is_refused(cursor: str) -> None:
    with pytest.raises(ProblemError, match="cursor"):
        place(cursor, [str])


@given(st.text(max_size=60))
def test_no_text_is_a_fault(text: str) -> None:
    with suppress(ProblemError):
        assert place(text, (int,)) >= (0,)
