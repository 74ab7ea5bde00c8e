import gc
import os
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.clock import host_clock
from agent.sources.pages import comparison as comparison_module
from agent.sources.pages.baseline import Baseline
from agent.sources.pages.comparison import Comparison, Look
from agent.sources.pages.tampering import Beyond, Change
from agent.sources.pages.webroot import WebRoot, accept


def look(site: WebRoot, told: tuple[str, ...] = (), touched: tuple[str, ...] | None = None) -> Look:
    baseline = Baseline(Path(site.path), Path(site.path).parent / "state")
    return Comparison(site, baseline, host_clock().now()).look(told, touched)


def compared(
    site: WebRoot, told: tuple[str, ...] = (), touched: tuple[str, ...] | None = None
) -> dict[str, Change | None]:
    return look(site, told, touched).seen


def differing(seen: dict[str, Change | None]) -> dict[str, str]:
    return {path: change.change for path, change in seen.items() if change}


def test_an_untouched_site_differs_in_nothing(site: WebRoot) -> None:
    assert look(site) == Look({}, (), whole=True, beyond=Beyond())


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

    assert compared(site, touched=("news/2.html",)) == {}
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
    found = look(few)

    assert "max_files = 3" in found.unreadable[0][1]
    assert "deleted" not in differing(found.seen).values()


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


def test_a_flood_of_files_ends_the_walk_and_hides_no_accepted_page(
    site: WebRoot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The walk takes rests on its way."""
    rests: list[float] = []
    monkeypatch.setattr(comparison_module, "_FREE_STEPS", 0)
    monkeypatch.setattr(comparison_module, "_STEP", 7)
    monkeypatch.setattr(comparison_module.time, "sleep", rests.append)
    few = WebRoot(path=site.path, exclude=site.exclude, max_files=4)
    flood = Path(few.path, "zzz")
    flood.mkdir()
    for number in range(100):
        (flood / str(number)).touch()
    Path(few.path, "index.html").write_text("0wned")
    found = look(few)

    assert "max_files = 4" in dict(found.unreadable).popitem()[1]
    assert "deleted" not in differing(found.seen).values()
    assert found.seen["index.html"] is not None
    assert rests


def test_what_is_read_because_it_differs_earns_the_walk_no_rest(
    site: WebRoot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a tampered site each page is to be told soon; the clock of the thread goes on by reading alone."""
    rests: list[float] = []
    spent = [0.0]
    read = comparison_module.read

    def dear(path: Path, status: os.stat_result) -> tuple[str, bytes | None]:
        spent[0] += 100.0
        return read(path, status)

    monkeypatch.setattr(comparison_module, "_FREE_STEPS", 0)
    monkeypatch.setattr(comparison_module, "read", dear)
    monkeypatch.setattr(comparison_module.time, "thread_time", lambda: spent[0])
    monkeypatch.setattr(comparison_module.time, "sleep", rests.append)
    Path(site.path, "index.html").write_text("0wned")
    Path(site.path, "shell.php").write_text("<?php")

    assert differing(compared(site)) == {"index.html": "modified", "shell.php": "created"}
    assert spent[0] >= 200
    assert rests
    assert set(rests) == {0.0}


def test_a_flood_of_folders_ends_the_walk_and_hides_no_accepted_page(site: WebRoot) -> None:
    few = WebRoot(path=site.path, exclude=site.exclude, max_files=4)
    for number in range(20):
        Path(few.path, f"folder{number}").mkdir()
    Path(few.path, "news/1.html").write_text("0wned")
    found = look(few)

    assert [why for _, why in found.unreadable] == ["the root has more than max_files = 4 folders"]
    assert differing(found.seen) == {"news/1.html": "modified"}


def test_of_a_flood_of_changes_some_are_named_all_are_counted_and_the_home_page_is_among_the_named(
    site: WebRoot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparison_module, "TRACKED", 20)
    top = Path(site.path)
    for number in range(50):
        (top / f"news/old{number}.html").write_text("old")
    accept(site, top.parent / "state")
    for number in range(50):
        (top / f"news/old{number}.html").unlink()
        (top / f"news/new{number}.php").write_text("<?php")
    os.utime(top / "news")
    (top / "index.html").write_text("0wned")
    found = look(site)
    kinds = list(differing(found.seen).values())

    unnamed = [path for path in top.glob("news/*.php") if f"news/{path.name}" not in found.seen]

    assert (kinds.count("created"), kinds.count("deleted"), kinds.count("modified")) == (10, 9, 1)
    assert found.beyond.count == 101 - 20
    assert found.beyond.since == datetime.fromtimestamp(
        min(path.stat().st_ctime_ns for path in unnamed) / 1e9, UTC
    )
    again = look(site, tuple(found.seen))
    assert again.seen.keys() == found.seen.keys()
    assert again.beyond == found.beyond


def test_what_is_excluded_after_it_was_accepted_is_neither_gone_nor_changed(site: WebRoot) -> None:
    Path(site.path, "news/1.html").unlink()
    Path(site.path, "index.html").write_text("0wned")
    told = differing(compared(site))
    without = WebRoot(path=site.path, exclude=("news", "index.*"))

    assert differing(compared(without)) == {}
    assert compared(without, tuple(told)) == {"news/1.html": None, "index.html": None}


def test_files_that_can_not_be_read_are_named_up_to_a_bound(
    site: WebRoot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreadable(path: Path, _: os.stat_result) -> tuple[str, bytes | None]:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(comparison_module, "read", unreadable)
    for number in range(130):
        Path(site.path, f"new{number}.html").touch()
    found = look(site)

    assert len(found.unreadable) == 101
    assert found.unreadable[-1] == ("…", "30 more places could not be read")
    assert differing(found.seen) == {}


def test_a_page_under_a_folder_that_was_replaced_by_a_link_to_its_like_is_gone(site: WebRoot) -> None:
    """Inode and times are the same behind the link, so that only the way there tells."""
    folder = Path(site.path, "news")
    folder.rename(Path(site.path).parent / "news")
    folder.symlink_to(Path(site.path).parent / "news")

    assert differing(compared(site)) == {
        "news": "created",
        "news/1.html": "deleted",
        "news/2.html": "deleted",
    }
    assert differing(compared(site, touched=("news/1.html",))) == {"news/1.html": "deleted"}


def test_a_folder_in_the_place_of_a_page_is_a_page_that_is_gone(site: WebRoot) -> None:
    home = Path(site.path, "index.html")
    home.unlink()
    home.mkdir()
    (home / "x.html").touch()

    assert differing(compared(site)) == {"index.html": "deleted", "index.html/x.html": "created"}


@pytest.fixture
def as_in_an_agent() -> Iterator[None]:
    """A collector in the same process makes the passes over dead objects rare; an agent leaves them alone."""
    thresholds = gc.get_threshold()
    gc.set_threshold(700, 10, 10)
    yield
    gc.set_threshold(*thresholds)


@pytest.mark.usefixtures("as_in_an_agent")
def test_a_root_of_any_size_is_compared_in_the_memory_of_a_step(site: WebRoot) -> None:
    top = Path(site.path)
    for number in range(20_000):
        (top / f"news/{number:05}.html").touch()
    wide = WebRoot(path=site.path)
    accept(wide, top.parent / "state")
    for number in range(0, 20_000, 4):
        (top / f"news/{number:05}.html").unlink()
        (top / f"news/{number:05}.php").touch()
    tracemalloc.start()
    try:
        found = look(wide)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert found.beyond.count + len(found.seen) == 10_000
    assert peak < 6_000_000
