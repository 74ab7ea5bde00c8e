from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from agent.budget import Budget
from agent.sources.rounds.kept import Kept
from agent.sources.rounds.runs import Runs

NOW = datetime(2026, 3, 2, 1, 10, tzinfo=UTC)


class Counted(Struct):
    """What a source counts."""

    count: int = 0


class Source:
    """A source that counts, with the file it keeps."""

    def __init__(self, folder: Path | None, most: int = 100) -> None:
        self.file = folder / "count.json" if folder else None
        self.at = 0.0
        self.runs = Runs("count", Budget(), monotonic=lambda: self.at)
        self.kept = Kept(self.file, Counted, Counted, self.runs, lost="counting from 0", most=most)

    def told(self) -> list[str]:
        """Why something may be missing, in words."""
        return [gap.body["why"] for gap in self.runs.gaps("incident", NOW)]


def test_what_is_saved_is_there_after_a_restart(tmp_path: Path) -> None:
    first = Source(tmp_path)
    assert first.kept.load() == Counted()
    first.kept.save(Counted(7))
    again = Source(tmp_path)

    assert again.kept.load() == Counted(7)
    assert again.told() == []


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b'{"version": 1, "kept": {"count": 7', "truncated"),
        (b'{"version": 1, "kept": {"count": "many"}}', r"$.kept.count"),
        (b'{"version": 2, "kept": 7}', "found version 2, expected 1"),
        (b'{"count": 7}', "missing required field `version`"),
        (b"\xff", "malformed"),
        (b" " * 101, "more than 100 bytes"),
        (b"", "truncated"),
    ],
)
def test_a_file_that_is_not_what_was_written_is_told_set_aside_and_begun_anew(
    tmp_path: Path, content: bytes, why: str
) -> None:
    source = Source(tmp_path)
    (tmp_path / "count.json").write_bytes(content)

    assert source.kept.load() == Counted()
    (told,) = source.told()
    assert why in told
    assert f"{tmp_path}/count.json" in told
    assert told.endswith("; counting from 0")
    assert (tmp_path / "count.json.damaged").read_bytes() == content
    assert Source(tmp_path).kept.load() == Counted()


@given(content=st.binary(max_size=200))
def test_whatever_the_file_holds_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    folder = tmp_path_factory.mktemp("kept")
    source = Source(folder)
    (folder / "count.json").write_bytes(content)

    assert source.kept.load() == Counted()
    assert len(source.told()) == 1


def test_what_is_on_disk_already_is_not_written_again(tmp_path: Path) -> None:
    source = Source(tmp_path)
    source.kept.save(Counted(7))
    inode = (tmp_path / "count.json").stat().st_ino
    source.kept.save(Counted(7))
    assert (tmp_path / "count.json").stat().st_ino == inode

    source.kept.save(Counted(8))
    source.kept.save(Counted(7))
    assert Source(tmp_path).kept.load() == Counted(7)


def test_a_look_alone_reads_and_moves_nothing(tmp_path: Path) -> None:
    source = Source(tmp_path)
    (tmp_path / "count.json").write_bytes(b"{")

    with pytest.raises(OSError, match=r"count\.json"):
        source.kept.read()
    assert (tmp_path / "count.json").read_bytes() == b"{"


def test_a_disk_that_refuses_ends_nothing_blinds_nobody_and_is_told_once_an_hour(tmp_path: Path) -> None:
    source = Source(tmp_path)
    (tmp_path / "count.json.new").mkdir()
    for at in (0.0, 10.0, 3601.0):
        source.at = at
        source.kept.save(Counted(7))

    first, second = source.told()
    assert first == second
    assert "count.json could not be saved: [Errno 21] Is a directory" in first
    assert first.endswith("; what was told since is told again after a restart")
    assert source.runs.blind == ""


def test_what_is_too_large_to_be_read_again_is_not_saved(tmp_path: Path) -> None:
    source = Source(tmp_path, most=40)
    source.kept.save(Counted(7))
    source.kept.save(Counted(10**18))

    (told,) = source.told()
    assert "expected at most 40" in told
    assert Source(tmp_path).kept.load() == Counted(7)


def test_without_a_folder_nothing_is_kept() -> None:
    source = Source(None)
    source.kept.save(Counted(7))

    assert source.kept.load() == Counted()
    assert not source.kept.keeps
