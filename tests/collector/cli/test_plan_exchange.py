"""`plan import` and `plan export`, as people run them."""

import json
from pathlib import Path

import pytest

from collector.cli import main
from collector.shipped import playbooks_dir

GOLDEN = Path(__file__).parents[2] / "golden" / "cacao"
MANUAL = GOLDEN / "playbooks" / "manual-playbook.json"


def test_what_is_imported_passes_the_check_runs_as_a_drill_and_goes_out_as_it_came(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plan", "import", str(MANUAL), "--to", str(tmp_path)]) == 0
    (file,) = tmp_path.glob("*.yaml")
    assert str(file) in capsys.readouterr().err

    assert main(["plan", "check", str(file)]) == 0
    assert main(["plan", "run", str(file), "--drill", "--confirm", "all", "--json"]) == 0
    capsys.readouterr()
    assert main(["plan", "export", str(file)]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(MANUAL.read_text())


def test_an_import_does_not_write_over_a_plan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "import", str(MANUAL), "--to", str(tmp_path)]) == 0
    assert main(["plan", "import", str(MANUAL), "--to", str(tmp_path)]) == 1
    assert "File exists" in capsys.readouterr().err


def test_a_playbook_that_cannot_run_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "import", str(GOLDEN / "refused" / "missing_step_playbook.json")]) == 1

    out, err = capsys.readouterr()
    assert out == ""
    assert ".on_completion: found the step" in err
    assert "$.workflow['action--" in err


def test_a_shipped_plan_comes_back_from_cacao_as_it_was(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plan", "export", "page-tampering"]) == 0
    exported = tmp_path / "p.json"
    exported.write_text(capsys.readouterr().out)

    assert main(["plan", "import", str(exported)]) == 0

    again = tmp_path / "page-tampering.yaml"
    again.write_text(capsys.readouterr().out)
    assert "unknown:" not in again.read_text()
    assert main(["plan", "export", str(again)]) == 0
    ours, first = json.loads(capsys.readouterr().out), json.loads(exported.read_text())
    assert {**ours, "created": "", "modified": ""} == {**first, "created": "", "modified": ""}


def test_a_plan_that_is_not_there_is_told_with_those_that_are(capsys: pytest.CaptureFixture[str]) -> None:
    config = str(playbooks_dir().parent / "configs" / "collector.yaml")

    assert main(["plan", "export", "nothing", "--config", config]) == 1

    assert "page-tampering" in capsys.readouterr().err


def test_a_broken_file_is_not_exported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "ours.yaml").write_text("id: ours\nsteps: [")

    assert main(["plan", "export", str(tmp_path / "ours.yaml")]) == 1
    assert "ours.yaml:3:1" in capsys.readouterr().err
