"""`sigma check`, as people run it."""

import json
from pathlib import Path

import pytest

from collector.cli import main

BAD = "title: looks at DNS\nlogsource: {category: dns_query}\ndetection: {a: {x: y}, condition: a}\n"


def test_the_shipped_rules_load_and_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sigma", "check", "--json"]) == 0

    document = json.loads(capsys.readouterr().out)
    assert document["loaded"] == len(document["rules"]) >= 11
    assert document["refused"] == []


@pytest.mark.parametrize(("lang", "words"), [("zh", "拒绝 1 条"), ("en", "1 refused")])
def test_what_is_refused_is_told_with_its_reason(
    tmp_path: Path, lang: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "dns.yml").write_text(BAD)

    assert main(["sigma", "check", str(tmp_path), "--lang", lang]) == 1
    out, err = capsys.readouterr()
    assert out.startswith(f"{tmp_path / 'dns.yml'}: looks at DNS: logsource.category 'dns_query'")
    assert words in err


def test_a_folder_that_is_not_there_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sigma", "check", str(tmp_path / "none")]) == 1
    assert str(tmp_path / "none") in capsys.readouterr().err
