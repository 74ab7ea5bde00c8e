"""What belongs to a collector: nothing is left out in silence, and no part of a database taken as a file."""

import os
import socket
from pathlib import Path

import pytest
from msgspec.structs import replace

from collector.backups import belongings
from collector.backups.belongings import of_settings, of_state
from collector.errors import PermanentError
from collector.settings import Settings, read_settings


def places(files: list[tuple[Path, str]]) -> list[str]:
    return sorted(place for _, place in files)


def test_every_entry_of_a_state_folder_is_taken_or_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = tmp_path / "state.db"
    for name in ("state.db", "state.db-wal", "state.db-shm", "ca.key", ".hidden", "in-use", "ca.key.new"):
        (tmp_path / name).write_text(name)
    (tmp_path / "superior").mkdir()
    (tmp_path / "superior" / "key.pem").write_text("key")
    (tmp_path / "before-restore-20260302T010000Z").mkdir()
    (tmp_path / "linked").symlink_to(tmp_path / "ca.key")
    (tmp_path / "folder").symlink_to("/etc")
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as here:
        here.bind("socket")
        found = of_state(tmp_path, [database])

    taken = ["state/.hidden", "state/ca.key", "state/linked", "state/superior/key.pem"]
    assert places(found.files) == taken
    assert sorted((Path(one.path).name, one.why) for one in found.left_out) == [
        ("before-restore-20260302T010000Z", "set_aside"),
        ("ca.key.new", "made_anew"),
        ("folder", "no_file"),
        ("in-use", "made_anew"),
        ("pipe", "no_file"),
        ("socket", "no_file"),
    ]


def settings_in(folder: Path, more: str = "") -> tuple[Settings, Path]:
    file = folder / "collector.yaml"
    file.write_text(f"unit: a\nregistry: registry.yaml\nstate_dir: state\n{more}")
    return read_settings(file.read_text(), str(file), {}), file


def test_settings_take_what_they_name_and_tell_what_lies_beside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    etc, elsewhere = tmp_path / "etc", tmp_path / "own"
    for folder in (etc / "state", etc / "rules" / "deep", etc / "other", elsewhere):
        folder.mkdir(parents=True)
    for path in (etc / "registry.yaml", etc / "rules/deep/a.yml", etc / "note.txt", elsewhere / "plan.yaml"):
        path.write_text(path.name)
    (etc / "film").write_bytes(bytes(100))
    monkeypatch.setattr(belongings, "_UNNAMED_BYTES", 99)
    settings, file = settings_in(etc, f"sigma: rules\nplaybooks: {elsewhere}\ncalendars: none\n")

    found = of_settings(settings, file, [etc / "events.db"])

    outside, *inside = places(found.files)
    assert (outside.startswith("outside/"), outside.endswith("/plan.yaml")) == (True, True)
    assert inside == [
        "settings/collector.yaml",
        "settings/note.txt",
        "settings/registry.yaml",
        "settings/rules/deep/a.yml",
    ]
    assert sorted((Path(one.path).name, one.why) for one in found.left_out) == [
        ("film", "too_large"),
        ("none", "missing"),
        ("other", "not_named"),
    ]


def test_settings_that_lie_in_the_state_folder_are_not_taken_twice(tmp_path: Path) -> None:
    (tmp_path / "ca.key").write_text("key")
    settings, file = settings_in(tmp_path)
    found = of_settings(replace(settings, state_dir=str(tmp_path)), file, [])

    assert places(found.files) == ["settings/collector.yaml"]


def test_a_folder_that_is_no_collectors_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(belongings, "_MOST", 3)
    for name in "abcd":
        (tmp_path / name).touch()
    with pytest.raises(PermanentError, match="more than 3 files"):
        of_state(tmp_path, [])
