"""The book of what agents say: its story is true, and what it does not have is shown as it came."""

import doctest
from time import perf_counter

from hypothesis import given, settings
from hypothesis import strategies as st

from wire import sentences
from wire.sentences import BOOK, FIELDS, in_language


def test_the_story_is_true() -> None:
    assert doctest.testmod(sentences).failed == 0


@settings(max_examples=60)
@given(st.text(max_size=80))
def test_any_text_is_answered_and_english_stays(text: str) -> None:
    assert isinstance(in_language(text, "zh"), str)
    assert in_language(text, "en") == text


def test_what_no_agent_says_is_shown_as_it_came() -> None:
    assert in_language("a sentence of an agent to come", "zh") == "a sentence of an agent to come"


def test_a_value_full_of_what_stands_between_values_costs_its_length_only() -> None:
    """Who writes a name or a log line can't make a page slow."""
    hostile = "x: [Errno 1] " + "(: of , ; bytes in a hello of is " * 120
    begun = perf_counter()
    for _ in range(20):
        in_language(hostile, "zh")
    assert perf_counter() - begun < 2.0


def test_only_reasons_are_sentences() -> None:
    assert {"why", "what"} == FIELDS
    assert BOOK.in_language("no such file", "zh") == "文件不存在"
