"""`fengsui-collector backup`: one document, texts in both languages, an entry of the journal."""

import asyncio
import json
from pathlib import Path

import pytest

from collector.backups import check, restore
from collector.cli import main
from collector.cli.backup import PARTS, Progressing
from tests.collector.backups.conftest import any_yard, new_postgres, yard
from tests.collector.backups.yard import NINE, Yard

__all__ = ["any_yard", "new_postgres", "yard"]


def test_json_is_one_document_and_the_rest_goes_to_stderr(
    yard: Yard, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["backup", str(tmp_path / "b"), "--config", str(yard.file), "--json"]) == 0

    out, said = capsys.readouterr()
    document = json.loads(out)
    assert document["folder"] == str(tmp_path / "b")
    assert (document["unit"], document["files"], document["journalled"]) == ("county", 11, True)
    assert [one["why"] for one in document["left_out"]] == ["not_named", "made_anew"]
    assert "a folder that the settings do not name" in said
    assert f"check it: fengsui-collector restore {tmp_path / 'b'} --check" in said
    assert asyncio.run(yard.actions()).count("backup.taken") == 1


def test_it_speaks_chinese(yard: Yard, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["backup", str(tmp_path / "b"), "--config", str(yard.file), "--lang", "zh"]) == 0
    out, said = capsys.readouterr()
    assert out == ""
    assert "未备份" in said
    assert "请像保管密钥一样保管" in said


def test_a_folder_that_is_not_empty_is_refused_in_both_languages(
    yard: Yard, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["backup", str(yard.file.parent), "--config", str(yard.file), "--lang"]
    assert main([*words, "en"]) == 1
    assert "expected a new or an empty folder" in capsys.readouterr().err
    assert main([*words, "zh"]) == 1
    assert "应为新建或空的目录" in capsys.readouterr().err
    assert not (tmp_path / "b").exists()


def test_what_takes_long_is_told_once_a_second(capsys: pytest.CaptureFixture[str]) -> None:
    seconds = iter([0.0, 0.5, 1.0, 1.0, 1.2, 2.5, 2.5])
    tell = Progressing(zh=False, steady=lambda: next(seconds))
    for done in (1, 2, 3, 4):
        tell("events.db", done, 4)
    assert capsys.readouterr().err == "event log 50 %\nevent log 100 %\n"


async def test_every_part_that_is_told_has_a_name_in_both_languages(any_yard: Yard, tmp_path: Path) -> None:
    """Only what takes long is printed: a part without a name would fail on the largest backups alone."""
    told: set[str] = set()

    def tell(part: str, *_: int) -> None:
        told.add(part)

    await any_yard.backed_up(tmp_path / "b", tell)
    await check(tmp_path / "b", tell)
    await restore(tmp_path / "b", any_yard.settings, replace=True, despite_faults=False, now=NINE, tell=tell)
    assert told - set(PARTS) == set()
    assert {"state", "settings", "outside", "state.db", "events.db", "files", "databases", "copy"} <= told
