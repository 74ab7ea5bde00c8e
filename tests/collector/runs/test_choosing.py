"""Which plan an incident calls for."""

from collector.plans.model import LEVELS, Plan, Text
from collector.runs.choosing import choose, covered

TITLE = Text(zh="一", en="one")


def plan(
    name: str, *, levels: tuple[str, ...] = LEVELS, roles: tuple[str, ...] = (), classes: str = "A1"
) -> Plan:
    return Plan(
        id=name,
        name=TITLE,
        steps={},
        classes=tuple(classes.split()),
        levels=levels,  # type: ignore[arg-type]
        asset_roles=roles,
    )


def chosen(
    *plans: Plan, klass: str = "A1", level: str | None = "II", role: str | None = None, hint: str = ""
) -> str:
    by_id = {each.id: each for each in plans}
    found = choose(by_id, klass=klass, level=level, asset_role=role, hint=hint or None)
    return found.id if found else ""


def test_the_class_decides() -> None:
    assert chosen(plan("a"), plan("b", classes="B1")) == "a"
    assert chosen(plan("a"), klass="C1") == ""


def test_the_narrowest_plan_is_meant_most() -> None:
    general = plan("a", classes="A1 B1")

    assert chosen(general, plan("b")) == "b"
    assert chosen(general, plan("z", classes="A1 B1", levels=("I", "II"))) == "z"
    assert chosen(plan("b"), plan("z", classes="A1 B1", roles=("portal",)), role="portal") == "z"


def test_a_plan_for_other_levels_or_assets_is_not_taken() -> None:
    assert chosen(plan("a", levels=("I",))) == ""
    assert chosen(plan("a", roles=("portal",))) == ""
    assert chosen(plan("a", roles=("portal",)), role="network") == ""


def test_an_ungraded_incident_counts_as_the_least() -> None:
    assert chosen(plan("a", levels=("IV",)), level=None) == "a"


def test_a_hint_wins_if_there_is_such_a_plan() -> None:
    assert chosen(plan("a"), plan("b", classes="B1"), hint="b") == "b"
    assert chosen(plan("a"), hint="gone") == "a"


def test_equal_plans_give_the_same_answer_everywhere() -> None:
    assert chosen(plan("b"), plan("a")) == chosen(plan("a"), plan("b")) == "a"
    assert covered([plan("a"), plan("b", classes="B1 B2")]) == {"A1", "B1", "B2"}
