"""A playbook's JSON: every way in which it can be none ends with a sentence."""

import pytest

from collector.plans.cacao_json import json_path, read_json
from collector.yaml_marks import Mistakes


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", "x.json:1:1: $: found no JSON"),
        ('{"type":\n "playbook",,}', "x.json:2:13: $: found no JSON"),
        ("[]", "found no JSON object"),
        ('{"a": 1, "a": 2}', "the name 'a' again"),
        ('{"a": NaN}', "the number NaN"),
        ("[" * 100_000, "nested too deeply"),
        ('{"a": ' + "9" * 5_000 + "}", "expected a CACAO playbook"),
    ],
)
def test_what_is_no_playbook_is_told(text: str, wrong: str) -> None:
    with pytest.raises(Mistakes) as told:
        read_json(text, "x.json")

    assert wrong in str(told.value)


def test_places_are_known() -> None:
    document, marks = read_json('{\n  "workflow": {"a": "\\u4e2d"}\n}', "x.json")

    assert document == {"workflow": {"a": "中"}}
    assert marks is not None
    assert marks.mistake("workflow.a", "", "").line == 2
    assert json_path(["workflow", "action--1", "on_true"]) == "$.workflow['action--1'].on_true"
