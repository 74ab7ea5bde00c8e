"""The kernel's own words reads Chinese to who reads Chinese, and is English on the wire."""

import pytest

from wire.sentences import in_language


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("[Errno 2] No such file or directory: '/nope'", "没有那个文件或目录：'/nope'"),
        ("[Errno 99] something of a kernel to come", "something of a kernel to come"),
    ],
)
def test_it_reads_chinese_with_its_values(english: str, chinese: str) -> None:
    assert in_language(english, "zh") == chinese
    assert in_language(english, "en") == english
