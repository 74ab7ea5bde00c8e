"""Sentences of one language as they read in another: a table, with places for the values (pure).

Whoever finds a mistake says it at that place, in English, with its values in the sentence. A phrasebook has
the same sentence with places for the values, and how it reads in Chinese.

>>> book = Phrasebook(
...     {"nothing": "空值", "text": "文本", "at most {size} bytes": "至多 {size} 字节"},
...     {"{one:said} or {other:said}": "{one} 或 {other}"},
...     {"{file} ended: {why:maybe}": "{file} 已结束：{why}"},
... )
>>> book.in_language("at most 40 bytes", "zh"), book.in_language("at most 40 bytes", "en")
('至多 40 字节', 'at most 40 bytes')

A place `{x}` is taken over as it stands. A place `{x:said}` is itself a sentence of the book, and only such a
one is taken there; `{x:maybe}` is one where the book has it, and stands as it is where not:

>>> book.in_language("nothing or text", "zh"), book.in_language("bread or wine", "zh")
('空值 或 文本', 'bread or wine')
>>> book.in_language("a: nothing ended: text", "zh"), book.in_language("a ended: no luck", "zh")
('a: nothing 已结束：文本', 'a 已结束：no luck')

What a book does not have stays English: better read in another language than lost.

A sentence meets few of the book's. Each stands under one of its own words, and is tried only for a sentence
that has this word; and trying is a walk through its fixed parts, leftmost first, without going back: what a
stranger put into a value costs no more than its length.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import NamedTuple

_PLACE = re.compile(r"\{([a-z]+)(?::(said|maybe))?\}")
_WORD = re.compile(r"[A-Za-z0-9_]+")
_DEEPEST = 4  # a sentence in a sentence in a sentence; no more is written anywhere
MAX_SENTENCE = 4096
"""What is longer is no sentence and is not looked up."""


class _Phrase(NamedTuple):
    """A sentence with places: what is fixed, one part more than there are places, and the places between."""

    fixed: tuple[str, ...]
    places: tuple[tuple[str, str], ...]
    chinese: str

    @property
    def size(self) -> int:
        return sum(map(len, self.fixed))

    def words(self) -> frozenset[str]:
        """Return the words that any sentence of this shape has as words of its own.

        One beside a place may be a part of a longer word there.
        """
        whole = "{}".join(self.fixed)
        return frozenset(
            match[0]
            for match in _WORD.finditer(whole)
            if whole[match.start() - 1 : match.start()] != "}" and whole[match.end() : match.end() + 1] != "{"
        )

    def values(self, sentence: str) -> dict[str, str] | None:
        """Return what stands in the places, each at least a letter; nothing where the sentence is another."""
        first, *between, last = self.fixed
        end = len(sentence) - len(last)
        if not sentence.startswith(first) or not sentence.endswith(last):
            return None
        at, found = len(first), {}
        for (name, _), fixed in zip(self.places, [*between, None], strict=True):
            stop = end if fixed is None else sentence.find(fixed, at + 1, end)
            if stop <= at:
                return None
            found[name], at = sentence[at:stop], stop + len(fixed or "")
        return found


class Phrasebook:
    """The sentences of some tables, English to Chinese.

    Attributes:
        tables: As they were given.
    """

    def __init__(self, *tables: Mapping[str, str]) -> None:
        self.tables = tables

    def in_language(self, sentence: str, language: str) -> str:
        """Return a sentence in a language; anything but zh reads English."""
        if language != "zh" or len(sentence) > MAX_SENTENCE:
            return sentence
        return self._chinese(sentence, _DEEPEST) or sentence

    def skeletons(self) -> frozenset[str]:
        """Every English sentence of the book with `{}` for its places."""
        return frozenset(_PLACE.sub("{}", english) for table in self.tables for english in table)

    def _chinese(self, sentence: str, deep: int) -> str | None:
        if (whole := self._whole.get(sentence)) is not None:
            return whole
        for phrase in self._met(sentence) if deep else ():
            values = phrase.values(sentence)
            filled = values and self._filled(phrase, values, deep)
            if filled:
                return filled
        return None

    def _filled(self, phrase: _Phrase, values: Mapping[str, str], deep: int) -> str | None:
        told = dict(values)
        for name, how in phrase.places:
            if not how:
                continue
            said = self._chinese(values[name], deep - 1)
            if said is None and how == "said":
                return None
            told[name] = values[name] if said is None else said
        return _PLACE.sub(lambda place: told[place[1]], phrase.chinese)

    def _met(self, sentence: str) -> Iterator[_Phrase]:
        """Those that share a word with the sentence and those without any, the longest first."""
        words = {match[0] for match in _WORD.finditer(sentence)}
        near = [phrase for word in words for phrase in self._by_word.get(word, ())]
        near += self._by_word.get("", ())
        near.sort()
        return (phrase for _, phrase in near)

    @cached_property
    def _whole(self) -> dict[str, str]:
        return {
            english: chinese
            for table in self.tables
            for english, chinese in table.items()
            if not _PLACE.search(english)
        }

    @cached_property
    def _by_word(self) -> dict[str, list[tuple[int, _Phrase]]]:
        """Those with places, each with its rank, under the rarest of its words; `""` holds the wordless.

        The longest rank first, so that the more exact one is heard.
        """
        placed = [
            _phrase(english, chinese)
            for table in self.tables
            for english, chinese in table.items()
            if _PLACE.search(english)
        ]
        placed.sort(key=lambda phrase: -phrase.size)
        common = Counter(word for phrase in placed for word in phrase.words())
        under: dict[str, list[tuple[int, _Phrase]]] = {}
        for rank, phrase in enumerate(placed):
            word = min(phrase.words(), key=lambda word: (common[word], word), default="")
            under.setdefault(word, []).append((rank, phrase))
        return under


def _phrase(english: str, chinese: str) -> _Phrase:
    fixed, places, end = [], [], 0
    for place in _PLACE.finditer(english):
        fixed.append(english[end : place.start()])
        places.append((place[1], place[2] or ""))
        end = place.end()
    return _Phrase((*fixed, english[end:]), tuple(places), chinese)
