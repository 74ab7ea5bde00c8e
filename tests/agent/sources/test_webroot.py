import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.clock import host_clock
from agent.sources.baseline import Baseline
from agent.sources.tampering import Change
from agent.sources.webroot import Comparison, WebRoot, accept, contents, read, walk


@pytest.fixture
def site(tmp_path: Path) -> WebRoot:
    """A small site whose content was accepted."""
    top = tmp_path / "www"
    (top / "news").mkdir(parents=True)
    (top / "index.html").write_text("<h1>Town hall</h1>\n")
    (top / "news/1.html").write_text("one\n")
    (top / "news/2.html").write_text("two\n")
    (top / "uploads").mkdir()
    root = WebRoot(path=str(top), exclude=("uploads/*", "*.log"))
    accept(root, tmp_path / "state")
    return root


def compared(
    site: WebRoot, told: tuple[str, ...] = (), touched: tuple[str, ...] | None = None
) -> dict[str, Change | None]:
    baseline = Baseline(Path(site.path), Path(site.path).parent / "state")
    return Comparison(site, baseline, host_clock().now()).look(told, touched).seen


def differing(seen: dict[str, Change | None]) -> dict[str, str]:
    return {path: change.change for path, change in seen.items() if change}


def test_an_untouched_site_differs_in_nothing(site: WebRoot) -> None:
    assert compared(site) == {"index.html": None, "news/1.html": None, "news/2.html": None}


def test_a_change_a_new_file_and_a_missing_one_are_told_apart(site: WebRoot) -> None:
    top = Path(site.path)
    (top / "index.html").write_text("<h1>0wned</h1>\n")
    (top / "shell.php").write_text("<?php system($_GET[0]);")
    (top / "news/1.html").unlink()
    seen = compared(site)

    assert differing(seen) == {"index.html": "modified", "shell.php": "created", "news/1.html": "deleted"}
    home = seen["index.html"]
    assert home is not None
    assert home.home_page
    assert home.diff == "@@ line 1\n-<h1>Town hall</h1>\n+<h1>0wned</h1>"
    assert home.owner is not None
    assert home.owner["uid"] == os.getuid()
    assert home.old is not None
    assert home.old.size == len("<h1>Town hall</h1>\n")
    page = seen["shell.php"]
    assert page is not None
    assert not page.home_page


def test_a_copied_modification_time_hides_no_change(site: WebRoot) -> None:
    home = Path(site.path, "index.html")
    before = home.stat()
    home.write_text("<h1>Town hell</h1>\n")
    os.utime(home, ns=(before.st_atime_ns, before.st_mtime_ns))

    assert differing(compared(site)) == {"index.html": "modified"}


def test_a_touched_file_that_holds_what_it_held_differs_in_nothing(site: WebRoot) -> None:
    home = Path(site.path, "index.html")
    home.write_text(home.read_text())
    os.utime(home, (0, 0))

    assert differing(compared(site)) == {}


def test_the_time_since_when_is_the_changes_own_and_not_that_of_the_look(site: WebRoot) -> None:
    home = Path(site.path, "index.html")
    home.write_text("changed")
    os.utime(home, (0, 0))
    change = compared(site)["index.html"]

    assert change is not None
    assert change.since == datetime.fromtimestamp(home.stat().st_ctime_ns / 1e9, UTC)


def test_what_the_settings_exclude_may_change(site: WebRoot) -> None:
    Path(site.path, "uploads/photo.jpg").write_bytes(b"\xff\xd8")
    Path(site.path, "access.log").write_text("GET /")

    assert differing(compared(site)) == {}


def test_only_what_was_touched_is_looked_at(site: WebRoot) -> None:
    Path(site.path, "index.html").write_text("changed")
    Path(site.path, "news/1.html").unlink()

    assert compared(site, touched=("news/2.html",)) == {"news/2.html": None}
    assert differing(compared(site, touched=("news",))) == {"news/1.html": "deleted"}


def test_a_created_file_that_is_gone_again_is_as_accepted(site: WebRoot) -> None:
    seen = compared(site, told=("shell.php",), touched=("shell.php",))

    assert seen == {"shell.php": None}


