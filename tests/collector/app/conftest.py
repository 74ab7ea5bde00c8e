"""A world of the shipped files, as a collector starts with it."""

import shutil
from pathlib import Path

import pytest

from collector.app.live import Live
from collector.world import World, load_world

CONFIGS = Path(__file__).parents[3] / "configs"


@pytest.fixture
def world(tmp_path: Path) -> World:
    shutil.copy(CONFIGS / "registry.yaml", tmp_path)
    settings = tmp_path / "collector.yaml"
    settings.write_text(
        "unit: district\nregistry: registry.yaml\nstate_dir: state\n"
        "listen: {agents: {host: 127.0.0.1, port: 0}, console: {port: 0}}\n"
    )
    return load_world(str(settings), {})


@pytest.fixture
def live(world: World) -> Live:
    """That world in use, with its state folder."""
    Path(world.settings.state).mkdir()
    return Live(world)
