"""Mistakes and refusals reach people in their language, behind a place that editors open."""

import argparse

import pytest

from collector.cli.telling import finding_of, language_of, line_of, time_of, told
from collector.errors import PermanentError
from collector.phrasebook import in_language
from collector.plans import Finding
from collector.regimes import CaseErrors
from collector.yaml_marks import Mistake, Mistakes

WRONG = Mistake("c.yaml", 3, 7, "unit.kind", "'king'", "one of enterprise, central_organ")


def test_mistakes_are_told_a_line_each_with_line_and_column() -> None:
    second = Mistake("c.yaml", 9, 1, "", "a second document", "one document a file")

    assert told(Mistakes([second, WRONG]), "zh").splitlines() == [
        "c.yaml:3:7: unit.kind: 发现 'king'，应为以下之一：enterprise, central_organ",
        "c.yaml:9:1: $: 发现第二个文档，应为每个文件一个文档",
    ]
    assert told(Mistakes([WRONG]), "en") == str(WRONG)


def test_mistakes_of_a_case_have_their_own_form_in_both_languages() -> None:
    assert told(CaseErrors([WRONG]), "zh").startswith("c.yaml:3: unit.kind: 发现 'king'，应为")
    assert told(CaseErrors([WRONG]), "en") == WRONG.with_line == line_of(WRONG, "en", column=False)


def test_a_warning_says_that_it_is_one() -> None:
    assert finding_of(Finding("warning", WRONG), "en") == str(Finding("warning", WRONG))
    assert finding_of(Finding("warning", WRONG), "zh").endswith("（警告）")
    assert finding_of(Finding("error", WRONG), "zh") == line_of(WRONG, "zh")


def test_a_refusal_is_told_in_the_language_asked() -> None:
    refusal = PermanentError("/etc/x.yaml: No such file or directory")

    assert told(refusal, "zh") == "/etc/x.yaml：没有此文件或目录"
    assert told(refusal, "en") == str(refusal)


def test_once_settings_are_read_the_whole_command_speaks_their_language(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("FENGSUI_LANG", "LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "C.UTF-8")
    args = argparse.Namespace(lang=None)

    assert language_of(args) == "en"
    assert language_of(args, "zh") == "zh"
    assert language_of(args) == "zh"


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("zh", "发现 '2026-03-02'，应为带时区偏移的时间，如 2026-03-02T09:10:00+08:00"),
        ("en", "found '2026-03-02', expected a time with offset such as 2026-03-02T09:10:00+08:00"),
    ],
)
def test_a_time_that_is_none_is_told_in_the_language_asked(language: str, said: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError) as caught:
        time_of("2026-03-02")
    assert in_language(str(caught.value), language) == said
    assert time_of("2026-03-02T09:10+08:00").hour == 9
