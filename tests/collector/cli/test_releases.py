"""`fengsui-collector releases`, from new keys to a mirror that is whole."""

import json
from pathlib import Path

import pytest

from collector.cli import main
from tests.agent.release.conftest import bundle


def call(*words: str | Path) -> int:
    return main(["releases", *map(str, words), "--lang", "en"])


def test_from_new_keys_to_a_release_that_is_taken_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, keys = tmp_path / "mirror", ("--keys", tmp_path / "keys")
    password = tmp_path / "password"
    password.write_text("correct horse")
    password.chmod(0o600)
    keys = (*keys, "--password-file", password)
    assert call("init", folder, *keys) == 0
    assert "1.root.json" in capsys.readouterr().err
    assert call("add", folder, bundle(tmp_path, "0.2.0"), *keys) == 0
    assert call("add", folder, bundle(tmp_path, "0.3.0"), *keys, "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"part": "add", "versions": "0.2.0, 0.3.0"}
    assert call("withdraw", folder, "0.3.0", *keys) == 0
    assert call("refresh", folder, *keys) == 0
    assert call("renew-root", folder, *keys) == 0
    capsys.readouterr()
    assert call("check", folder, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert [one["version"] for one in found["releases"]] == ["0.2.0"]
    assert (found["withdrawn"], found["thresholds"]["targets"]) == (["0.3.0"], 2)
    assert call("check", folder) == 0
    assert "the mirror is whole; it offers 0.2.0" in capsys.readouterr().err


def test_help_mistakes_and_outcome_are_in_the_hosts_language(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FENGSUI_LANG", "zh")
    assert main(["releases", "init", str(tmp_path / "mirror"), "--keys", str(tmp_path / "keys")]) == 0
    assert "镜像已建立" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["releases", "init"])
    assert "用法：fengsui-collector releases init" in capsys.readouterr().err


def test_a_lost_key_is_found_by_its_id_and_replaced(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, keys = tmp_path / "mirror", ("--keys", tmp_path / "keys")
    assert call("init", folder, *keys) == 0
    (tmp_path / "keys" / "targets-2.pem").unlink()
    capsys.readouterr()
    assert call("keys", folder, *keys) == 0
    (lost,) = [line for line in capsys.readouterr().out.splitlines() if line.endswith("not here")]
    role, key = lost.split()[:2]
    assert role == "targets"

    assert call("replace-key", folder, key[:12], *keys, "--new", tmp_path / "zhang") == 0

    assert str(tmp_path / "zhang" / "targets-2.pem") in capsys.readouterr().err
    assert call("keys", folder, *keys, "--keys", tmp_path / "zhang", "--json") == 0
    listed = json.loads(capsys.readouterr().out)["keys"]
    assert len(listed) == 7
    assert key not in {one["key"] for one in listed}
    assert all(one["file"] for one in listed)
    assert call("check", folder) == 0


def test_what_is_wrong_is_told_in_both_languages(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("check", tmp_path) == 1
    assert "No such file or directory" in capsys.readouterr().err
    assert main(["releases", "refresh", str(tmp_path), "--keys", str(tmp_path), "--lang", "zh"]) == 1
    assert "没有镜像" in capsys.readouterr().err
