"""A sentence reads in another language by its table, however deep its places go."""

import doctest

from wire import phrases
from wire.phrases import Phrasebook

BOOK = Phrasebook({"plain": "平", "{x} and no more": "只有 {x}"}, {"the {x:said} one": "{x}的那个"})


def test_the_story_is_true() -> None:
    assert doctest.testmod(phrases).failed == 0


def test_a_place_is_taken_over_and_a_said_one_is_itself_a_sentence() -> None:
    assert BOOK.in_language("'a' and no more", "zh") == "只有 'a'"
    assert BOOK.in_language("the plain one", "zh") == "平的那个"
    assert BOOK.in_language("the rough one", "zh") == "the rough one"


def test_only_zh_is_another_language() -> None:
    assert BOOK.in_language("plain", "en") == BOOK.in_language("plain", "de") == "plain"


def test_braces_in_values_stay() -> None:
    assert BOOK.in_language("{x} {y} and no more", "zh") == "只有 {x} {y}"


def test_a_book_tells_its_sentences_without_their_values() -> None:
    assert BOOK.skeletons() == {"plain", "{} and no more", "the {} one"}
