"""Codes among the values of evidence read in both languages; the agent's sources are read for them."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from collector.console.code_words import CODES
from wire.messages import ReportKind

AGENT = Path(__file__).parents[3] / "agent"
NOT_OF_EVIDENCE = {"kind", "state"}  # of links, routes and settings as well
_CODE = re.compile(r"[a-z]+(_[a-z]+)*")


def told() -> Iterator[tuple[str, str]]:
    """Fields and codes that stand beside each other in a mapping or a call, wherever the agent makes one."""
    for path in AGENT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            pairs: list[tuple[object, ast.expr]] = []
            if isinstance(node, ast.Dict):
                pairs = [
                    (key.value, value)
                    for key, value in zip(node.keys, node.values, strict=True)
                    if isinstance(key, ast.Constant)
                ]
            elif isinstance(node, ast.Call):
                pairs = [(one.arg, one.value) for one in node.keywords]
                if getattr(node.func, "id", "") == "Change" and node.args:
                    pairs.append(("change", node.args[0]))
            for field, value in pairs:
                for one in ast.walk(value) if isinstance(value, ast.IfExp) else [value]:
                    if isinstance(one, ast.Constant) and isinstance(one.value, str):
                        yield str(field), one.value


def test_every_code_that_an_agent_tells_has_its_words() -> None:
    fields = CODES.keys() - NOT_OF_EVIDENCE
    codes = {(field, code) for field, code in told() if field in fields and _CODE.fullmatch(code)}

    assert {("fault", "too_old"), ("change", "uid_zero"), ("would", "block"), ("how", "turns")} <= codes
    assert {(field, code) for field, code in codes if code not in CODES[field]} == set()


def test_every_kind_of_report_that_a_gap_may_concern_has_its_words() -> None:
    assert {*get_args(ReportKind), "any"} == CODES["kind"].keys()


@pytest.mark.parametrize("field", CODES)
def test_both_languages_have_a_word(field: str) -> None:
    for name in CODES[field].values():
        assert re.search("[\u4e00-\u9fff]", name.in_language("zh"))
        assert not re.search("[\u4e00-\u9fff]", name.in_language("en"))
