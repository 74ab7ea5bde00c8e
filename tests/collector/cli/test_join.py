"""`fengsui-collector join`."""

import asyncio
from pathlib import Path

import pytest

from collector.cli import main
from collector.trust.superior import read_superior
from tests.collector.ingest.tower import REGISTRY, Tower


@pytest.fixture
def config(tmp_path: Path) -> str:
    below = tmp_path / "below"
    below.mkdir()
    (below / "registry.yaml").write_text(REGISTRY)
    (below / "c.yaml").write_text("unit: city\nregistry: registry.yaml\nstate_dir: state\nlanguage: en\n")
    return str(below / "c.yaml")


async def test_a_collector_joins_the_one_above(
    tower: Tower, config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    token = await tower.token("collector")
    words = ["join", "--config", config, "--superior", tower.url, "--token", token]
    assert await asyncio.to_thread(main, words) == 0

    assert f"joined {tower.url}: unit city" in capsys.readouterr().err
    superior = read_superior(Path(config).parent / "state")
    assert superior is not None
    assert superior.url == tower.url


async def test_a_used_token_is_refused_with_the_superiors_words(
    tower: Tower, config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    token = await tower.token("collector")
    words = ["join", "--config", config, "--token", token]
    assert await asyncio.to_thread(main, words) == 0
    assert await asyncio.to_thread(main, words) == 1
    assert "refused (403): token is unknown, expired or used up" in capsys.readouterr().err


def test_a_damaged_token_says_so(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["join", "--config", config, "--token", "fs1.abc"]) == 1
    assert "damaged or cut short" in capsys.readouterr().err
