"""What became of what an agent keeps reads Chinese to who reads Chinese, and is English on the wire."""

import pytest

from wire.sentences import in_language


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        (
            "outbox was damaged (database disk image is malformed); kept as /var/lib/x.broken",
            "发件箱已损坏（数据库文件已损坏）；另存为 /var/lib/x.broken",
        ),
        (
            "source files failed (OSError: [Errno 28] No space left on device); starts again in 8 s",
            "数据源 files 出错（OSError：设备上没有剩余空间）；8 秒后重新启动",
        ),
    ],
)
def test_it_reads_chinese_with_its_values(english: str, chinese: str) -> None:
    assert in_language(english, "zh") == chinese
    assert in_language(english, "en") == english
