"""What is not known of the ways out reads Chinese to who reads Chinese, and is English on the wire."""

import pytest

from wire.sentences import in_language


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        (
            "active check is not made: no beacon and no trace target is named",
            "未做主动探测：未设置信标或探测目标",
        ),
        ("suricata lost 5 of 100 packets (5.0%)", "suricata 在 100 个报文中丢失 5 个（5.0%）"),
        (
            "routing tables could not be read: table changed during 4 dumps of type 26",
            "路由表无法读取：读取类型 26 的表 4 次，每次其间都有变化",
        ),
    ],
)
def test_it_reads_chinese_with_its_values(english: str, chinese: str) -> None:
    assert in_language(english, "zh") == chinese
    assert in_language(english, "en") == english
