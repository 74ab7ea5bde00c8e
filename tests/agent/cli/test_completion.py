"""What the shell itself completes when a person presses Tab."""

import shutil
import subprocess
from pathlib import Path

import pytest

from agent.cli import COMMANDS, main

PROG = "fengsui-agent"
ASK = """
source "$1"
COMP_WORDS=("${@:2}"); COMP_CWORD=$(( ${#COMP_WORDS[@]} - 1 ))
ask=$(complete -p "$2" | sed -n 's/.*-F \\([^ ]*\\).*/\\1/p')
"$ask" "$2" "${COMP_WORDS[COMP_CWORD]}"
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture
def script(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    assert main(["completion", "bash"]) == 0
    file = tmp_path / "completion"
    file.write_text(capsys.readouterr().out)
    return file


def completed(script: Path, *words: str) -> set[str]:
    bash = shutil.which("bash") or "bash"
    argv = [bash, "-c", ASK, "ask", str(script), PROG, *words]
    done = subprocess.run(argv, capture_output=True, text=True, check=True, cwd=script.parent)
    return {word.strip() for word in done.stdout.split("\n") if word.strip()}


def test_every_command_is_offered(script: Path) -> None:
    assert {name for name, _ in COMMANDS} <= completed(script, "")


def test_a_language_and_a_file_are_offered(script: Path) -> None:
    (script.parent / "ours.yaml").touch()

    assert completed(script, "check-config", "--lang", "") == {"zh", "en"}
    assert "ours.yaml" in completed(script, "check-config", "--config", "ou")


@pytest.mark.parametrize("shell", ["zsh", "tcsh"])
def test_other_shells_have_theirs(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    assert PROG in capsys.readouterr().out
