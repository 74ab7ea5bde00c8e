"""What any YAML file gets wrong reads Chinese, whichever way it is wrong."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Annotated, Literal

import pytest
from msgspec import Meta, Struct

from collector import yaml_marks


class Model(Struct, frozen=True, kw_only=True):
    count: Annotated[int, Meta(ge=1)]
    share: float = 0.0
    flag: bool = False
    at: datetime | None = None
    day: date | None = None
    wait: timedelta = timedelta(0)
    zone: Literal["intranet", "internet"] = "internet"
    names: tuple[str, ...] = ()
    either: int | bool = 0
    code: Annotated[str, Meta(pattern="^[A-Z]+$", max_length=3)] = "A"


def test_values_of_every_kind_are_told(in_chinese: Callable[..., dict[str, str]]) -> None:
    text = """
count: 0
share: much
flag: yes
at: 2026-02-30T00:00:00Z
day: tomorrow
wait: long
zone: internt
names: one
either: [1]
code: abcd
colour: red
"""

    said = in_chinese(lambda: yaml_marks.load(text, "m.yaml", Model))

    assert said["count"] == "'0'｜不小于 1"
    assert said["flag"] == "'yes'｜true 或 false"
    assert said["at"].startswith("'2026-02-30T00:00:00Z'｜带时区偏移的时间，如 2026-03-02T09:10:00+08:00（")
    assert said["zone"] == "'internt'｜以下之一：intranet, internet（是否想写 'internet'？）"
    assert said["names"] == "'one'｜列表"
    assert said["either"] == "列表｜整数 或 true 或 false"
    assert said["colour"].startswith("未知字段 'colour'｜以下之一：")
    assert len(said) == 11


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [", "有效的 YAML"),
        ("a: 1\na: 2\n", "重复的名称 'a'（首见于第 1 行）｜每个名称只出现一次"),
        ("a: !!python/object:os.system x", "不带标签：类型由模型决定"),
        ("--- 1\n--- 2\n", "第二个文档｜每个文件一个文档"),
        ("a: *b", "别名 *b｜在其之前定义的锚点"),
        ("[" * 60 + "]" * 60, "超过 40 层嵌套｜较浅的嵌套"),
        ("? [a]\n: b\n", "以列表或映射作名称｜普通文本"),
        ("a: \x01", "可打印的 UTF-8 文本"),
        ("x" * 1_000_001, "1000001 个字符｜至多 1000000"),
    ],
)
def test_a_file_of_bad_form_is_told(text: str, said: str, in_chinese: Callable[..., dict[str, str]]) -> None:
    assert said in "".join(in_chinese(lambda: yaml_marks.load(text, "m.yaml", Model)).values())
