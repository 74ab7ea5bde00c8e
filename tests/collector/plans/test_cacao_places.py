"""Mistakes of a playbook are told at its own lines, also those found in the plan that came of it."""

import pytest

from collector.plans.cacao_json import read_json
from collector.plans.cacao_places import Places
from collector.plans.lint import Finding
from collector.yaml_marks import Mistake

TEXT = """{
 "type": "note",
 "workflow": {
  "start--1": {"type": "start",
   "on_completion": "x"},
  "action--2": []
 }
}
"""


@pytest.fixture
def places() -> Places:
    _, marks = read_json(TEXT, "p.json")
    made = Places(marks)
    made.sources["begin"] = "start--1"
    return made


def test_a_mistake_stands_at_the_innermost_place_that_is_there(places: Places) -> None:
    places.mistake(("workflow", "start--1", "on_completion", "deeper"), "x", "y")
    assert [(one.file, one.line, one.path) for one in places.mistakes] == [
        ("p.json", 5, "$.workflow['start--1'].on_completion.deeper")
    ]


def test_what_should_be_an_object_is_told_and_read_as_empty(places: Places) -> None:
    assert places.mapping({"a": 1}, ("workflow",)) == {"a": 1}
    assert places.mapping([], ("workflow", "action--2")) == {}
    assert [(one.line, one.found, one.expected) for one in places.mistakes] == [(6, "a list", "an object")]


def test_a_field_that_is_another_is_told(places: Places) -> None:
    places.expect("type", "note", "playbook")
    places.expect("spec_version", None, "cacao-2.0")
    places.expect("id", "playbook--1", "playbook--1")
    assert [(one.found, one.expected) for one in places.mistakes] == [
        ("'note'", "'playbook'"),
        ("nothing", "'cacao-2.0'"),
    ]


def test_a_mistake_may_be_a_warning_only(places: Places) -> None:
    places.mistake(("workflow_exception",), "x", "y")
    places.warn_instead()
    assert places.mistakes == []
    assert [one.severity for one in places.warnings] == ["warning"]


@pytest.mark.parametrize(
    ("path", "line", "told"),
    [
        ("steps.begin.next", 4, "$.workflow['start--1'].next"),
        ("steps.begin.then[0]", 4, "$.workflow['start--1'].on_true"),
        ("steps", 3, "$.workflow"),
        ("first", 1, "$.workflow_start"),
        ("variables.n.type", 1, "$.playbook_variables.__n__"),
        ("", 1, "$"),
    ],
)
def test_what_is_found_in_the_plan_is_told_where_it_came_from(
    places: Places, path: str, line: int, told: str
) -> None:
    found = places.placed(Finding("error", Mistake("plan.yaml", 99, 9, path, "x", "y")))
    assert (found.mistake.line, found.mistake.path) == (line, told)
