"""A sentence reads Chinese with its values; tests/house/test_phrasebook.py holds that each has its line."""

import re

import pytest

from agent.phrasebook import BOOK as AGENT_BOOK
from collector.phrasebook import BOOK, in_language
from wire.phrases import Phrasebook


@pytest.mark.parametrize("book", [BOOK, AGENT_BOOK], ids=["collector", "agent"])
def test_no_sentence_stands_in_two_tables(book: Phrasebook) -> None:
    keys = [english for table in book.tables for english in table]

    assert len(keys) == len(set(keys))


@pytest.mark.parametrize("table", [*BOOK.tables, *AGENT_BOOK.tables])
def test_the_chinese_has_the_places_of_the_english_and_is_chinese(table: dict[str, str]) -> None:
    for english, chinese in table.items():
        places = [set(re.findall(r"\{([a-z]+)", text)) for text in (english, chinese)]
        assert places[0] == places[1], english
        assert re.search("[\u4e00-\u9fff]", chinese) or not re.search(
            "[a-z]{2}", re.sub(r"\{.*?\}", "", chinese)
        )


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("a whole number", "整数"),
        ("at least 3", "不小于 3"),
        ("at least one step", "至少一个步骤"),
        ("one of zh, en (did you mean 'en'?)", "以下之一：zh, en（是否想写 'en'？）"),
        ("a condition in CEL ('(' is never closed)", "CEL 条件（'(' 没有闭合）"),
        ("text or a whole number", "文本 或 整数"),
        ("'text or a whole number'", "'text or a whole number'"),
        ("a sentence that nobody wrote", "a sentence that nobody wrote"),
    ],
)
def test_a_sentence_keeps_its_values_and_a_strange_one_its_language(english: str, chinese: str) -> None:
    assert in_language(english, "zh") == chinese
    assert in_language(english, "en") == english
