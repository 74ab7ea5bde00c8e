"""The level by GB/T 20986 stands beside the legal one and starts no clock."""

from typing import get_args

import pytest

from collector.regimes.case import BusinessLoss, ObjectImportance, SocialHarm, StandardFacts
from collector.regimes.standard import standard_level

from .conftest import Ask, laid

MATRIX = [
    ("especially_important", ["I", "II", "III", "IV"]),
    ("important", ["II", "III", "IV", "IV"]),
    ("general", ["III", "IV", "IV", "IV"]),
]


@pytest.mark.parametrize(("importance", "levels"), MATRIX)
def test_importance_and_loss_give_the_level_of_the_matrix(
    importance: ObjectImportance, levels: list[str]
) -> None:
    said = [
        standard_level(StandardFacts(object_importance=importance, business_loss=loss))
        for loss in get_args(BusinessLoss)
    ]

    assert [one.level for one in said if one is not None] == levels
    assert {one.missing for one in said if one is not None} == {("social_harm",)}


@pytest.mark.parametrize(
    ("harm", "level"),
    [("especially_grave", "I"), ("grave", "II"), ("fairly_grave", "III"), ("general", "III")],
)
def test_the_higher_of_matrix_and_social_harm_counts(harm: SocialHarm, level: str) -> None:
    facts = StandardFacts(object_importance="important", business_loss="serious", social_harm=harm)

    assert (said := standard_level(facts)) is not None
    assert (said.level, said.verified, said.missing) == (level, False, ())


def test_social_harm_is_read_alone() -> None:
    assert (said := standard_level(StandardFacts(social_harm="grave"))) is not None
    assert (said.level, said.missing) == ("II", ("object_importance", "business_loss"))


def test_half_of_the_matrix_gives_no_level() -> None:
    assert standard_level(StandardFacts()) is None
    assert standard_level(StandardFacts(business_loss="serious")) is None


def test_the_answer_keeps_both_levels_apart(ask: Ask) -> None:
    harm = {"incident": {"facts": {"loss_yuan": 0}}}
    answer = ask(laid(harm, {"incident": {"standard": {"social_harm": "especially_grave"}}}))

    assert (answer["level"], answer["standard"]["level"]) == ("IV", "I")
    assert answer["standard"]["by"] == "GB/T 20986-2023"
    assert ask(harm)["standard"] is None
    assert [duty["regime"] for duty in answer["obligations"]] == ["cn-informatization"]
