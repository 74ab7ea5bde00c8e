"""Why a look was not made reads Chinese to who reads Chinese, and is English on the wire."""

import pytest

from wire.sentences import in_language


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("overdrawn: cpu_seconds 3.3 of 3; rests 783 s", "超出预算：处理器秒数 3.3，上限 3；休息 783 秒"),
        ("/etc/x: [Errno 13] Permission denied: '/etc/x'", "/etc/x：权限不足：'/etc/x'"),
        ("child of a relay, pipes to a relay", "转发程序的子进程，通过管道连接转发程序"),
    ],
)
def test_it_reads_chinese_with_its_values(english: str, chinese: str) -> None:
    assert in_language(english, "zh") == chinese
    assert in_language(english, "en") == english
