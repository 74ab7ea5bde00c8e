"""Sentences of one language as they read in another: a table, with places for the values (pure).

Whoever finds a mistake says it at that place, in English, with its values in the sentence. A phrasebook has
the same sentence with places for the values, and how it reads in Chinese.

>>> book = Phrasebook(
...     {"nothing": "空值", "text": "文本", "at most {size} bytes": "至多 {size} 字节"},
...     {"{one:said} or {other:said}": "{one} 或 {other}"},
... )
>>> book.in_language("at most 40 bytes", "zh"), book.in_language("at most 40 bytes", "en")
('至多 40 字节', 'at most 40 bytes')

A place `{x}` is taken over as it stands. A place `{x:said}` is itself a sentence of the book, and only such a
one is taken there:

>>> book.in_language("nothing or text", "zh"), book.in_language("bread or wine", "zh")
('空值 或 文本', 'bread or wine')

What a book does not have stays English: better read in another language than lost.
"""

import re
from collections.abc import Mapping
from functools import cached_property
from typing import NamedTuple

_PLACE = re.compile(r"\{([a-z]+)(:said)?\}")
_DEEPEST = 4  # a sentence in a sentence in a sentence; no more is written anywhere


class _Phrase(NamedTuple):
    english: re.Pattern[str]
    chinese: str
    said: frozenset[str]


class Phrasebook:
    """The sentences of some tables, English to Chinese.

    Attributes:
        tables: As they were given.
    """

    def __init__(self, *tables: Mapping[str, str]) -> None:
        self.tables = tables

    def in_language(self, sentence: str, language: str) -> str:
        """Return a sentence in a language; anything but zh reads English."""
        return sentence if language != "zh" else (self._chinese(sentence, _DEEPEST) or sentence)

    def skeletons(self) -> frozenset[str]:
        """Every English sentence of the book with `{}` for its places."""
        return frozenset(_PLACE.sub("{}", english) for table in self.tables for english in table)

    def _chinese(self, sentence: str, deep: int) -> str | None:
        if (whole := self._whole.get(sentence)) is not None:
            return whole
        for phrase in self._phrases if deep else ():
            if match := phrase.english.fullmatch(sentence):
                values: dict[str, str | None] = match.groupdict()
                for name in phrase.said:
                    values[name] = self._chinese(match[name], deep - 1)
                if None not in values.values():
                    return _filled(phrase.chinese, values)
        return None

    @cached_property
    def _whole(self) -> dict[str, str]:
        return {
            english: chinese
            for table in self.tables
            for english, chinese in table.items()
            if not _PLACE.search(english)
        }

    @cached_property
    def _phrases(self) -> tuple[_Phrase, ...]:
        """Those with places, the longest first, so that the more exact one is heard."""
        placed = [pair for table in self.tables for pair in table.items() if _PLACE.search(pair[0])]
        placed.sort(key=lambda pair: -len(_PLACE.sub("", pair[0])))
        return tuple(_phrase(english, chinese) for english, chinese in placed)


def _filled(chinese: str, values: Mapping[str, str | None]) -> str:
    return _PLACE.sub(lambda place: str(values[place[1]]), chinese)


def _phrase(english: str, chinese: str) -> _Phrase:
    pattern, end, said = "", 0, set()
    for place in _PLACE.finditer(english):
        pattern += re.escape(english[end : place.start()]) + f"(?P<{place[1]}>.+?)"
        end = place.end()
        if place[2]:
            said.add(place[1])
    return _Phrase(re.compile(pattern + re.escape(english[end:]), re.DOTALL), chinese, frozenset(said))
