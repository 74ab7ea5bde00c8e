"""Plans that call plans: circles are found from wherever one looks."""

from collector.plans.calls import called_by, circles
from collector.plans.model import Plan, PlaybookAction, Start, Step, Text

TITLE = Text(zh="一", en="one")


def plan(name: str, *called: str) -> Plan:
    steps: dict[str, Step] = {"start": Start(title=TITLE)}
    return Plan(
        id=name,
        name=TITLE,
        steps=steps | {f"call-{other}": PlaybookAction(title=TITLE, plan=other) for other in called},
    )


def test_a_circle_is_told_with_the_way_back() -> None:
    plans = {each.id: each for each in (plan("a", "b", "x"), plan("b", "c"), plan("c", "a"))}

    assert list(circles(plans["a"], plans)) == [("call-b", ("a", "b", "c", "a"))]
    assert list(circles(plan("s", "s"), {})) == [("call-s", ("s", "s"))]


def test_calls_without_a_circle_are_none() -> None:
    plans = {each.id: each for each in (plan("a", "b", "c"), plan("b", "c"), plan("c"))}

    assert list(circles(plans["a"], plans)) == []
    assert list(called_by(plans["a"])) == [("call-b", "b"), ("call-c", "c")]


def test_a_circle_among_others_is_not_ones_own() -> None:
    plans = {each.id: each for each in (plan("a", "b"), plan("b", "c"), plan("c", "b"))}

    assert list(circles(plans["a"], plans)) == []
