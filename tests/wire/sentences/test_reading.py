"""Why bytes were refused reads Chinese to who reads Chinese, and is English on the wire."""

import pytest

from wire.sentences import in_language


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("packet 7: the file ends within its header", "第 7 个报文：文件在其头部中断"),
        (
            "kernel refused a dump of type 26: Operation not permitted",
            "内核拒绝读取类型 26 的表：不允许的操作",
        ),
        ("a hello of version 771", "握手报文的版本为 771"),
    ],
)
def test_it_reads_chinese_with_its_values(english: str, chinese: str) -> None:
    assert in_language(english, "zh") == chinese
    assert in_language(english, "en") == english
