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


def test_language_and_settings_may_stand_before_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--lang", "zh", f"--config={SHIPPED}", "check-config"]) == 0
    assert "无误" in capsys.readouterr().err
    with pytest.raises(SystemExit) as ended:
        main(["--lang", "zh", "--help"])
    assert ended.value.code == 0
    assert "用法：fengsui-collector" in capsys.readouterr().out


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


def test_a_broken_plan_that_the_collector_would_leave_out_is_told(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for name in ("collector.yaml", "registry.yaml"):
        (tmp_path / name).write_text(
            (SHIPPED.parent / name).read_text().replace('playbooks: ""', "playbooks: plans")
        )
    (tmp_path / "plans").mkdir()
    (tmp_path / "plans" / "ours.yaml").write_text("id: ours\nname: {zh: 一, en: one}\nsteps: 3\n")

    assert main(["check-config", str(tmp_path / "collector.yaml")]) == 1
    assert "ours.yaml:3:8: steps: 发现 '3'，应为映射" in capsys.readouterr().err


def test_it_says_its_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--version"])

    assert caught.value.code == 0
    assert capsys.readouterr().out.startswith("fengsui-collector ")
