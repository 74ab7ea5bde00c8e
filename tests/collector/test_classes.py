from collections import Counter
from pathlib import Path

import pytest

from collector.classes import Classes, read_classes
from collector.yaml_marks import Mistakes

SHIPPED = Path(__file__).parents[2] / "configs/classes.yaml"


@pytest.fixture(scope="module")
def classes() -> Classes:
    return read_classes(SHIPPED.read_text("utf-8"), "classes.yaml")


def test_the_shipped_table_has_the_ten_classes_with_their_subclasses(classes: Classes) -> None:
    parents = Counter(one.parent for one in classes.by_code.values())

    assert parents[None] == 10
    assert (parents["MP"], parents["NA"], parents["DS"]) == (10, 21, 12)
    assert (parents["IC"], parents["DE"], parents["SHE"], parents["AB"], parents["FOC"]) == (8, 5, 3, 3, 5)


def test_the_table_says_that_its_codes_are_not_verified(classes: Classes) -> None:
    assert classes.standard == "GB/T 20986-2023"
    assert not classes.verified


def test_a_code_has_a_name_in_both_languages(classes: Classes) -> None:
    assert classes.name("NAWEBMOD") == ("网页篡改", "web page tampering")
    assert classes.by_code["SHECONFIG"].parent == "SHE"


def test_a_code_that_is_not_in_the_table_reads_as_itself(classes: Classes) -> None:
    assert not classes.knows("WBPI")
    assert classes.name("WBPI").zh == "WBPI"


def test_mistakes_are_told_at_their_place() -> None:
    text = """\
standard: S
source: x
verified: false
classes:
  - {code: AA, zh: 甲, en: a, subclasses: [{code: AAB, zh: 乙, en: b}, {code: AAB, zh: 丙, en: c}]}
"""
    with pytest.raises(
        Mistakes, match=r"c\.yaml:5:\d+: classes\[0\]\.subclasses\[1\]\.code: found the code AAB"
    ):
        read_classes(text, "c.yaml")
    with pytest.raises(Mistakes, match=r"c\.yaml:1:1"):
        read_classes("", "c.yaml")
