"""A world is read whole, or every mistake of every file is told and nothing of it is used."""

import shutil
from pathlib import Path

import pytest

from collector.errors import PermanentError
from collector.world import load_world
from collector.yaml_marks import Mistakes

CONFIGS = Path(__file__).parents[2] / "configs"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copy(CONFIGS / "collector.yaml", tmp_path)
    shutil.copy(CONFIGS / "registry.yaml", tmp_path)
    return tmp_path


def write_settings(folder: Path, **changes: str) -> str:
    settings = folder / "collector.yaml"
    text = settings.read_text()
    for name, value in changes.items():
        text = text.replace(f'\n{name}: ""\n', f"\n{name}: {value}\n")
    settings.write_text(text)
    return str(settings)


def test_the_shipped_settings_make_a_world() -> None:
    world = load_world(str(CONFIGS / "collector.yaml"), {})

    assert {"page-tampering", "illegal-external-connection"} <= world.plans.keys()
    assert {"cn-cac-2025", "cn-informatization"} <= {regime.id for regime in world.regimes}
    assert world.settings.unit in world.registry.units
    assert world.policy.id == "default"


def test_mistakes_of_several_files_are_told_together(folder: Path) -> None:
    (folder / "own").mkdir()
    (folder / "own" / "mine.yaml").write_text("id: mine\n")
    (folder / "plans").mkdir()
    (folder / "plans" / "page-tampering.yaml").write_text("steps: 3\n")
    register = (folder / "registry.yaml").read_text().replace("superior: province", "superior: nowhere", 1)
    (folder / "registry.yaml").write_text(register)

    with pytest.raises(Mistakes) as caught:
        load_world(write_settings(folder, regimes="own", playbooks="plans"), {})

    files = {Path(mistake.file).name for mistake in caught.value.mistakes}
    assert {"registry.yaml", "mine.yaml", "page-tampering.yaml"} <= files


def test_a_unit_that_the_register_does_not_have_is_a_mistake(folder: Path) -> None:
    settings = folder / "collector.yaml"
    settings.write_text(settings.read_text().replace("unit: district\n", "unit: nobody\n"))

    with pytest.raises(Mistakes, match="no unit 'nobody'"):
        load_world(str(settings), {})


def test_an_own_plan_replaces_the_shipped_one_of_its_id(folder: Path) -> None:
    (folder / "plans").mkdir()
    shipped = (CONFIGS.parent / "playbooks" / "page-tampering.yaml").read_text()
    (folder / "plans" / "page-tampering.yaml").write_text(shipped.replace('version: "1"', 'version: "7"', 1))
    world = load_world(write_settings(folder, playbooks="plans"), {})

    assert (
        world.plans["page-tampering"]
        != load_world(str(CONFIGS / "collector.yaml"), {}).plans["page-tampering"]
    )


def test_a_broken_plan_stops_nothing_but_itself(folder: Path) -> None:
    (folder / "plans").mkdir()
    (folder / "plans" / "ours.yaml").write_text("id: ours\nsteps: [")

    world = load_world(write_settings(folder, playbooks="plans"), {})

    assert "page-tampering" in world.plans
    assert "ours" not in world.plans
    assert [Path(mistake.file).name for mistake in world.left_out] == ["ours.yaml"]


def test_a_file_that_is_not_there_is_named(folder: Path) -> None:
    (folder / "registry.yaml").unlink()

    with pytest.raises(PermanentError, match=r"registry\.yaml: No such file"):
        load_world(str(folder / "collector.yaml"), {})
    shutil.copy(CONFIGS / "registry.yaml", folder)
    with pytest.raises(PermanentError, match="absent: the settings name this folder"):
        load_world(write_settings(folder, playbooks="absent"), {})


def test_every_folder_that_is_named_and_not_there_is_told_at_once(folder: Path) -> None:
    with pytest.raises(PermanentError) as refused:
        load_world(write_settings(folder, regimes="gone", playbooks="away", sigma="lost"), {})

    told = str(refused.value).splitlines()
    assert [Path(line.partition(":")[0]).name for line in told] == ["gone", "away", "lost"]


def test_a_byte_that_is_no_text_is_told_at_its_place(folder: Path) -> None:
    (folder / "registry.yaml").write_bytes("# 登记册\nunits: 县".encode() + b"\xff\n")

    with pytest.raises(PermanentError, match=r"registry\.yaml:2:9: is not UTF-8 text"):
        load_world(str(folder / "collector.yaml"), {})
