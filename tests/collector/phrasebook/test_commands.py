"""What commands refuse reads Chinese, told by the commands themselves."""

from pathlib import Path

import pytest

from collector.cli import main


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["check-config", "nowhere.yaml"], "nowhere.yaml：没有此文件或目录"),
        (["plan", "export", "no-such-plan"], "no-such-plan：没有此编号的预案，应为以下之一："),
        (["plan", "check", "nowhere.yaml"], "发现无法读取的文件（No such file or directory），应为预案文件"),
        (
            ["duty", "explain", "nowhere.yaml"],
            "发现无法读取的文件（No such file or directory），应为 UTF-8 文本文件",
        ),
    ],
)
def test_a_command_refuses_in_chinese(
    words: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)

    assert main([*words, "--lang", "zh"]) == 1
    assert said in capsys.readouterr().err
