import os
from pathlib import Path

import pytest

from agent.keeping import open_regular, read_file, replace_file


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


def test_a_secret_is_its_owners_alone_whatever_a_kill_left_in_its_way(tmp_path: Path) -> None:
    (tmp_path / "key.json.new").write_bytes(b"half of it, for all to read")
    replace_file(tmp_path / "key.json", b"secret", mode=0o600)

    assert (tmp_path / "key.json").stat().st_mode & 0o777 == 0o600
    assert read_file(tmp_path / "key.json", 6) == b"secret"


def test_no_file_is_none_and_one_too_large_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_bytes(b"1234")

    assert read_file(tmp_path / "y.json", 4) is None
    with pytest.raises(OSError, match="more than 3 bytes"):
        read_file(tmp_path / "x.json", 3)


@pytest.mark.parametrize("kind", ["pipe", "device", "folder"])
def test_what_is_no_regular_file_is_refused_at_once(tmp_path: Path, kind: str) -> None:
    place = tmp_path / "auth.log"
    if kind == "pipe":
        os.mkfifo(place)
    elif kind == "device":
        place.symlink_to("/dev/zero")
    else:
        place.mkdir()

    with pytest.raises(OSError, match=r"is no regular file|Is a directory"):
        open_regular(place)


def test_a_regular_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "auth.log").write_bytes(b"one\n")

    with open_regular(tmp_path / "auth.log") as file:
        assert file.read() == b"one\n"
