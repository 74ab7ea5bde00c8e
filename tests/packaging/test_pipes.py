"""What a command prints may be cut short by its reader, as `| head` does, and no traceback follows."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
PLAN = str(ROOT / "playbooks" / "ransomware.yaml")


@pytest.mark.parametrize(
    "command",
    [
        ["fengsui-collector", "plan", "run", PLAN, "--drill", "--confirm", "all", "--json"],
        ["fengsui-collector", "plan", "simulate", PLAN, "--at", "2026-09-25T17:40+08:00"],
        ["fengsui-agent", "once", "--json"],
    ],
    ids=lambda command: " ".join(command[:2]),
)
def test_a_reader_that_goes_away_is_no_fault(command: list[str]) -> None:
    with subprocess.Popen(
        [BIN / command[0], *command[1:]], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd="/"
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        said = process.stderr.read().decode()

    assert "Traceback" not in said
    assert "Exception ignored" not in said
    assert process.returncode in {0, 1}
