"""What the demo writes is what a collector and an agent take."""

from pathlib import Path

from collector.cli.demo.stage import CITY, DISTRICT, Stage
from collector.world import load_world


def test_both_collectors_take_the_settings_of_the_demo(tmp_path: Path) -> None:
    stage = Stage(tmp_path, "en")
    stage.build("http://127.0.0.1:9/notices")
    district = load_world(str(stage.settings("district")), {})
    city = load_world(str(stage.settings("city")), {})

    assert (district.settings.unit, city.settings.unit) == (DISTRICT, CITY)
    assert district.registry.units[DISTRICT].superior == CITY
    assert district.settings.routes["informatization_authority"].way == "upstream"
    assert city.settings.routes == {}


def test_the_home_page_is_tampered_on_the_disk(tmp_path: Path) -> None:
    stage = Stage(tmp_path, "en")
    stage.build("http://127.0.0.1:9/notices")
    before = stage.home_page.read_text()
    stage.tamper()

    assert "人民政府" in before
    assert stage.home_page.read_text() != before