def test_a_link_is_judged_by_where_it_points_and_is_never_followed(site: WebRoot) -> None:
    top = Path(site.path)
    (top / "outside").symlink_to("/etc")
    (top / "loop").symlink_to(".")
    seen = compared(site)

    assert differing(seen) == {"outside": "created", "loop": "created"}
    accept(site, top.parent / "state")
    (top / "outside").unlink()
    (top / "outside").symlink_to("/root")
    assert differing(compared(site)) == {"outside": "modified"}


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


def test_a_pipe_in_the_root_does_not_hold_the_look(site: WebRoot) -> None:
    os.mkfifo(Path(site.path, "pipe"))

    assert differing(compared(site)) == {"pipe": "created"}


def test_a_root_that_is_gone_misses_every_file(site: WebRoot) -> None:
    Path(site.path).rename(Path(site.path).parent / "elsewhere")

    assert set(differing(compared(site)).values()) == {"deleted"}


def test_files_above_the_limit_are_named(site: WebRoot) -> None:
    few = WebRoot(path=site.path, exclude=site.exclude, max_files=3)
    for number in range(5):
        Path(site.path, f"new{number}.html").write_text("x")
    baseline = Baseline(Path(site.path), Path(site.path).parent / "state")
    look = Comparison(few, baseline, host_clock().now()).look()

    assert "max_files = 3" in look.unreadable[0][1]
    assert "deleted" not in differing(look.seen).values()


def test_binary_and_long_content_is_hashed_and_not_quoted(site: WebRoot) -> None:
    Path(site.path, "a.bin").write_bytes(b"\0\1" * 10)
    Path(site.path, "long.html").write_text("x" * 70_000)
    seen = compared(site)

    assert {path: change.diff for path, change in seen.items() if change} == {
        "a.bin": None,
        "long.html": None,
    }


def test_who_has_the_file_open_for_writing_is_named(site: WebRoot) -> None:
    Path(site.path, "index.html").write_text("changed")
    baseline = Baseline(Path(site.path), Path(site.path).parent / "state")
    who = {"pid": 7, "name": "php-fpm", "program": None, "uid": 33}
    asked: list[str] = []

    def writers(paths: list[str]) -> dict[str, dict[str, object]]:
        asked.extend(paths)
        return {paths[0]: who}

    change = Comparison(site, baseline, host_clock().now(), writers=writers).look().seen["index.html"]

    assert change is not None
    assert change.process == who
    assert asked == [str(Path(site.path, "index.html"))]


def test_accepting_takes_everything_but_what_is_excluded(site: WebRoot) -> None:
    Path(site.path, "access.log").write_text("GET /")

    assert sorted(one.path for one in contents(site)) == ["index.html", "news/1.html", "news/2.html"]


def test_a_root_that_is_no_folder_can_not_be_accepted(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        accept(WebRoot(path=str(tmp_path / "nowhere")), tmp_path / "state")


def test_a_flood_of_files_ends_the_walk_and_hides_no_accepted_page(
    site: WebRoot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The walk does not come to the accepted pages any more; it rests on its way."""
    rests: list[float] = []
    monkeypatch.setattr("agent.sources.webroot._FREE_STEPS", 0)
    monkeypatch.setattr("agent.sources.webroot._STEP", 7)
    monkeypatch.setattr("agent.sources.webroot.time.sleep", rests.append)
    few = WebRoot(path=site.path, exclude=site.exclude, max_files=4)
    accept(few, tmp_path / "state")
    accepted = Baseline(Path(few.path), tmp_path / "state")
    flood = Path(few.path, "zzz")
    flood.mkdir()
    for number in range(100):
        (flood / str(number)).touch()
    Path(few.path, "index.html").write_text("0wned")
    look = Comparison(few, accepted, host_clock().now()).look()

    assert "max_files = 4" in dict(look.unreadable).popitem()[1]
    assert {path for path, one in look.seen.items() if one and one.change == "deleted"} == set()
    assert look.seen["index.html"] is not None
    assert len(rests) >= 3
