"""What the shell itself completes when a person presses Tab."""

from pathlib import Path

import pytest

from agent.cli import COMMANDS, main
from tests.wire.shell import completed

PROG = "fengsui-agent"


@pytest.fixture
def script(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    assert main(["completion", "bash"]) == 0
    file = tmp_path / "completion"
    file.write_text(capsys.readouterr().out)
    return file


def test_every_command_is_offered(script: Path) -> None:
    assert {name for name, _ in COMMANDS} <= completed(script, PROG, "")


def test_a_language_and_a_file_are_offered(script: Path) -> None:
    (script.parent / "ours.yaml").touch()

    assert completed(script, PROG, "check-config", "--lang", "") == {"zh", "en"}
    assert "ours.yaml" in completed(script, PROG, "check-config", "--config", "ou")


@pytest.mark.parametrize("shell", ["zsh", "tcsh"])
def test_other_shells_have_theirs(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    assert PROG in capsys.readouterr().out


def test_what_zsh_shows_beside_a_word_is_in_the_language_asked_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["completion", "zsh", "--lang", "zh"]) == 0
    chinese = capsys.readouterr().out
    assert main(["completion", "zsh", "--lang", "en"]) == 0

    assert "运行探针" in chinese
    assert "run the agent" not in chinese
    assert "run the agent" in capsys.readouterr().out
