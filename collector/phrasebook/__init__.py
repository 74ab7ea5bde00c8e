"""The Chinese of what is written in English where it arises: mistakes of files and what commands refuse.

Whoever finds a mistake says it at that place, in English, with its values in the sentence. The phrasebook has
the same sentence with places for the values, and how it reads in Chinese; so a new sentence costs one line in
the table of its topic, and `tests/house/test_phrasebook.py` names every sentence that has none.

>>> in_language("at most 40 bytes", "zh"), in_language("at most 40 bytes", "en")
('至多 40 字节', 'at most 40 bytes')

A place `{x}` is taken over as it stands. A place `{x:said}` is itself a sentence of the book, and only such a
one is taken there:

>>> in_language("text or a whole number", "zh"), in_language("bread or wine", "zh")
('文本 或 整数', 'bread or wine')

What the book does not have stays English: better read in another language than lost.
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from . import backups, commands, drills, files, law, plans, register

_TABLES: tuple[Mapping[str, str], ...] = (
    files.CHINESE,
    law.CHINESE,
    register.CHINESE,
    plans.CHINESE,
    commands.CHINESE,
    drills.CHINESE,
    backups.CHINESE,
)
_PLACE = re.compile(r"\{([a-z]+)(:said)?\}")
_DEEPEST = 4  # a sentence in a sentence in a sentence; no more is written anywhere


class _Phrase(NamedTuple):
    english: re.Pattern[str]
    chinese: str
    said: frozenset[str]


def in_language(sentence: str, language: str) -> str:
    """Return a sentence in a language; anything but zh reads English."""
    return sentence if language != "zh" else (_chinese(sentence, _DEEPEST) or sentence)


def skeletons() -> frozenset[str]:
    """Every English sentence of the book with `{}` for its places."""
    return frozenset(_PLACE.sub("{}", english) for table in _TABLES for english in table)


def _chinese(sentence: str, deep: int) -> str | None:
    if (whole := _whole().get(sentence)) is not None:
        return whole
    for phrase in _phrases() if deep else ():
        if match := phrase.english.fullmatch(sentence):
            values: dict[str, str | None] = match.groupdict()
            for name in phrase.said:
                values[name] = _chinese(match[name], deep - 1)
            if None not in values.values():
                return _filled(phrase.chinese, values)
    return None


def _filled(chinese: str, values: Mapping[str, str | None]) -> str:
    return _PLACE.sub(lambda place: str(values[place[1]]), chinese)


@cache
def _whole() -> dict[str, str]:
    return {
        english: chinese
        for table in _TABLES
        for english, chinese in table.items()
        if not _PLACE.search(english)
    }


@cache
def _phrases() -> tuple[_Phrase, ...]:
    """Those with places, the longest first, so that the more exact one is heard."""
    placed = [pair for table in _TABLES for pair in table.items() if _PLACE.search(pair[0])]
    placed.sort(key=lambda pair: -len(_PLACE.sub("", pair[0])))
    return tuple(_phrase(english, chinese) for english, chinese in placed)


def _phrase(english: str, chinese: str) -> _Phrase:
    pattern, end, said = "", 0, set()
    for place in _PLACE.finditer(english):
        pattern += re.escape(english[end : place.start()]) + f"(?P<{place[1]}>.+?)"
        end = place.end()
        if place[2]:
            said.add(place[1])
    return _Phrase(re.compile(pattern + re.escape(english[end:]), re.DOTALL), chinese, frozenset(said))
