"""A reload swaps the world or changes nothing."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from collector.app.live import Live
from collector.workdays import calendars_of, library_year
from collector.world import load_world
from collector.yaml_marks import Mistakes

CONFIGS = Path(__file__).parents[3] / "configs"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    shutil.copy(CONFIGS / "collector.yaml", tmp_path)
    shutil.copy(CONFIGS / "registry.yaml", tmp_path)
    return tmp_path / "collector.yaml"


def test_what_changed_is_seen_at_the_next_use(file: Path) -> None:
    live = Live(load_world(str(file), {}))
    register = file.with_name("registry.yaml")
    register.write_text(register.read_text().replace("示例区大数据中心", "另一个名字"))

    assert live.registry().units["district"].name == "示例区大数据中心"
    assert live.reload(str(file), {}) == []
    assert live.registry().units["district"].name == "另一个名字"


def test_a_mistake_leaves_the_world_as_it_was(file: Path) -> None:
    live = Live(load_world(str(file), {}))
    before = live.registry()
    file.with_name("registry.yaml").write_text("units: []\n")

    with pytest.raises(Mistakes):
        live.reload(str(file), {})
    assert live.registry() is before


def test_what_only_a_new_start_takes_up_is_named(file: Path) -> None:
    live = Live(load_world(str(file), {}))
    file.write_text(file.read_text().replace("port: 8443", "port: 9443"))

    assert live.reload(str(file), {}) == ["listen"]


def test_an_asset_has_its_role_from_the_register(file: Path) -> None:
    live = Live(load_world(str(file), {}))

    assert live.asset_role("district-portal") == "portal"
    assert live.asset_role("nothing") is None
    assert live.counts()["plans"] == len(live.plans()) >= 2


def test_a_roster_says_who_is_on_duty_at_a_time(file: Path) -> None:
    folder = file.parent / "own" / "rosters"
    folder.mkdir(parents=True)
    (folder / "d.yaml").write_text("unit: district\nrotations: [{people: [wu-hao], since: 2026-03-02}]\n")
    file.write_text(file.read_text().replace('escalation: ""', "escalation: own"))
    live = Live(load_world(str(file), {}))
    persons = live.directory(datetime(2026, 3, 3, tzinfo=UTC)).persons("district", "duty")

    assert [person.id for person in persons] == ["wu-hao"]
    assert live.directory(datetime(2026, 3, 1, tzinfo=UTC)).persons("district", "duty") == ()
    assert live.counts()["rosters"] == 1


def test_rosters_go_by_the_working_days_in_force(file: Path) -> None:
    rosters = file.parent / "own" / "rosters"
    rosters.mkdir(parents=True)
    (rosters / "district.yaml").write_text(
        "unit: district\ncalendar: CN\nrotations:\n"
        "  - {people: [li-na], since: 2026-01-01, turn: daily, days: workdays}\n"
    )
    file.write_text(file.read_text().replace('escalation: ""', "escalation: own"))
    live = Live(load_world(str(file), {}))
    thursday = datetime(2026, 10, 1, 4, tzinfo=UTC)
    assert "CN" in live.regions()
    assert live.rosters()["district"].on_duty(thursday) == ("li-na",)

    days = calendars_of([library_year("CN", 2026)])
    live.count_by(lambda: days)
    assert live.rosters()["district"].on_duty(thursday) == ()
