"""`drill`, as an officer uses it: plan, hold, score, report and prove, all by the command."""

import json
from pathlib import Path
from typing import Any

import pytest

from collector import shipped
from collector.cli import main
from tests.collector.desk.test_drills import SCRIPT_HERE

AT = "2026-03-02T09:00:00+08:00"


class Office:
    """A collector's settings and scripts in a folder of their own."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._capsys = capsys
        text = (shipped.configs_dir() / "collector.yaml").read_text("utf-8")
        lines = [line for line in text.splitlines() if not line.startswith("state_dir:")]
        (folder / "registry.yaml").write_bytes((shipped.configs_dir() / "registry.yaml").read_bytes())
        (folder / "collector.yaml").write_text("\n".join([*lines, "state_dir: state"]))
        (folder / "state").mkdir()
        (folder / "script.yaml").write_text(SCRIPT_HERE)

    def ask(self, *words: str, code: int = 0) -> Any:  # noqa: ANN401 - JSON
        config = ["--config", str(self.folder / "collector.yaml")]
        assert main(["drill", *words, *config, "--json"]) == code
        return json.loads(self._capsys.readouterr().out)

    def refused(self, *words: str) -> str:
        config = ["--config", str(self.folder / "collector.yaml"), "--lang", "en"]
        assert main(["drill", *words, *config]) == 1
        return self._capsys.readouterr().err

    @property
    def script(self) -> str:
        return str(self.folder / "script.yaml")


@pytest.fixture
def office(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Office:
    return Office(tmp_path, capsys)


def test_a_drill_from_the_plan_to_the_proof(office: Office) -> None:
    assert office.ask("check", office.script)["ok"]
    named = ["--name", "甲", "--name-en", "a", "--form", "table_top"]
    later = office.ask("schedule", "--at", AT, *named)
    assert office.ask("write", later["id"], office.script)["form"] == "live"
    drill = office.ask("schedule", office.script, "--at", AT, "--superior", "--with", "city")
    assert (drill["superior"], drill["units"]) == ("waiting", ["district", "city"])
    assert office.ask("start", drill["id"])["state"] == "running"
    event = office.folder / "event.yaml"
    event.write_text("at: 5m\nmessage: {to: duty, text: {zh: 甲, en: a}}\n")
    assert office.ask("inject", drill["id"], str(event))["n"] == 6
    assert office.ask("score", drill["id"])["points"] is None
    assert office.ask("end", drill["id"])["state"] == "done"
    assert office.ask("lessons", drill["id"], "更新通讯录")["lessons"] == "更新通讯录"
    to = office.folder / "report.json"
    assert office.ask("report", drill["id"], "--as", "json", "--to", str(to))["bytes"] == to.stat().st_size
    assert json.loads(to.read_bytes())["lessons"] == "更新通讯录"
    assert len(office.ask("list")["items"]) == 2
    assert office.ask("cancel", later["id"], "--reason", "汛期")["state"] == "cancelled"
    proof = office.ask("proof", code=1)
    assert {one["unit"]: one["ok"] for one in proof["units"]}["district"]
    assert office.ask("announced") == {"items": []}


def test_what_cannot_be_done_is_said(office: Office) -> None:
    assert "there is none" in office.refused("start", "nope")
    assert "none of this id was announced" in office.refused("accept", "nope")
    assert "neither a script nor" in office.refused("schedule", "--at", AT)
    for old, new, said in (
        ("district-portal", "elsewhere", "the asset 'elsewhere'"),
        ("NADOS", "NOSUCH", "the class 'NOSUCH'"),
        ("lasts: 3h", "lasts: 3h\nplan: nowhere", "the plan 'nowhere'"),
        ("reposts", "repostss", "facts.set.repostss"),
    ):
        (office.folder / "wrong.yaml").write_text(SCRIPT_HERE.replace(old, new))
        assert said in office.refused("check", str(office.folder / "wrong.yaml"))


def test_a_rehearsal_prints_its_score_and_leaves_nothing(office: Office) -> None:
    found = office.ask("rehearse", office.script, "--at", AT)

    assert (found["ok"], found["simulated"]) == (True, True)
    assert found["sheet"]["points"] > 50
    assert list((office.folder / "state").iterdir()) == []
