"""What is said of web roots reads Chinese to who reads Chinese, and is English on the wire."""

import pytest

from wire.sentences import in_language


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("hidden by style", "以样式隐藏"),
        (
            "/srv/www: 2 places not compared, first a/b: [Errno 13] Permission denied: '/srv/www/a/b'",
            "/srv/www：2 处未比对，首处 a/b：权限不足：'/srv/www/a/b'",
        ),
    ],
)
def test_it_reads_chinese_with_its_values(english: str, chinese: str) -> None:
    assert in_language(english, "zh") == chinese
    assert in_language(english, "en") == english
