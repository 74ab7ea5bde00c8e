from pathlib import Path

import pytest

from agent.sources.pages.webroot import WebRoot, accept, contents, read, walk


def test_a_file_that_is_replaced_by_a_link_while_it_is_read_is_not_followed(site: WebRoot) -> None:
    home = Path(site.path, "index.html")
    status = home.lstat()
    home.unlink()
    home.symlink_to("/etc/passwd")

    with pytest.raises(OSError, match="symbolic links"):
        read(home, status)


def test_a_file_that_is_replaced_by_another_while_it_is_read_is_left_for_the_next_look(site: WebRoot) -> None:
    home, other = Path(site.path, "index.html"), Path(site.path, "other.html")
    status = home.lstat()
    other.write_text("other")
    other.rename(home)

    with pytest.raises(FileNotFoundError, match="replaced"):
        read(home, status)


def test_a_folder_that_was_replaced_by_a_link_is_not_entered(site: WebRoot) -> None:
    folder = Path(site.path, "news")
    folder.rename(Path(site.path).parent / "news")
    folder.symlink_to(Path(site.path).parent / "news")

    assert list(walk(site, "news")) == []


def test_accepting_takes_everything_but_what_is_excluded(site: WebRoot) -> None:
    Path(site.path, "access.log").write_text("GET /")

    assert sorted(one.path for one in contents(site)) == ["index.html", "news/1.html", "news/2.html"]


def test_a_root_that_is_no_folder_can_not_be_accepted(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        accept(WebRoot(path=str(tmp_path / "nowhere")), tmp_path / "state")
