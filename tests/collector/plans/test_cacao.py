"""What CACAO playbooks and our plans share."""

from datetime import UTC, datetime

import pytest

from collector.plans import examine
from collector.plans.cacao import builtins_of, condition_out, identifier, is_identifier, original_of, to_yaml
from collector.plans.model import Text, Wait


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("vars.finding == 'private'", "__finding__:value = 'private'"),
        ("vars.spread", "__spread__:value = true"),
        ("incident.level != 'IV'", "incident:level != 'IV'"),
        ("vars.n >= 3", "__n__:value >= 3"),
        ("stix: __n__:value IN (1, 2)", "__n__:value IN (1, 2)"),
        ("vars.n > 3 && vars.m", "vars.n > 3 && vars.m"),
    ],
)
def test_a_condition_is_written_in_stix_where_stix_can_say_it(ours: str, theirs: str) -> None:
    assert condition_out(ours) == theirs


def test_identifiers_are_those_of_cacao_and_always_the_same() -> None:
    assert is_identifier(identifier("group", "duty"))
    assert identifier("group", "duty") != identifier("group", "leader")
    assert not is_identifier("page-tampering")


def test_a_part_is_written_without_its_defaults() -> None:
    wait = Wait(title=Text(zh="等", en="wait"), until=datetime(2026, 1, 1, tzinfo=UTC))

    assert builtins_of(wait) == {
        "kind": "wait",
        "title": {"zh": "等", "en": "wait"},
        "until": "2026-01-01T00:00:00+00:00",
    }


def test_written_yaml_is_read_back_to_the_same_plan() -> None:
    text = (
        "id: p\nname: {zh: 一, en: 'yes'}\nvariables: {n: {type: number, value: 3}}\nsteps:\n"
        "  - {id: a, kind: wait, owner: duty, for: 90m, title: {zh: '12', en: w}}\n"
    )
    plan = examine(text, "p.yaml").plan
    assert plan is not None

    assert examine(to_yaml(builtins_of(plan)), "p.yaml").plan == plan


def test_what_came_from_nowhere_has_no_original() -> None:
    assert original_of({}) == original_of({"cacao": "no JSON"}) == original_of({"cacao": "[]"}) == {}
