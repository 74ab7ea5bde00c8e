from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from collector.escalation import OnDuty, Roster, wake
from collector.escalation.rota import Rotation
from collector.registry import Person, Registry, read_registry

OFFICE = Path(__file__).parents[2] / "golden" / "office.yaml"
NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)
ZHAO = Roster(
    unit="county",
    timezone="Asia/Shanghai",
    rotations=(Rotation(people=("zhao",), since=date(2026, 3, 2)),),
)
NOBODY = Roster(unit="city", timezone="Asia/Shanghai")


@pytest.fixture
def office() -> Registry:
    return read_registry(OFFICE.read_text(), OFFICE.name)


def names(registry: Registry, role: str, *rosters: Roster, unit: str = "county") -> list[str]:
    on_duty = OnDuty(registry=registry, rosters={one.unit: one for one in rosters}, at=NOON)
    return [person.id for person in on_duty.persons(unit, role)]


def speaker(body: str, unit: str) -> Person:
    return Person(id=f"{body}-desk", name=body, unit=unit, role=body, channels={})


def test_without_a_roster_the_plain_list_answers(office: Registry) -> None:
    assert names(office, "duty") == ["wang"]


def test_with_a_roster_the_roster_answers_and_nobody_is_an_answer(office: Registry) -> None:
    assert names(office, "duty", ZHAO) == ["zhao"]
    assert names(office, "duty", replace(ZHAO, rotations=())) == []


def test_the_superiors_duty_is_asked_of_the_superiors_roster(office: Registry) -> None:
    assert names(office, "superior") == ["li"]
    assert names(office, "superior", NOBODY) == []
    assert names(office, "superior", unit="city") == []
    assert names(office, "superior", unit="gone") == []


def test_other_roles_stand_in_the_register(office: Registry) -> None:
    assert names(office, "leader", ZHAO) == ["zhao"]
    assert names(office, "负责人", unit="lonely") == ["qian"]


def test_a_body_is_reached_through_the_nearest_unit_that_knows_it(office: Registry) -> None:
    far = {**office.people, "police-desk": speaker("police", "city")}
    near = {**far, "own": replace(speaker("police", "county"), id="own")}

    assert names(replace(office, people=far), "police") == ["police-desk"]
    assert names(replace(office, people=near), "police") == ["own"]
    assert names(office, "police") == []


def test_the_informatization_authority_is_the_unit_above_the_superior_or_the_superior_at_the_top(
    office: Registry,
) -> None:
    province = replace(office.units["city"], id="province", duty=("sun",))
    taller = {
        **office.units,
        "city": replace(office.units["city"], superior="province"),
        "province": province,
    }

    assert names(office, "informatization") == ["li"]
    assert names(replace(office, units=taller), "informatization") == ["sun"]
    assert names(office, "informatization", unit="city") == []


def test_an_empty_roster_is_a_hole_with_a_name(office: Registry) -> None:
    directory = OnDuty(registry=office, rosters={"city": NOBODY}, at=NOON)

    assert wake(directory, "city", "duty").holes == ("nobody is registered as duty of city",)
