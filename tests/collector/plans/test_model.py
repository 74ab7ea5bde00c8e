"""What a plan can say, and how its graph is walked."""

from datetime import timedelta

import msgspec
import pytest

from collector.plans.model import (
    BUILT_IN_ROLES,
    CONTINUE,
    Due,
    End,
    Field,
    If,
    Manual,
    Parallel,
    Plan,
    PlaybookAction,
    Start,
    Switch,
    Text,
    Wait,
    While,
    branches_of,
    followers_of,
    obligations_of,
)

TITLE = Text(zh="一", en="one")


def test_texts_stand_in_both_languages_and_anything_but_zh_reads_english() -> None:
    assert (TITLE.in_language("zh"), TITLE.in_language("en"), TITLE.in_language("fr")) == ("一", "one", "one")


def test_every_branching_step_names_its_branches() -> None:
    assert branches_of(Parallel(title=TITLE, branches=("a", "b"))) == ("a", "b")
    assert branches_of(If(title=TITLE, condition="true", then="a")) == ("a",)
    assert branches_of(If(title=TITLE, condition="true", then="a", otherwise="b")) == ("a", "b")
    assert branches_of(While(title=TITLE, condition="true", do="a")) == ("a",)
    assert branches_of(Switch(title=TITLE, value="1", cases={"x": "a"}, default="b")) == ("a", "b")
    assert branches_of(PlaybookAction(title=TITLE, plan="p")) == ()
    assert branches_of(PlaybookAction(title=TITLE, plan="p", first="p/start")) == ("p/start",)
    assert branches_of(Start(title=TITLE, next="a")) == ()


def test_going_on_after_a_failure_is_no_step_of_its_own() -> None:
    assert followers_of(Start(title=TITLE, next="a", on_failure=CONTINUE)) == ("a",)
    assert followers_of(Start(title=TITLE, next="a", on_failure="b")) == ("a", "b")
    assert followers_of(End(title=TITLE)) == ()


@pytest.mark.parametrize(
    "given", [{}, {"length": timedelta(1), "receipt": "r"}, {"incident": "handled", "receipt": "r"}]
)
def test_a_wait_waits_for_exactly_one_thing(given: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="exactly one of for, until, incident, receipt"):
        Wait(title=TITLE, **given)  # type: ignore[arg-type]


def test_a_choice_has_choices_and_nothing_else_has() -> None:
    Field(title=TITLE, type="choice", choices={"a": TITLE})
    with pytest.raises(ValueError, match="choices exactly"):
        Field(title=TITLE, type="choice")
    with pytest.raises(ValueError, match="choices exactly"):
        Field(title=TITLE, choices={"a": TITLE})


def test_a_plan_is_the_same_after_storage() -> None:
    plan = Plan(
        id="p",
        name=TITLE,
        steps={
            "start": Start(title=TITLE, next="w"),
            "w": Wait(title=TITLE, length=timedelta(hours=26, seconds=1), next="m"),
            "m": Manual(
                title=TITLE,
                owner="duty",
                due=Due(obligation="cn-cac-2025/first", ahead=timedelta(minutes=10)),
                form={"cause": Field(title=TITLE)},
                obligation="cn-cac-2025/first",
                unknown={"x_foreign": [1, {"a": None}]},
                next="end",
            ),
            "end": End(title=TITLE),
        },
    )

    assert msgspec.convert(msgspec.json.decode(msgspec.json.encode(plan)), Plan) == plan
    assert obligations_of(plan) == {"cn-cac-2025/first"}
    assert plan.steps["w"].kind == "wait"
    assert set(BUILT_IN_ROLES) == {"duty", "leader", "superior"}
