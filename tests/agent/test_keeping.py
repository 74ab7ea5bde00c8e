from pathlib import Path

import pytest

from agent.keeping import read_file, replace_file


def test_a_file_is_replaced_whole_and_read_back(tmp_path: Path) -> None:
    replace_file(tmp_path / "x.json", b"old, and longer")
    replace_file(tmp_path / "x.json", b"new")

    assert read_file(tmp_path / "x.json", 3) == b"new"
    assert [path.name for path in tmp_path.iterdir()] == ["x.json"]


def test_a_replacement_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    replace_file(tmp_path / "x.json", b"old")
    (tmp_path / "x.json.new").mkdir()

    with pytest.raises(IsADirectoryError):
        replace_file(tmp_path / "x.json", b"new")
    assert read_file(tmp_path / "x.json", 3) == b"old"


def test_no_file_is_none_and_one_too_large_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_bytes(b"1234")

    assert read_file(tmp_path / "y.json", 4) is None
    with pytest.raises(OSError, match="more than 3 bytes"):
        read_file(tmp_path / "x.json", 3)
