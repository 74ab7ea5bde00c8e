"""`plan simulate`, as people run it."""

import json
from pathlib import Path

import pytest

from collector.cli import main
from collector.shipped import playbooks_dir

PLAN = str(playbooks_dir() / "page-tampering.yaml")
CONFIG = str(playbooks_dir().parent / "configs" / "collector.yaml")
AT = "2026-09-25T17:40+08:00"


def test_it_says_what_would_happen_when_and_who_would_be_woken(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "simulate", PLAN, "--at", AT, "--json", "--config", CONFIG]) == 0

    out, err = capsys.readouterr()
    document = json.loads(out)
    assert err == ""
    assert (document["plan"], document["at"]) == ("page-tampering", "2026-09-25T17:40:00+08:00")
    assert document["moments"][0]["at"] == document["at"]
    woken = next(each for each in document["moments"] if each["what"] == "wakes")
    assert woken["people"]


@pytest.mark.parametrize(("lang", "word"), [("zh", "超时,告知 leader"), ("en", "overdue, tells leader")])
def test_people_read_it_in_their_language(lang: str, word: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "simulate", PLAN, "--at", AT, "--lang", lang]) == 0

    assert word in capsys.readouterr().out


def test_a_broken_plan_and_a_broken_time_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "p.yaml").write_text("steps: [")

    assert main(["plan", "simulate", str(tmp_path / "p.yaml"), "--at", AT]) == 1
    with pytest.raises(SystemExit) as ended:
        main(["plan", "simulate", PLAN, "--at", "yesterday"])

    assert ended.value.code == 2
    assert "found 'yesterday'" in capsys.readouterr().err
