from ipaddress import ip_address
from pathlib import Path

import pytest

from collector.registry import Registry, case_asset, case_unit, read_registry

SHIPPED = Path(__file__).parents[3] / "configs/registry.yaml"


@pytest.fixture(scope="module")
def registry() -> Registry:
    return read_registry(SHIPPED.read_text("utf-8"), "registry.yaml")


def test_an_id_the_register_does_not_have_is_none(registry: Registry) -> None:
    assert (registry.unit("x"), registry.asset(None), registry.person("x"), registry.superior_of("x")) == (
        None,
        None,
        None,
        None,
    )
    assert registry.persons("x", "duty") == ()


def test_roles_name_the_people_to_wake(registry: Registry) -> None:
    def who(unit: str, role: str) -> list[str]:
        return [person.id for person in registry.persons(unit, role)]

    assert who("district", "duty") == ["li-na", "zhang-wei"]
    assert who("district", "leader") == ["zhou-qiang"]
    assert who("district", "superior") == ["chen-jie", "liu-yang"]
    assert who("province", "superior") == []
    assert who("district-hospital", "leader") == []
    assert who("city", "负责人") == ["sun-li"]


def test_a_unit_and_everyone_below_it(registry: Registry) -> None:
    assert registry.below("district") == ("district", "district-hospital")
    assert len(registry.below("province")) == 4


def test_the_gravest_asset_stands_for_a_node_of_several(registry: Registry) -> None:
    asset = registry.asset_of(["district-oa", "unknown", "district-portal"])

    assert asset is not None
    assert asset.id == "district-portal"
    assert registry.asset_of(["unknown"]) is None


def test_an_exit_serves_its_unit_and_those_below_in_its_zones(registry: Registry) -> None:
    def exits(unit: str, asset: str) -> list[str]:
        return [way.id for way in registry.exits_for(unit, registry.asset(asset))]

    assert exits("district", "district-oa") == ["city-unified-exit"]
    assert exits("province", "provincial-data") == []
    assert exits("district", "district-portal") == ["district-dmz-exit"]
    assert exits("district", "district-intranet-terminals") == []


def test_zones_are_told_by_address(registry: Registry) -> None:
    assert registry.zone_of(ip_address("10.10.3.4")) == "intranet"
    assert registry.zone_of(ip_address("fd20::5")) == "extranet"
    assert registry.zone_of(ip_address("9.9.9.9")) is None


def test_the_internet_zone_is_never_inside(registry: Registry) -> None:
    assert registry.is_internal(ip_address("192.168.1.1"))
    assert registry.is_internal(ip_address("fd20::1"))
    assert not registry.is_internal(ip_address("198.51.100.7"))
    assert not registry.is_internal(ip_address("9.9.9.9"))


def test_a_zone_nobody_named_has_the_strictest_policy(registry: Registry) -> None:
    assert registry.policy(None).exits == "none"
    assert registry.policy("extranet").exits == "sanctioned"


def test_a_case_holds_what_the_register_knows(registry: Registry) -> None:
    assert case_unit(registry.units["district"]) == {
        "kind": "local_government",
        "level": "district",
        "region": "CN-12",
        "sector": "government",
        "timezone": "Asia/Shanghai",
    }
    assert case_asset(registry.assets["district-portal"]) == {
        "role": "portal",
        "mlps_grade": 3,
        "cii": False,
        "zone": "internet",
        "classified": False,
    }
    assert case_asset(registry.assets["district-classified"]) == {"cii": False, "classified": True}
    assert case_asset(None) == {}
