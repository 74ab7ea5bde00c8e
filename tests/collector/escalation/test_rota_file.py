from datetime import date
from pathlib import Path

import pytest

from collector.escalation import read_roster, read_rosters
from collector.registry import Registry, read_registry
from collector.yaml_marks import Mistakes

OFFICE = Path(__file__).parents[2] / "golden" / "office.yaml"
FULL = """\
unit: county
handover: 09:00
rotations:
  - {name: 主班, people: [wang, zhao], since: 2026-03-02, turn: weekly, on: friday, handover: 17:30}
  - {people: [li], since: 2026-03-02, turn: daily, each: 2, days: restdays, between: 17:30-08:30}
shifts:
  - {from: 2026-03-02T08:00+08:00, until: 2026-03-03T08:00+08:00, people: [li]}
holidays:
  - {name: 国庆节, from: 2026-10-01, until: 2026-10-07, people: [zhao]}
workdays: [2026-10-10]
overrides:
  - {from: 2026-09-25T17:30+08:00, until: 2026-09-26T08:30+08:00, people: [zhao], instead_of: wang}
"""


@pytest.fixture(scope="module")
def office() -> Registry:
    return read_registry(OFFICE.read_text(), OFFICE.name)


def test_a_roster_is_read_whole_and_has_its_units_zone(office: Registry) -> None:
    roster = read_roster(FULL, "county.yaml", office)

    assert (roster.timezone, roster.workdays) == ("Asia/Shanghai", (date(2026, 10, 10),))
    assert roster.rotations[0].people == ("wang", "zhao")
    assert roster.overrides[0].instead_of == "wang"
    assert roster.holidays[0].until == date(2026, 10, 7)


def test_every_mistake_of_every_file_is_told_at_its_place(office: Registry) -> None:
    bad = (
        "unit: nowhere\ntimezone: Asia/Shangai\n"
        "rotations:\n  - {people: [ghost], since: 2026-03-02}\n"
        "overrides:\n  - {from: 2026-03-02T08:00Z, until: 2026-03-03T08:00Z, people: [li], instead_of: me}\n"
    )
    worse = "unit: county\nholidays: [{from: 2026-10-07, until: 2026-10-01}]\nhandover: 8.30\n"
    with pytest.raises(Mistakes) as error:
        read_rosters([("a.yaml", bad), ("b.yaml", worse)], office)

    assert [line.split(": ")[0] for line in str(error.value).splitlines()] == [
        "a.yaml:1:7",
        "a.yaml:2:11",
        "a.yaml:4:15",
        "a.yaml:6:83",
        "b.yaml:2:12",
        "b.yaml:3:11",
    ]


def test_a_unit_has_one_roster(office: Registry) -> None:
    with pytest.raises(Mistakes, match="a second roster of 'county'"):
        read_rosters([("a.yaml", "unit: county\n"), ("b.yaml", "unit: county\n")], office)


def test_rosters_are_found_by_their_unit(office: Registry) -> None:
    found = read_rosters([("a.yaml", FULL), ("b.yaml", "unit: city\n")], office)

    assert set(found) == {"county", "city"}
