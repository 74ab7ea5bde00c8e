"""The picture of the floors names every room that the linter holds."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_room_of_the_contracts_stands_in_the_picture() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    rooms = {
        room
        for contract in contracts
        for layer in contract.get("layers", [])
        for room in re.split(r"\s*\|\s*", layer)
    }
    picture = (ROOT / "docs" / "architecture.md").read_text().split("## The floors")[1].split("| rule |")[0]
    drawn = set(re.findall(r"[a-z_]+", picture))

    assert rooms - drawn == set()


def test_every_decision_it_links_is_there() -> None:
    assert len(list((ROOT / "docs" / "decisions").glob("0*.md"))) >= 4
