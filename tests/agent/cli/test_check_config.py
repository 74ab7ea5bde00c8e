from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from agent.cli import main
from agent.cli.loading import load_file, parse
from agent.settings import Settings, SettingsError

SHIPPED = Path(__file__).parents[3] / "configs/agent.yaml"


def paths(value: Any, path: str = "") -> set[str]:  # noqa: ANN401 - any part of a file
    if not isinstance(value, dict):
        return {path}
    return {path} | {found for name, inner in value.items() for found in paths(inner, f"{path}.{name}")}


def test_the_shipped_settings_are_right_and_say_every_setting_with_its_default(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["check-config", str(SHIPPED), "--lang", "en"]) == 0
    assert capsys.readouterr().out == f"{SHIPPED} has no mistakes.\n"

    defaults = parse("", "none")
    assert msgspec.json.encode(load_file(SHIPPED), order="sorted") == msgspec.json.encode(
        msgspec.structs.replace(defaults, internal_ranges=defaults.sources.internal_ranges), order="sorted"
    )
    known = paths(msgspec.to_builtins(defaults)) - {
        ".sources.internal_ranges",
        ".sources.asset.unit",
        ".sources.asset.assets",
    }
    assert known <= paths(yaml.safe_load(SHIPPED.read_text("utf-8")))


def test_every_mistake_is_on_its_own_line_of_stderr_and_the_exit_code_is_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text("unti: x\nlanguage: fr\nsources: {files: {roots: [{pth: /x}]}}\n")

    assert main(["check-config", str(file)]) == 1

    said = capsys.readouterr()
    assert said.out == ""
    assert [line.split(": ")[0] for line in said.err.splitlines()] == [
        f"{file}:1:1",
        f"{file}:2:11",
        f"{file}:3:27",
        f"{file}:3:28",
    ]


def test_a_missing_file_is_said_in_the_language_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check-config", "/missing.yaml", "--lang", "zh"]) == 1
    assert "无法读取 /missing.yaml" in capsys.readouterr().err


def test_wrong_usage_exits_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    for words in ([], ["fly"], ["check-config", "--lang", "fr"]):
        with pytest.raises(SystemExit) as ended:
            main(words)
        assert ended.value.code == 2
    assert "usage" in capsys.readouterr().err


def test_every_default_is_a_setting_that_an_operator_may_write() -> None:
    assert Settings() == msgspec.convert(msgspec.to_builtins(Settings()), Settings)


def test_it_says_its_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("fengsui-agent ")


def test_a_byte_that_is_no_text_is_told_at_its_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "agent.yaml"
    path.write_bytes("# 单位\nunit: 县".encode() + b"\xff\n")

    assert main(["check-config", str(path), "--lang", "zh"]) == 1
    assert capsys.readouterr().err == f"{path}:2:8: 发现字节 0xff，应为 UTF-8 文本\n"


def test_behind_a_mistake_in_a_list_the_next_is_told_at_its_own_place(tmp_path: Path) -> None:
    path = tmp_path / "agent.yaml"
    path.write_text("collectors: ['http://x', 'https://x', 'https://x/y']\n")

    with pytest.raises(SettingsError) as refused:
        load_file(path)

    first, second = str(refused.value).splitlines()
    assert first.startswith(f"{path}:1:14: collectors[0]: found 'http://x'")
    assert second.startswith(f"{path}:1:39: collectors[2]: found 'https://x/y'")


def test_a_web_root_that_counts_from_nowhere_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "agent.yaml"
    file.write_text("sources: {files: {roots: [{path: www}]}}\n")

    assert main(["--lang", "en", "check-config", str(file)]) == 1
    assert "sources.files.roots[0]: found" in (said := capsys.readouterr().err)
    assert "expected an absolute path of a web root, not 'www'" in said
    assert main(["--lang=zh", "check-config", str(file)]) == 1
    assert "应为网站目录的绝对路径，而非 'www'" in capsys.readouterr().err


def test_what_every_command_takes_may_stand_before_it_and_what_stands_behind_wins(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "no.yaml").write_text("unti: x\n")

    assert main(["--config", str(tmp_path / "no.yaml"), "--lang", "en", "check-config"]) == 1
    assert "unti: found an unknown field" in capsys.readouterr().err
    assert main(["--lang", "en", "--config=none.yaml", "check-config", "--config", str(SHIPPED)]) == 0
    with pytest.raises(SystemExit) as ended:
        main(["--lang", "zh", "--help"])
    assert ended.value.code == 0
    assert "用法：fengsui-agent" in capsys.readouterr().out
