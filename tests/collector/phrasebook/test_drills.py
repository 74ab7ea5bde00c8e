"""What a script of a drill gets wrong reads Chinese."""

import pytest

from collector.cli.telling import told
from collector.drills import read_script
from collector.yaml_marks import Mistakes
from tests.collector.drills.scripts import SCRIPT


def test_mistakes_of_a_script_are_told() -> None:
    broken = SCRIPT.replace("-5m", "soon").replace("name: second", "name: first")
    with pytest.raises(Mistakes) as caught:
        read_script(broken, "s.yaml")
    said = told(caught.value, "zh").split("\n")

    assert any("now、如 -20m 的倒推时长" in line for line in said)
    assert any("不与其他事件重复的名称" in line for line in said)
    assert not [line for line in said if " expected " in line]
