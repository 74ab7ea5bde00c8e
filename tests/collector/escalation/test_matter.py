import pytest

from collector.escalation import BODIES, Bodies, Competence, Condition, Matter

STOLEN = Matter(klass="DSDATASTEAL", level="II", facts={"personal_records": 5000}, cii=True)


@pytest.mark.parametrize(
    "condition",
    [
        Condition(),
        Condition(classes=("NA", "DS")),
        Condition(classes=("DSDATASTEAL",)),
        Condition(levels=("I", "II")),
        Condition(facts=("personal_records",)),
        Condition(cii=True, classified=False),
        Condition(classes=("DS",), levels=("II",), facts=("personal_records",), cii=True),
    ],
)
def test_a_condition_holds_where_all_it_names_holds(condition: Condition) -> None:
    assert condition.holds(STOLEN)


@pytest.mark.parametrize(
    "condition",
    [
        Condition(classes=("NA",)),
        Condition(levels=("I",)),
        Condition(facts=("personal_records", "crime_suspected")),
        Condition(classified=True),
        Condition(classes=("DS",), levels=("I",)),
    ],
)
def test_one_thing_that_does_not_hold_is_enough_against_it(condition: Condition) -> None:
    assert not condition.holds(STOLEN)


@pytest.mark.parametrize("value", [None, False, 0, "", "none"])
def test_a_fact_that_says_no_is_no_reason(value: object) -> None:
    assert not Condition(facts=("data_threat",)).holds(Matter(facts={"data_threat": value}))


def test_an_ungraded_matter_is_at_no_level() -> None:
    assert not Condition(levels=("IV",)).holds(Matter())


def test_any_one_condition_makes_it_a_bodys_matter_and_none_makes_it_nobodys() -> None:
    police = Competence(matters=(Condition(levels=("I",)), Condition(cii=True)))

    assert police.concerns(STOLEN)
    assert not Competence().concerns(STOLEN)


def test_competent_bodies_come_in_the_order_of_the_text() -> None:
    every = Competence(matters=(Condition(),))
    bodies = Bodies(**dict.fromkeys(BODIES, every))

    assert bodies.competent(STOLEN) == BODIES
    assert Bodies(secrecy=every).competent(STOLEN) == ("secrecy",)
