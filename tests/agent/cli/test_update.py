"""`fengsui-agent update`, as the timer calls it."""

import fcntl
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from agent.cli import main
from agent.release import Slots
from agent.release.proof import read_standing
from tests.agent.release.conftest import Signer, mirror, signer, slots

__all__ = ["mirror", "signer", "slots"]  # fixtures


@pytest.fixture
def config(tmp_path: Path, signer: Signer, slots: Slots) -> Path:
    """Settings whose `restart` lets the stand-in of an agent say that a collector has answered it."""
    state = tmp_path / "state"
    state.mkdir()
    release, answered = slots.folder / "current" / "RELEASE.json", state / "answered.json"
    says = f"import shutil; shutil.copy({str(release)!r}, {str(answered)!r})"
    path = tmp_path / "agent.yaml"
    path.write_text(
        json.dumps(
            {
                "state_dir": str(state),
                "update": {
                    "mirror": str(signer.folder),
                    "root": str(signer.root),
                    "folder": str(slots.folder),
                    "trial_seconds": 1,
                    "restart": [sys.executable, "-c", says],
                },
            }
        )
    )
    return path


def call(config: Path, *words: str) -> int:
    return main(["update", "--config", str(config), "--lang", "en", *words])


def test_a_node_looks_takes_and_has_nothing_newer(
    config: Path, signer: Signer, slots: Slots, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(config, "--check", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"running": "0.1.0", "offered": None}
    signer.offer("0.2.0")
    assert call(config, "--check") == 0
    assert "0.1.0 -> 0.2.0" in capsys.readouterr().err

    assert call(config, "--json") == 0
    said = {"changed": True, "running": "0.2.0", "state": "installed", "version": "0.2.0", "why": None}
    told = capsys.readouterr()
    assert json.loads(told.out) == said
    assert told.err == "", "where there is no deputy none is started"
    program = slots.folder / "current" / "bin" / "fengsui-agent"
    assert subprocess.run([program, "check-config", config], check=False).returncode == 0

    assert call(config) == 0
    assert "nothing newer: 0.2.0 runs" in capsys.readouterr().err


def test_a_release_that_stays_silent_ends_with_one_and_is_told(
    config: Path, signer: Signer, slots: Slots, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """A deputy, where the node has one, starts anew each time, just before the agent."""
    signer.offer("0.2.0")
    settings = json.loads(config.read_text())
    starts = tmp_path / "starts"
    notes = "import sys; open(sys.argv[1], 'a').write(sys.argv[2]); sys.exit(sys.argv[3] == 'fails')"
    says = [sys.executable, "-c", notes]
    settings["orders"] = {"deputy": "/run/fengsui-agent/deputy.sock"}
    settings["update"]["restart"] = [*says, str(starts), "agent ", "fails"]
    settings["update"]["restart_deputy"] = [*says, str(starts), "deputy ", "works"]
    config.write_text(json.dumps(settings))
    assert call(config) == 1
    told = capsys.readouterr().err
    assert "agent  fails failed" in told
    assert "0.2.0 was taken back, 0.1.0 runs" in told
    assert slots.named("current") == "a"
    assert starts.read_text() == "deputy agent " * 2


def test_a_release_that_refuses_the_settings_says_which(
    config: Path, signer: Signer, slots: Slots, capsys: pytest.CaptureFixture[str]
) -> None:
    signer.offer("0.2.0", takes_settings=False)
    assert call(config) == 1
    assert "settings.heartbeat_seconds: found 1" in capsys.readouterr().err
    assert slots.named("current") == "a"


def test_without_a_mirror_the_command_says_what_to_set(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "agent.yaml"
    path.write_text("{}")
    assert main(["update", "--config", str(path), "--lang", "zh"]) == 1
    assert "update.mirror" in capsys.readouterr().err


def test_a_second_update_is_turned_away(
    config: Path, slots: Slots, capsys: pytest.CaptureFixture[str]
) -> None:
    held = os.open(slots.folder, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    assert call(config) == 1
    os.close(held)
    assert "another update is under way" in capsys.readouterr().err


def test_what_is_installed_is_adopted_only_from_within(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "new"
    (folder / "a").mkdir(parents=True)
    path = tmp_path / "agent.yaml"
    path.write_text(json.dumps({"update": {"folder": str(folder)}}))
    assert call(path, "--adopt") == 1
    assert "no folder of releases" in capsys.readouterr().err
    monkeypatch.setattr(sys, "prefix", str(folder / "a"))
    monkeypatch.setattr("agent.cli.update.find_spec", lambda _: None)
    assert call(path, "--adopt") == 0
    assert Slots(folder).named("current") == Slots(folder).named("good") == "a"
    assert call(path, "--adopt") == 0


def test_outcome_and_refusal_are_in_the_language_of_the_settings(
    config: Path, slots: Slots, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("FENGSUI_LANG", raising=False)
    config.write_text(json.dumps(json.loads(config.read_text()) | {"language": "zh"}))
    assert main(["update", "--config", str(config)]) == 0
    assert "已是最新" in capsys.readouterr().err
    shutil.rmtree(slots.folder / "a")
    assert main(["update", "--config", str(config)]) == 1
    assert "不是版本目录" in capsys.readouterr().err


def test_why_a_release_was_taken_back_is_english_in_the_heartbeat_and_chinese_to_who_reads_chinese(
    config: Path,
    signer: Signer,
    slots: Slots,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It was written in the language of the node's settings, and shown so to whoever reads the console."""
    monkeypatch.delenv("FENGSUI_LANG", raising=False)
    config.write_text(json.dumps(json.loads(config.read_text()) | {"language": "zh"}))
    signer.offer("0.2.0", takes_settings=False)

    assert main(["update", "--config", str(config)]) == 1
    capsys.readouterr()

    assert read_standing(slots.folder).why.startswith("the new release does not take this node's settings")


def test_a_slot_that_serves_a_collector_too_is_not_adopted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A release holds the agent alone: with the first update the collector would be gone."""
    folder = tmp_path / "new"
    (folder / "a").mkdir(parents=True)
    path = tmp_path / "agent.yaml"
    path.write_text(json.dumps({"update": {"folder": str(folder)}}))
    monkeypatch.setattr(sys, "prefix", str(folder / "a"))

    assert call(path, "--adopt") == 1
    assert "holds a collector too" in capsys.readouterr().err
    assert Slots(folder).named("good") is None


def test_a_look_waits_for_no_update_and_changes_nothing(
    config: Path, signer: Signer, slots: Slots, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(config) == 0
    signer.offer("0.2.0")
    before = {path: path.lstat().st_mtime_ns for path in slots.folder.rglob("*")}
    held = os.open(slots.folder, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)

    assert call(config, "--check") == 0

    os.close(held)
    assert "0.1.0 -> 0.2.0" in capsys.readouterr().err
    assert {path: path.lstat().st_mtime_ns for path in slots.folder.rglob("*")} == before


def test_a_look_refuses_a_mirror_that_went_back_as_an_update_does(
    config: Path, signer: Signer, slots: Slots, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(signer.folder, tmp_path / "older")
    signer.offer("0.2.0")
    assert call(config) == 0
    shutil.rmtree(signer.folder)
    shutil.move(tmp_path / "older", signer.folder)

    assert call(config, "--check") == 1
    assert "is not to be trusted" in capsys.readouterr().err
    assert slots.named("good") == "b"


def test_a_release_can_be_run_by_others_whatever_roots_umask_is(
    config: Path, signer: Signer, slots: Slots
) -> None:
    signer.offer("0.2.0")
    umask = os.umask(0o077)
    try:
        assert call(config) == 0
    finally:
        os.umask(umask)
    new = slots.path("b")
    for path in (new, new / "bin", new / "bin" / "fengsui-agent", new / "RELEASE.json"):
        assert path.stat().st_mode & 0o044 == 0o044, path
