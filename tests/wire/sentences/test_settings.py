"""A mistake of settings reads Chinese to who reads Chinese, and is English on the wire."""

import pytest

from wire.sentences import in_language


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("found nothing, expected one of zh, en", "发现空值，应为以下之一：zh, en"),
        ("language: found 'de', expected one of zh, en", "language：发现 'de'，应为以下之一：zh, en"),
    ],
)
def test_it_reads_chinese_with_its_values(english: str, chinese: str) -> None:
    assert in_language(english, "zh") == chinese
    assert in_language(english, "en") == english
