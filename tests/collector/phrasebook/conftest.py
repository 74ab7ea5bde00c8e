"""Real readers' mistakes, as people read them in Chinese."""

import re
from collections.abc import Callable

import pytest

from collector.phrasebook import in_language
from collector.yaml_marks import Mistakes

Reading = Callable[[], object]
# What stays as it was written: what stood in the file, codes, names of fields and of formats.
_KEPT = re.compile(
    r"'[^']*'|（.*）|[A-Za-z0-9_./:+*|,<>=&\[\]\-]*[0-9_/.:\-=|\[\]][A-Za-z0-9_./:+*,<>=&\[\]\-]*"
)
_CODES = re.compile(r"\b(YAML|UTF|JSON|CEL|STIX|CACAO|GB|ISO|RFC|true|false|[A-Z]{2,}|id|http|https)\b")


@pytest.fixture
def in_chinese() -> Callable[[Reading], dict[str, str]]:
    """What a reading gets wrong, by path; fails where English was left standing."""

    def told(reading: Reading) -> dict[str, str]:
        with pytest.raises(Mistakes) as caught:
            reading()
        said = {}
        for mistake in caught.value.mistakes:
            for english in (mistake.found, mistake.expected):
                chinese = in_language(english, "zh")
                kept = english == chinese and not re.search(
                    "[a-z]{3}", _CODES.sub("", _KEPT.sub("", english))
                )
                assert kept or (chinese != english and re.search("[\u4e00-\u9fff]", chinese)), english
            said[mistake.path] = f"{in_language(mistake.found, 'zh')}｜{in_language(mistake.expected, 'zh')}"
        return said

    return told
