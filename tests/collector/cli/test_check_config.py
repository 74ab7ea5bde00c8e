"""`check-config` says what is there, or every mistake with its place."""

from pathlib import Path

import pytest

from collector.cli import main

SHIPPED = Path(__file__).parents[3] / "configs" / "collector.yaml"


@pytest.mark.parametrize(("language", "words"), [("en", "no mistakes"), ("zh", "无误")])
def test_the_shipped_settings_have_no_mistakes(
    capsys: pytest.CaptureFixture[str], language: str, words: str
) -> None:
    assert main(["check-config", str(SHIPPED), "--lang", language]) == 0
    assert words in capsys.readouterr().err


def test_each_mistake_has_a_line_and_the_exit_code_is_one(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    settings = tmp_path / "c.yaml"
    settings.write_text("unit: u\nregistry: r.yaml\nlanguage: fr\nlisten: {agents: {port: many}}\n")

    assert main(["check-config", str(settings)]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert f"{settings}:3:11: language:" in said.err
    assert f"{settings}:4:25: listen.agents.port:" in said.err


def test_a_file_that_is_not_there_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check-config", "/nonexistent.yaml"]) == 1
    assert capsys.readouterr().err == "/nonexistent.yaml: No such file or directory\n"


def test_wrong_usage_has_its_own_exit_code() -> None:
    with pytest.raises(SystemExit) as caught:
        main(["check-config", "--nonsense"])

    assert caught.value.code == 2
