"""What the README says of commands, files and tests is so."""

import re
from pathlib import Path

import pytest

from collector.cli import COMMANDS

ROOT = Path(__file__).parents[2]
READMES = ("README.md", "README.zh-CN.md")


@pytest.mark.parametrize("name", READMES)
def test_every_file_it_links_or_names_exists(name: str) -> None:
    text = (ROOT / name).read_text()
    links = re.findall(r"\]\(([^)#]+)\)", text) + re.findall(
        r"`((?:tests|benchmarks|docs|configs|playbooks|agent|collector)/[\w./-]+)`", text
    )

    assert [link for link in links if not (ROOT / link).exists()] == []


@pytest.mark.parametrize("name", READMES)
def test_every_command_it_names_is_one(name: str) -> None:
    commands = set(re.findall(r"fengsui-collector ([a-z-]+)", (ROOT / name).read_text()))

    assert commands <= {command for command, _ in COMMANDS}


@pytest.mark.parametrize("name", READMES)
def test_the_make_targets_it_names_exist(name: str) -> None:
    targets = set(re.findall(r"`?make ([a-z-]+)", (ROOT / name).read_text()))

    assert targets
    assert all(re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE) for target in targets)


@pytest.mark.parametrize("name", READMES)
def test_its_tables_are_filled(name: str) -> None:
    text = (ROOT / name).read_text()

    assert re.findall(r"^[A-Z_]+$", text, re.MULTILINE) == []
    assert text.count("\n|---|---|") >= 3
