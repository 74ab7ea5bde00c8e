"""What the operator's page says of commands and files is so."""

import re
from pathlib import Path

from collector.cli import COMMANDS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "operating.md").read_text()


def test_every_command_it_names_is_one() -> None:
    named = set(re.findall(r"fengsui-collector ([a-z-]+) ", PAGE))

    assert named <= {command for command, _ in COMMANDS}
    assert {"check-config", "token", "roster"} <= named


def test_every_file_it_names_is_there() -> None:
    named = re.findall(r"`((?:packaging|configs|wire|docs)/[\w./-]+)`|\b(packaging/systemd/)", PAGE)

    assert [name for pair in named for name in pair if name and not (ROOT / name).exists()] == []


def test_every_metric_it_names_exists() -> None:
    source = (ROOT / "collector" / "metrics.py").read_text()

    assert all(metric in source for metric in re.findall(r"fengsui_[a-z_]+", PAGE))
