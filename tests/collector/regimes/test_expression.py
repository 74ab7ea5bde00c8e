"""Three-valued conditions: what is not known is not taken for false, and learning it contradicts nothing."""

from typing import Any

import cel
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.regimes.expression import Answer, Condition, both

FACTS: dict[str, Any] = {
    "asset.cii": st.booleans(),
    "incident.crime_suspected": st.booleans(),
    "facts.reposts": st.integers(0, 3),
    "unit.level": st.sampled_from(["national", "provincial", "prefecture"]),
    "facts.province_population_share": st.sampled_from([0, 0.25, 0.5, 1]),
}
ATOMS = [
    "asset.cii",
    "incident.crime_suspected",
    "facts.reposts >= 2",
    "facts.reposts > 0",
    "unit.level in ['national', 'provincial']",
    "unit.level == 'national'",
    "facts.province_population_share >= 0.5",
]


def joined(parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.tuples(parts, parts).map(lambda pair: f"{pair[0]} && {pair[1]}"),
        st.tuples(parts, parts).map(lambda pair: f"({pair[0]}) || ({pair[1]})"),
        parts.map(lambda part: f"!({part})"),
        parts.map(lambda part: f"({part})"),
    )


conditions = st.recursive(st.sampled_from(ATOMS), joined, max_leaves=6)
known_facts = st.fixed_dictionaries({}, optional=FACTS)
all_facts = st.fixed_dictionaries(FACTS)


def nested(known: dict[str, Any]) -> dict[str, dict[str, Any]]:
    groups: dict[str, dict[str, Any]] = {"asset": {}, "incident": {}, "facts": {}, "unit": {}}
    for name, value in known.items():
        group, field = name.split(".")
        groups[group][field] = value
    return groups


@given(conditions, all_facts)
def test_with_every_fact_known_the_answer_is_that_of_cel(text: str, known: dict[str, Any]) -> None:
    assert Condition.parse_yaml(text).decide(known) == Answer(cel.evaluate(text, nested(known)))


@given(conditions, known_facts, all_facts)
def test_learning_unknown_facts_never_contradicts_an_answer(
    text: str, known: dict[str, Any], later: dict[str, Any]
) -> None:
    condition = Condition.parse_yaml(text)
    before = condition.decide(known)
    after = condition.decide(later | known)

    assert after.value is not None
    assert before.value in {None, after.value}


@given(conditions, known_facts, all_facts)
def test_the_facts_named_as_missing_are_enough_and_are_not_known(
    text: str, known: dict[str, Any], later: dict[str, Any]
) -> None:
    condition = Condition.parse_yaml(text)
    before = condition.decide(known)

    assert bool(before.missing) == (before.value is None)
    assert set(before.missing).isdisjoint(known)
    assert condition.decide(known | {name: later[name] for name in before.missing}).value is not None


@pytest.mark.parametrize(
    ("text", "known", "answer"),
    [
        ("asset.cii && facts.reposts >= 2", {"asset.cii": False}, Answer(value=False)),
        ("asset.cii && facts.reposts >= 2", {"asset.cii": True}, Answer(None, ("facts.reposts",))),
        ("asset.cii || facts.reposts >= 2", {"asset.cii": True}, Answer(value=True)),
        ("asset.cii || facts.reposts >= 2", {}, Answer(None, ("asset.cii", "facts.reposts"))),
        ("!asset.cii", {}, Answer(None, ("asset.cii",))),
        ("!(unit.level in ['national'])", {"unit.level": "district"}, Answer(value=True)),
        (
            "(asset.cii || incident.crime_suspected) == true",
            {"asset.cii": False},
            Answer(None, ("incident.crime_suspected",)),
        ),
        ('level == "I"', {"level": "I"}, Answer(value=True)),
    ],
)
def test_unknown_facts_matter_only_where_the_answer_hangs_on_them(
    text: str, known: dict[str, Any], answer: Answer
) -> None:
    assert Condition.parse_yaml(text).decide(known) == answer


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it is empty"),
        ("asset.cii &&", "something is missing before 'the end'"),
        ("&& asset.cii", "something is missing before '&&'"),
        ("asset.ciii", "unknown name 'asset.ciii' (did you mean 'asset.cii'?)"),
        ("facts", "unknown name 'facts'"),
        ("has(facts.reposts)", "unknown name 'has'"),
        ("facts.reposts.size() > 1", "unknown name 'facts.reposts.size'"),
        ("[1].exists(x, x > 0)", "unknown name"),
        ("asset.cii ? true : false", "'?' is not used here"),
        ("!!asset.cii", "'!' stands twice"),
        ("!facts.reposts == 1", "the comparison after '!' needs parentheses"),
        ("(asset.cii", "'(' is never closed"),
        ("asset.cii)", "')' closes nothing"),
        ("asset.cii]", "']' closes nothing"),
        ("(asset.cii asset.cii)", "Syntax error"),
        ("(asset.cii) asset.cii", "Syntax error"),
        ("(asset.cii && facts.reposts > 1 asset.cii)", "Syntax error"),
        ("asset.role == 'portl'", "unknown code 'portl', expected one of portal"),
        ("unit.level in ['national', 'provinical']", "unknown code 'provinical'"),
        ("facts.reposts >= 'many'", "does not compare like with like"),
        ("facts.reposts", "does not compare like with like"),
        ("facts.reposts + 1", "does not compare like with like"),
        ("(" * 11 + "asset.cii" + ")" * 11, "nested more than 10 levels deep"),
        (" && ".join(["asset.cii"] * 300), "more than 400 words"),
        ("facts.reposts >= 1 = 2", "Syntax error"),
        ("facts.reposts == 'many'", "does not compare like with like"),
        ("unit.sector != 3", "does not compare like with like"),
        ("asset.cii == 'true'", "does not compare like with like"),
        ("facts.reposts == true", "does not compare like with like"),
        ("asset.cii; asset.cii", "asset.cii;"),
    ],
)
def test_a_condition_that_could_mislead_is_refused_with_its_reason(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=r"a condition in CEL \(") as caught:
        Condition.parse_yaml(text)

    assert why in str(caught.value)


def test_conditions_are_equal_by_their_text() -> None:
    one, same = Condition.parse_yaml("asset.cii"), Condition.parse_yaml("asset.cii")

    assert one == same
    assert len({one, same, Condition.parse_yaml("!asset.cii")}) == 2
    assert one != "asset.cii"
    assert repr(one) == "Condition('asset.cii')"
    assert Condition.parse_yaml("asset.cii && !asset.cii").names == ("asset.cii",)


@given(
    *[
        st.sampled_from(
            [Answer(value=True), Answer(value=False), Answer(None, ("a",)), Answer(None, ("b", "a"))]
        )
    ]
    * 2
)
def test_both_hold_only_if_each_does(one: Answer, other: Answer) -> None:
    together = both(one, other)

    assert together.value == both(other, one).value
    assert (together.value is True) == (one.value is True and other.value is True)
    assert (together.value is False) == (one.value is False or other.value is False)
    assert set(together.missing) == (set(one.missing + other.missing) if together.value is None else set())
