"""Conditions: decided where they can be, unknown where not, never an error."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.plans.conditions import (
    Unknown,
    decide,
    fill,
    places_of,
    syntax_error,
    value_of,
    variables_of,
)

SCOPE = {
    "vars": {"confirmed": True, "count": 3, "nothing": None, "cause": "weak password"},
    "incident": {"class": "NAWEBMOD", "level": "III", "facts": {"reposts": 7}},
    "run": {"id": "r", "drill": False},
}


@pytest.mark.parametrize(
    ("condition", "answer"),
    [
        ("vars.confirmed", True),
        ("vars.count > 3", False),
        ("incident.level in ['I', 'II', 'III']", True),
        ("incident.facts.reposts >= 5 && !run.drill", True),
        ("has(incident.facts.views)", False),
        ("vars.confirmed || vars.never_heard_of", True),
        ("vars.cause.contains('password')", True),
        ("[1, 2].exists(x, x == 2)", True),
    ],
)
def test_what_is_known_is_decided(condition: str, answer: bool) -> None:  # noqa: FBT001 - the expected answer
    assert decide(condition, SCOPE) is answer


@pytest.mark.parametrize(
    "condition",
    [
        "vars.nothing",
        "vars.never_heard_of",
        "vars.nothing > 3",
        "incident.facts.views > 100",
        "vars.count",
        "vars.count > 'a'",
        "stranger == 1",
        "operator input to proceed",
        "1 / 0 == 1",
    ],
)
def test_what_cannot_be_decided_is_unknown_and_says_why(condition: str) -> None:
    answer = decide(condition, SCOPE)

    assert isinstance(answer, Unknown)
    assert condition in answer.why


def test_a_switch_takes_any_value() -> None:
    assert value_of("incident.class", SCOPE) == "NAWEBMOD"
    assert isinstance(value_of("vars.nothing", SCOPE), Unknown)


def test_only_what_a_run_knows_may_be_named() -> None:
    assert syntax_error("vars.a && incident.level == 'I' && run.drill") is None
    assert syntax_error("[1].exists(x, x == vars.a)") is None
    assert syntax_error("unit == 'a'") == "the name 'unit'"
    assert "Syntax error" in (syntax_error("operator says go") or "")


def test_variables_are_found_outside_of_texts_alone() -> None:
    assert variables_of("vars.a == 'vars.b' && vars.c > 1") == {"a", "c"}


def test_a_text_is_filled_and_what_is_unknown_stays_visible() -> None:
    text = "{incident.class} {vars.count} {vars.nothing} {incident.facts.reposts} {other} {}"

    assert fill(text, SCOPE) == "NAWEBMOD 3 {vars.nothing} 7 {other} {}"
    assert places_of(text) == ("incident.class", "vars.count", "vars.nothing", "incident.facts.reposts")


@given(st.text(max_size=200))
def test_no_condition_whatever_it_says_raises(condition: str) -> None:
    assert decide(condition, SCOPE) in {True, False} or isinstance(decide(condition, SCOPE), Unknown)
    syntax_error(condition)


@given(st.text(max_size=200))
def test_no_text_whatever_it_says_raises(text: str) -> None:
    assert isinstance(fill(text, SCOPE), str)


def test_times_can_be_compared() -> None:
    scope = {"vars": {"at": datetime(2026, 3, 2, tzinfo=UTC)}}

    assert decide("vars.at < timestamp('2026-03-03T00:00:00Z')", scope) is True
