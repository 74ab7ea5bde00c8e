"""`fengsui-collector restore`: checks without touching, restores, and says what a person has to know then."""

import asyncio
import json
from pathlib import Path

import pytest

from collector.cli import main
from tests.collector.backups.conftest import yard
from tests.collector.backups.yard import Yard, tree

__all__ = ["yard"]


@pytest.fixture
def backup(yard: Yard, tmp_path: Path) -> str:
    asyncio.run(yard.backed_up(tmp_path / "b"))
    return str(tmp_path / "b")


def test_a_check_needs_no_settings_and_is_one_document(
    backup: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = tree(Path(backup))
    assert main(["restore", backup, "--check", "--json", "--config", "/none.yaml"]) == 0
    out, said = capsys.readouterr()
    document = json.loads(out)
    assert (document["ok"], document["faults"], document["unit"]) == (True, [], "county")
    assert document["journal"]["chains"] == document["journal"]["checkpoints"] == 1
    assert "the backup is whole" in said
    assert tree(Path(backup)) == before


@pytest.mark.parametrize(("language", "words"), [("en", "expected 241"), ("zh", "应为 241 字节")])
def test_faults_are_told_in_both_languages(
    backup: str, language: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path(backup, "state", "ca.key").write_text("x")
    assert main(["restore", backup, "--check", "--json", "--lang", language]) == 1
    out, said = capsys.readouterr()
    assert json.loads(out)["ok"] is False
    assert words in said


def test_restoring_says_what_fell_due_and_where_the_old_files_are(
    yard: Yard, backup: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["restore", backup, "--config", str(yard.file)]
    assert main(words) == 1
    assert "--replace sets them aside" in capsys.readouterr().err

    assert main([*words, "--replace", "--json"]) == 0
    out, said = capsys.readouterr()
    document = json.loads(out)
    assert document["fell_due"][0]["title_en"] == "home page of the portal tampered with"
    assert Path(document["set_aside"][0]).is_dir()
    assert "Revoke again what was revoked since the backup" in said
    assert "are past due" in said

    assert main([*words, "--replace", "--lang", "zh"]) == 0
    assert "项时限已过" in capsys.readouterr().err


def test_on_a_new_machine_it_says_where_the_settings_are(
    backup: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["restore", backup, "--config", str(tmp_path / "new" / "collector.yaml")]) == 1
    assert f"copy {backup}/settings to {tmp_path / 'new'} first" in capsys.readouterr().err


@pytest.mark.parametrize("folder", ["/nowhere", "/etc", "/dev/null", "\x01"])
def test_a_folder_that_is_no_backup_is_refused_without_a_traceback(
    folder: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["restore", folder, "--check", "--lang", "zh"]) == 1
    assert "fengsui-collector backup" in capsys.readouterr().err
