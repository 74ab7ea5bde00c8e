"""Why an order was not done reads Chinese to who reads Chinese, and is English on the wire."""

import pytest

from wire.sentences import in_language


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("its deadline had passed before its turn came", "轮到该指令时期限已过"),
        (
            "10.0.0.0/8 is never blocked on this node: 10.0.0.53/32 is the resolver",
            "本节点绝不封禁 10.0.0.0/8：10.0.0.53/32 是域名服务器",
        ),
        (
            "not signed by a collector of ours: the signature does not fit what was signed",
            "不是由本系统的采集端签名：签名与内容不符",
        ),
        (
            "settings.outbox.max_bytes: found '3', expected a whole number",
            "settings.outbox.max_bytes：发现 '3'，应为整数",
        ),
    ],
)
def test_it_reads_chinese_with_its_values(english: str, chinese: str) -> None:
    assert in_language(english, "zh") == chinese
    assert in_language(english, "en") == english
