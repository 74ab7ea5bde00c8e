"""What was seen on the host reads Chinese to who reads Chinese, and is English on the wire."""

import pytest

from wire.sentences import in_language


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("runs from memory, no file ever held it", "从内存运行，从未存在于任何文件"),
        (
            "3 lines refused; the last: line of 9000 characters, at most 8192 are read",
            "拒绝 3 行；最后一行：一行 9000 个字符，至多读取 8192 个",
        ),
        (
            "3 programs had ended before they were read; the kernel dropped events 2 times",
            "3 个程序在读取前已结束；内核丢弃事件 2 次",
        ),
    ],
)
def test_it_reads_chinese_with_its_values(english: str, chinese: str) -> None:
    assert in_language(english, "zh") == chinese
    assert in_language(english, "en") == english
