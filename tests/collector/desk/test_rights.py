import pytest

from collector.desk.problem import ProblemError
from collector.desk.rights import Principal, allow, allow_on, roles_on, scope
from tests.browser.watch_room import shipped_registry

REGISTRY = shipped_registry()


def someone(role: str = "duty", person: str | None = "li-na") -> Principal:
    return Principal(actor="person:li-na", name="li", role=role, person=person)


def test_a_person_sees_their_unit_and_every_unit_below() -> None:
    assert scope(someone(), REGISTRY) == {"district", "district-hospital"}
    assert scope(someone(person="wu-hao"), REGISTRY) == {"district-hospital"}


def test_who_belongs_to_no_unit_sees_all() -> None:
    assert scope(someone(person=None), REGISTRY) is None


def test_who_left_the_register_sees_nothing() -> None:
    assert scope(someone(person="gone"), REGISTRY) == frozenset()


@pytest.mark.parametrize(
    ("role", "deeds"),
    [
        ("admin", {"read", "act", "scrape"}),
        ("duty", {"read", "act", "scrape"}),
        ("viewer", {"read", "scrape"}),
        ("metrics", {"scrape"}),
        ("intake", set()),
        ("no such role", set()),
    ],
)
def test_a_role_may_what_it_is_for(role: str, deeds: set[str]) -> None:
    allowed = set()
    for deed in ("read", "act", "scrape"):
        try:
            allow(someone(role), deed)
        except ProblemError as problem:
            assert problem.kind == "forbidden"  # noqa: PT017 - the other half of the table
        else:
            allowed.add(deed)

    assert allowed == deeds


def test_what_one_may_not_see_is_not_there() -> None:
    with pytest.raises(ProblemError, match="there is no incident 'x'") as told:
        allow_on(someone(), "act", "city", REGISTRY, "incident 'x'")

    assert told.value.kind == "not-found"


def test_what_one_may_see_but_not_do_is_forbidden() -> None:
    with pytest.raises(ProblemError) as told:
        allow_on(someone("viewer"), "act", "district", REGISTRY, "incident 'x'")

    assert told.value.kind == "forbidden"
    allow_on(someone(), "act", "district", REGISTRY, "incident 'x'")


@pytest.mark.parametrize(
    ("who", "unit", "roles"),
    [
        (someone(), "district", {"duty", "值班员"}),
        (someone(person="zhou-qiang"), "district", {"duty", "leader", "负责人"}),
        (someone(person="chen-jie"), "district", {"duty", "superior"}),
        (someone(person="chen-jie"), "city", {"duty", "值班员"}),
        (someone(person="wu-hao"), "district", set()),
        (someone(role="viewer", person="zhou-qiang"), "district", set()),
        (someone(role="admin", person=None), "district", {"duty"}),
        (someone(person="gone"), "district", set()),
    ],
)
def test_the_roles_of_plans_are_those_of_the_register(who: Principal, unit: str, roles: set[str]) -> None:
    assert roles_on(who, unit, REGISTRY) == roles
