"""Why a step came to nothing reads Chinese, with what the node said within."""

import pytest

from collector.phrasebook import told


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        (
            "the node's outcome is refused: this node's settings do not allow block_address",
            "节点拒绝执行：本节点的设置不允许 block_address",
        ),
        ("the node's outcome is failed: no reason given", "节点执行失败：未说明原因"),
        ("no outcome came before the deadline", "期限内没有收到结果"),
        ("something nobody wrote down", "something nobody wrote down"),
    ],
)
def test_a_steps_reason_reads_chinese(english: str, chinese: str) -> None:
    assert told(english, "zh") == chinese
    assert told(english, "en") == english
