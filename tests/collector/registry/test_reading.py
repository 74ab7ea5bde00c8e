from datetime import timedelta
from pathlib import Path

import pytest

from collector.registry import read_registry
from collector.yaml_marks import Mistakes

SHIPPED = Path(__file__).parents[3] / "configs/registry.yaml"
GOOD = """\
zones:
  intranet: {exits: none, networks: [10.1.0.0/16]}
  extranet: {exits: sanctioned}
units:
  city: {name: 市, kind: local_government, level: prefecture, region: CN-12, sector: government, duty: [li]}
  county:
    {name: 县, kind: local_government, level: district, region: CN-12, sector: government, superior: city}
people:
  li: {name: 李, unit: city, role: 值班员}
assets:
  oa: {name: 办公, unit: county, role: business_system, mlps_grade: 2, zone: extranet}
exits:
  main: {name: 出口, unit: city, zones: [extranet], next_hops: [10.2.0.1/32]}
"""


def mistakes(text: str) -> list[str]:
    with pytest.raises(Mistakes) as caught:
        read_registry(text, "r.yaml")
    return [str(mistake) for mistake in caught.value.mistakes]


def test_the_shipped_registry_is_valid_as_it_stands() -> None:
    registry = read_registry(SHIPPED.read_text("utf-8"), "registry.yaml")

    assert {asset.mlps_grade for asset in registry.assets.values()} >= {2, 3, 4}
    assert [asset.id for asset in registry.assets.values() if asset.classified] == ["district-classified"]
    assert [unit.id for unit in registry.line("district-hospital")] == [
        "district-hospital",
        "district",
        "city",
        "province",
    ]
    assert registry.units["district"].targets == {"cn-informatization/report": timedelta(minutes=30)}


def test_keys_are_ids_and_absent_parts_are_empty() -> None:
    registry = read_registry(GOOD, "r.yaml")

    assert registry.units["county"].id == "county"
    assert registry.units["county"].duty == ()
    assert [str(network) for network in registry.exits["main"].next_hops] == ["10.2.0.1/32"]
    assert next(str(network) for network in registry.internal) == "10.0.0.0/8"


def test_every_mistake_is_told_at_once_at_its_place() -> None:
    text = """\
zones: {intranet: {exits: maybe}, moon: {exits: none}, extranet: {exits: none, services: [http]}}
units:
  a: {name: A, kind: enterprise, level: district, region: cn, sector: x, superior: b}
  b: {name: B, kind: enterprise, level: district, region: CN, sector: x, superior: nobody, timezone: Mars/X}
people:
  p: {name: P, unit: zz, role: x}
assets:
  s: {name: S, unit: a, classified: true, zone: intranet}
  t: {name: T, unit: a, mlps_grade: 7, zone: mars}
  u: {name: U, unit: a}
exits:
  e: {name: E, unit: b, zones: [intranet], next_hops: [10.0.0.1/8]}
  f: {name: F, unit: b, zones: [intranet], next_hops: ["::/0"], proxies: [squid], assets: [x]}
  g: {name: G, unit: b, zones: [intranet]}
bogus: 1
"""
    assert [line.split(": found")[0] for line in mistakes(text)] == [
        "r.yaml:1:27: zones.intranet.exits",
        "r.yaml:1:41: zones.moon",
        "r.yaml:1:91: zones.extranet.services[0]",
        "r.yaml:3:59: units.a.region",
        "r.yaml:4:84: units.b.superior",
        "r.yaml:4:102: units.b.timezone",
        "r.yaml:6:22: people.p.unit",
        "r.yaml:8:43: assets.s.zone",
        "r.yaml:9:37: assets.t.mlps_grade",
        "r.yaml:9:46: assets.t.zone",
        "r.yaml:10:6: assets.u.mlps_grade",
        "r.yaml:10:6: assets.u.role",
        "r.yaml:10:6: assets.u.zone",
        "r.yaml:12:56: exits.e.next_hops[0]",
        "r.yaml:13:56: exits.f.next_hops[0]",
        "r.yaml:13:75: exits.f.proxies[0]",
        "r.yaml:13:92: exits.f.assets[0]",
        "r.yaml:14:6: exits.g",
        "r.yaml:15:1: $",
    ]


def test_a_key_that_stands_twice_is_a_mistake() -> None:
    text = GOOD + "  main: {name: 另, unit: city, zones: [extranet], next_hops: [10.2.0.2/32]}\n"

    assert mistakes(text) == [
        "r.yaml:14:3: main: found the name 'main' again (first in line 13), expected every name once"
    ]


def test_a_circle_of_superiors_is_told_once() -> None:
    text = GOOD.replace("duty: [li]", "duty: [li], superior: county")

    assert mistakes(text) == [
        (
            "r.yaml:5:119: units.city.superior: found the circle city -> county -> city, "
            "expected a tree of superiors"
        )
    ]


def test_a_unit_that_is_its_own_superior_is_a_circle() -> None:
    assert "the circle city -> city" in mistakes(GOOD.replace("duty: [li]", "superior: city"))[0]


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ("unit: city, role: 值班员", "unit: nowhere, role: 值班员", "people.li.unit"),
        ("duty: [li]", "duty: [nobody]", "units.city.duty[0]"),
        ("duty: [li]", "leader: nobody", "units.city.leader"),
        ("duty: [li]", "targets: {soon: 5m}", "units.city.targets.soon"),
        ("mlps_grade: 2", "mlps_grade: 0", "assets.oa.mlps_grade"),
        ("unit: county, role", "unit: x, role", "assets.oa.unit"),
        ("mlps_grade: 2", "mlps_grade: 2, operator: x", "assets.oa.operator"),
        ("zone: extranet}", "zone: private}", "assets.oa.zone"),
        ("zone: extranet}", "zone: extranet, joins: [private]}", "assets.oa.joins[0]"),
        ("extranet: {exits: sanctioned}", "extranet: {exits: none, networks: [10.1.0.0/16]}", "zones.extra"),
        ("  oa:", "  O A:", "assets.O A"),
        ("units:", "internal: [ten]\nunits:", "internal[0]"),
    ],
)
def test_a_slip_is_found_where_it_stands(old: str, new: str, path: str) -> None:
    found = mistakes(GOOD.replace(old, new))

    assert any(path in line for line in found), found


def test_a_reference_to_an_entry_with_mistakes_is_no_second_mistake() -> None:
    assert len(mistakes(GOOD.replace("level: prefecture", "level: city"))) == 1


@pytest.mark.parametrize("text", ["", "[1, 2]", "units: 5\nzones: []\n"])
def test_what_is_no_registry_at_all_says_what_belongs_in_it(text: str) -> None:
    assert mistakes(text)
