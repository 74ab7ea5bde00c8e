"""Mistakes of an agent's settings file read Chinese to who reads Chinese, all of them and at their places."""

import re
from pathlib import Path

import pytest

from agent.cli import main

WRONG = """metrics: {listn: 0}
heartbeat_seconds: often
unit: [a]
unit: b
collectors: ["http://x", "https://x/y"]
internal_ranges: [10.0.0.1/8, nowhere]
language: de
outbox: {max_bytes: 3, max_age_hours: 0}
orders:
  allow: [dance]
  evidence_logs: [{name: A, path: b}, {path: /a}]
  evidence_bytes: 99999999999
sources:
  outages: {services: [{name: a, url: "https://x/", unit: b.service}]}
  files: [1]
"""
_KEPT = re.compile(
    r"'[^']*'|[a-z_]+[._][a-z_.]+|https|url、port、unit|：[a-z_]+, [a-z_, ]+|listen|zh, en|IPv.|（[a-z]+）"
)


def told(file: Path, text: str, language: str, capsys: pytest.CaptureFixture[str]) -> list[str]:
    file.write_text(text)
    assert main(["check-config", str(file), "--lang", language]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert all(line.startswith(f"{file}:") for line in lines)
    return [line.removeprefix(f"{file}:") for line in lines]


def test_every_mistake_is_told_in_chinese_at_the_same_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chinese, english = (told(tmp_path / "a.yaml", WRONG, one, capsys) for one in ("zh", "en"))
    place = re.compile(r"\d+:\d+: [\w.\[\]]+")

    assert [place.match(line) for line in chinese if not place.match(line)] == []
    assert [place.match(line)[0] for line in chinese] == [place.match(line)[0] for line in english]  # type: ignore[index]
    assert len(chinese) >= 17
    for line in chinese:
        said = line.partition("：")[2]
        assert re.findall("[A-Za-z]{3,}", _KEPT.sub("", said)) == [], line
    assert "2:20: heartbeat_seconds：发现 'often'，应为数字" in chinese
    assert "8:39: outbox.max_age_hours：发现 '0'，应为大于 0.0 的数（float）" in chinese


def test_a_file_that_is_no_settings_is_told_in_chinese_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (broken,) = told(tmp_path / "a.yaml", "a: [\n", "zh", capsys)
    (no_mapping,) = told(tmp_path / "a.yaml", "- 1\n", "zh", capsys)

    assert "发现 YAML 语法错误（" in broken
    assert "映射" in no_mapping


def test_a_wrong_word_of_the_command_line_is_told_in_the_language_asked(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["replay", "x", "--as", "tape", "--lang", "zh"])

    assert ended.value.code == 2
    assert "错误：参数 --as：发现 'tape'，应为以下之一：" in capsys.readouterr().err
