"""What a class of incident owes, and how many people there are to ask."""

from datetime import UTC, datetime
from pathlib import Path

from collector.runs.owing import owed_by_class, role_sizes
from collector.world import load_world

WORLD = load_world(str(Path(__file__).parents[3] / "configs" / "collector.yaml"), {})
NOW = datetime(2026, 3, 2, tzinfo=UTC)


def test_a_chinese_unit_owes_its_informatization_authority_whatever_the_class() -> None:
    unit = WORLD.registry.units["district"]

    owed = owed_by_class(unit, WORLD.regimes, ["NADOS", "NAWEBMOD"], NOW)

    assert set(owed) == {"NADOS", "NAWEBMOD"}
    assert all("cn-informatization/report" in each for each in owed.values())
    assert not any(obligation.startswith("eu-") for each in owed.values() for obligation in each)


def test_roles_have_the_people_that_the_register_gives_them() -> None:
    sizes = role_sizes(WORLD.registry, "district")

    assert (sizes["duty"], sizes["leader"]) == (2, 1)
    assert "webmaster" not in sizes
