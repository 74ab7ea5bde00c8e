"""What a manifest may say, and what is refused before anything is opened by it."""

import json
from pathlib import Path
from typing import Any

import pytest

from collector.backups.manifest import is_inside, read_manifest
from collector.errors import PermanentError

PIECE = {"size": 1, "sha256": "0" * 64, "origin": "/x"}
WHOLE: dict[str, Any] = {
    "format": 1,
    "made_at": "2026-03-02T01:00:00Z",
    "version": "1",
    "unit": "county",
    "schema": "0001",
    "journal": {"entries": 0, "ends": []},
    "cursor": 0,
    "newest": 0,
    "files": [PIECE | {"path": "databases/state.db"}, PIECE | {"path": "databases/events.db"}],
    "left_out": [],
}


def write(folder: Path, content: dict[str, Any]) -> None:
    (folder / "manifest.json").write_text(json.dumps(content))


def test_a_whole_one_counts_its_bytes(tmp_path: Path) -> None:
    write(tmp_path, WHOLE)
    assert read_manifest(tmp_path).size == 2


@pytest.mark.parametrize(
    "path", ["../x", "/etc/passwd", "a/../../b", "a//b", "", ".", "a/.", "a\0b", "a" * 300]
)
def test_no_path_leads_out_of_the_backup(tmp_path: Path, path: str) -> None:
    assert not is_inside(path)
    write(tmp_path, WHOLE | {"files": [*WHOLE["files"], PIECE | {"path": path}]})
    with pytest.raises(PermanentError, match="one below the backup's folder"):
        read_manifest(tmp_path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"format": 2}, "found format 2, expected 1"),
        ({"files": [PIECE | {"path": "databases/state.db"}]}, "names no databases/events.db"),
        ({"made_at": "yesterday"}, "not a backup's manifest"),
        ({"left_out": [{"path": "x", "why": "because"}]}, "not a backup's manifest"),
    ],
    ids=["format", "database", "time", "why"],
)
def test_what_is_wrong_is_named(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    write(tmp_path, WHOLE | change)
    with pytest.raises(PermanentError, match=said):
        read_manifest(tmp_path)


def test_one_that_is_too_long_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collector.backups.manifest._MAX_BYTES", 100)
    write(tmp_path, WHOLE)
    with pytest.raises(PermanentError, match="more than 100 bytes"):
        read_manifest(tmp_path)


def test_an_unfinished_one_is_none_even_with_a_manifest(tmp_path: Path) -> None:
    write(tmp_path, WHOLE)
    (tmp_path / "unfinished").touch()
    with pytest.raises(PermanentError, match="was not finished"):
        read_manifest(tmp_path)
