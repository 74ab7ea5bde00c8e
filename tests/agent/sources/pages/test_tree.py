import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.sources.pages.tree import Touched, TreeWatch


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[tuple[Path, TreeWatch]]:
    root = tmp_path / "www"
    (root / "news").mkdir(parents=True)
    tree = TreeWatch([root], lambda _, path: path.endswith(".log"))
    tree.watch_all()
    yield root, tree
    tree.close()


def heard(tree: TreeWatch) -> set[str | None]:
    return {touched.path for touched in tree.drain()}


def test_a_file_written_in_any_folder_is_heard(watched: tuple[Path, TreeWatch]) -> None:
    root, tree = watched
    (root / "index.html").write_text("x")
    (root / "news/1.html").write_text("x")

    assert heard(tree) == {"index.html", "news/1.html"}
    assert heard(tree) == set()


def test_a_folder_that_comes_with_files_is_heard_whole_and_watched(watched: tuple[Path, TreeWatch]) -> None:
    root, tree = watched
    shutil.copytree(root / "news", root / "a/b/c")
    assert "a" in heard(tree)
    (root / "a/b/c/late.html").write_text("x")

    assert heard(tree) == {"a/b/c/late.html"}


def test_a_folder_renamed_in_the_root_is_heard_under_its_new_name(watched: tuple[Path, TreeWatch]) -> None:
    root, tree = watched
    (root / "news").rename(root / "archive")
    assert heard(tree) >= {"news", "archive"}
    (root / "archive/1.html").write_text("x")

    assert heard(tree) == {"archive/1.html"}


def test_a_folder_moved_away_is_no_business_any_more(watched: tuple[Path, TreeWatch], tmp_path: Path) -> None:
    root, tree = watched
    (root / "news").rename(tmp_path / "elsewhere")
    assert "news" in heard(tree)
    (tmp_path / "elsewhere/1.html").write_text("x")

    assert heard(tree) == set()


def test_what_is_excluded_is_not_heard(watched: tuple[Path, TreeWatch]) -> None:
    root, tree = watched
    (root / "access.log").write_text("x")

    assert heard(tree) == set()


def test_a_root_that_is_replaced_is_looked_at_whole_and_watched_again(
    watched: tuple[Path, TreeWatch], tmp_path: Path
) -> None:
    root, tree = watched
    (tmp_path / "release").mkdir()
    root.rename(tmp_path / "old")
    (tmp_path / "release").rename(root)
    assert None in heard(tree)
    (root / "index.html").write_text("x")

    assert heard(tree) == {"index.html"}


def test_a_link_that_is_turned_to_another_release_is_heard(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    root = tmp_path / "www"
    root.symlink_to("one")
    tree = TreeWatch([root], lambda *_: False)
    tree.watch_all()
    (tmp_path / "new").symlink_to("two")
    (tmp_path / "new").rename(root)
    assert list(tree.drain()) == [Touched(0, None)]
    (tmp_path / "two/index.html").write_text("x")

    assert heard(tree) == {"index.html"}
    tree.close()


def test_a_queue_that_ran_over_is_a_reason_to_look_at_everything(
    watched: tuple[Path, TreeWatch],
) -> None:
    root, tree = watched
    limit = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    one, other = root / "a.html", root / "b.html"
    one.write_text("x")
    for _ in range(limit // 2 + 2):
        one.rename(other)
        one, other = other, one

    assert None in heard(tree)
    assert tree.overflows == 1


def test_a_root_that_does_not_exist_yet_is_heard_when_it_comes(tmp_path: Path) -> None:
    root = tmp_path / "www"
    tree = TreeWatch([root], lambda *_: False)
    tree.watch_all()
    root.mkdir()

    assert None in heard(tree)
    tree.close()
