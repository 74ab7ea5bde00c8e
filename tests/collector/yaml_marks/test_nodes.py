"""Marked nodes: a path leads to its place, and mistakes print so that editors open them."""

import pytest

from collector import yaml_marks
from collector.yaml_marks import Mapping, Mistake, Mistakes, Scalar

TEXT = "stages:\n  - id: first\n    due: 1h\n  - id: second\n"


@pytest.mark.parametrize(
    ("path", "line", "column"),
    [
        ("stages[0].id", 2, 9),
        ("stages[1].id", 4, 9),
        ("stages[1].due", 4, 5),
        ("stages[7]", 2, 3),
        ("", 1, 1),
        ("stages[0].id.deeper", 2, 9),
    ],
)
def test_a_mistake_stands_at_the_deepest_place_its_path_reaches(path: str, line: int, column: int) -> None:
    root = yaml_marks.read(TEXT, "r.yaml")

    assert root.mistake(path, "this", "that") == Mistake("r.yaml", line, column, path, "this", "that")


def test_lists_and_values_tell_mistakes_too() -> None:
    root = yaml_marks.read(TEXT, "r.yaml")
    assert isinstance(root, Mapping)
    stages = root.get("stages")
    assert stages is not None

    assert stages.mistake("[1].id", "a", "b").line == 4
    assert Scalar(stages.mark, "x").mistake("", "a", "b").line == 2


def test_a_mapping_knows_its_names() -> None:
    root = yaml_marks.read(TEXT, "r.yaml")
    assert isinstance(root, Mapping)

    key = root.key("stages")
    assert key is not None
    assert key.text == "stages"
    assert root.key("nothing") is None
    assert root.get("nothing") is None


def test_mistakes_come_in_the_order_of_the_file_and_each_once() -> None:
    late, early = Mistake("f", 9, 1, "b", "x", "y"), Mistake("f", 2, 1, "a", "x", "y")

    assert (
        str(Mistakes([late, early, late])) == "f:2:1: a: found x, expected y\nf:9:1: b: found x, expected y"
    )
    assert early.with_line == "f:2: a: found x, expected y"
