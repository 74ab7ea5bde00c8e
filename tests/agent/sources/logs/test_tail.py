import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.sources.logs.tail import MAX_LINE, Place, Tail


def texts(tail: Tail) -> list[str]:
    return [line.data.decode() for line in tail.read()]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "auth.log"
    path.write_text("one\ntwo\n")
    return path


def append(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text)


def test_lines_are_read_once_and_only_when_they_are_whole(log: Path) -> None:
    tail = Tail(log, None)
    assert texts(tail) == ["one", "two"]
    append(log, "thr")
    assert texts(tail) == []
    append(log, "ee\n")

    assert texts(tail) == ["three"]


def test_another_process_goes_on_from_the_place(log: Path) -> None:
    tail = Tail(log, None)
    texts(tail)
    append(log, "three\n")

    assert texts(Tail(log, tail.place)) == ["three"]


def test_a_first_start_begins_at_the_end(log: Path) -> None:
    tail = Tail(log, None)
    tail.start_at_end()
    append(log, "three\n")

    assert texts(tail) == ["three"]


def test_the_rest_of_a_rotated_file_is_read_before_the_new_one(log: Path) -> None:
    tail = Tail(log, None)
    texts(tail)
    append(log, "late\nlast without an end")
    log.rename(log.with_name("auth.log.1"))
    log.write_text("new\n")

    assert texts(Tail(log, tail.place)) == ["late", "last without an end", "new"]


def test_between_the_two_steps_of_a_rotation_nothing_is_lost(log: Path) -> None:
    tail = Tail(log, None)
    texts(tail)
    append(log, "late\n")
    log.rename(log.with_name("auth.log.1"))
    assert texts(tail) == []
    log.write_text("new\n")

    assert texts(tail) == ["late", "new"]
    assert tail.cuts == 0


def test_a_file_cut_in_place_is_read_from_its_beginning_and_the_cut_is_told(log: Path) -> None:
    tail = Tail(log, None)
    texts(tail)
    log.write_text("1\n")

    assert texts(tail) == ["1"]
    assert tail.cuts == 1


def test_a_file_whose_predecessor_is_gone_is_told_as_a_cut(log: Path) -> None:
    tail = Tail(log, Place(log.stat().st_ino + 1_000_000, 5))

    assert texts(tail) == ["one", "two"]
    assert tail.cuts == 1


def test_a_line_without_end_is_one_line_that_is_cut_and_holds_no_memory(log: Path) -> None:
    append(log, "x" * (MAX_LINE * 100) + "\nafter\n")
    lines = list(Tail(log, None).read())

    assert [(line.data[:5], len(line.data), line.whole) for line in lines[2:]] == [
        (b"xxxxx", MAX_LINE, False),
        (b"after", 5, True),
    ]


def test_a_line_over_the_limit_that_grows_from_read_to_read_stays_one(log: Path) -> None:
    tail = Tail(log, None)
    assert texts(tail) == ["one", "two"]
    append(log, "x" * (MAX_LINE + 1))
    (begun,) = tail.read()
    append(log, "y" * 9)
    assert texts(Tail(log, tail.place)) == []
    append(log, " forged line\nafter\n")

    assert not begun.whole
    assert texts(Tail(log, tail.place)) == ["after"]


def test_another_file_under_the_same_inode_is_read_from_its_beginning_and_told(log: Path) -> None:
    """The agent was down over two rotations, and the file system gave the inode away again."""
    tail = Tail(log, None)
    texts(tail)
    with log.open("r+") as file:  # the same inode, other content, and longer than the place
        file.write("new\nnewer\nnewest\n")
    again = Tail(log, tail.place)

    assert texts(again) == ["new", "newer", "newest"]
    assert again.cuts == 1


def test_a_file_that_can_not_be_read_is_an_error_to_be_told(tmp_path: Path) -> None:
    (tmp_path / "auth.log").symlink_to("auth.log")

    with pytest.raises(OSError, match="symbolic links"):
        list(Tail(tmp_path / "auth.log", None).read())


@settings(deadline=None)  # a busy disk takes its time to rename
@given(st.lists(st.lists(st.text("ab\n", max_size=9), max_size=4), max_size=6))
def test_whatever_is_written_between_reads_and_rotations_is_read_once(
    tmp_path_factory: pytest.TempPathFactory, rounds: list[list[str]]
) -> None:
    """A rotation after each round; a reader that restarts each time."""
    log = tmp_path_factory.mktemp("log") / "auth.log"
    log.touch()
    place: Place | None = Place(os.stat(log).st_ino, 0)  # noqa: PTH116 - a place by hand
    read: list[str] = []
    written: list[str] = []
    for number, pieces in enumerate(rounds):
        for piece in pieces:
            append(log, piece)
            tail = Tail(log, place)
            read += texts(tail)
            place = tail.place
        append(log, "end\n")
        written += ("".join(pieces) + "end").split("\n")
        log.rename(log.with_name(f"auth.log.{number + 1}"))
        log.touch()
        tail = Tail(log, place)
        read += texts(tail)
        place = tail.place

    assert read == written


def test_a_pipe_in_place_of_a_log_is_refused_and_the_log_that_comes_back_is_read(log: Path) -> None:
    tail = Tail(log, None)
    texts(tail)
    append(log, "three\n")
    log.rename(log.with_name("auth.log.1"))
    os.mkfifo(log)

    read = tail.read()
    assert next(read).data == b"three"
    with pytest.raises(OSError, match="is no regular file"):
        next(read)
    log.unlink()
    log.write_text("four\n")

    assert texts(tail) == ["four"]
