"""What a drill is called: forms, scopes and kinds of GB/T 38645-2020, its states, the mark it bears."""

from typing import Literal

from wire.vocabulary import Name

Form = Literal["table_top", "live", "demonstration"]
Scope = Literal["department", "unit", "industry", "region", "across"]
Kind = Literal["comprehensive", "special"]
State = Literal["planned", "running", "done", "cancelled"]

FORMS: dict[Form, Name] = {
    "table_top": Name("桌面推演", "table-top"),
    "live": Name("实操演练", "live"),
    "demonstration": Name("示范演练", "demonstration"),
}
SCOPES: dict[Scope, Name] = {
    "department": Name("部门内部", "inside a department"),
    "unit": Name("单位内部", "inside a unit"),
    "industry": Name("行业", "an industry"),
    "region": Name("地区", "a region"),
    "across": Name("跨行业、跨地区", "across industries or regions"),
}
KINDS: dict[Kind, Name] = {
    "comprehensive": Name("综合演练", "comprehensive"),
    "special": Name("专项演练", "special"),
}
STATES: dict[State, Name] = {
    "planned": Name("已计划", "planned"),
    "running": Name("进行中", "running"),
    "done": Name("已完成", "done"),
    "cancelled": Name("已取消", "cancelled"),
}
MARK = Name("【演练】", "[DRILL] ")
"""Stands before every title, subject and body that comes of a drill."""


def marked(text: str, language: str, *, drill: bool) -> str:
    """Return a text with the mark before it, once, where it comes of a drill.

    >>> marked("页面被篡改", "zh", drill=True)
    '【演练】页面被篡改'
    >>> marked(marked("page tampered with", "en", drill=True), "en", drill=True)
    '[DRILL] page tampered with'
    >>> marked("page tampered with", "en", drill=False)
    'page tampered with'
    """
    mark = MARK.in_language(language)
    return text if not drill or text.startswith((MARK.zh, MARK.en)) else mark + text
