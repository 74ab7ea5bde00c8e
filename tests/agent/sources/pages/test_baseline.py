from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.sources.pages.baseline import Accepted, Baseline, Entry
from agent.sources.pages.tampering import Change, Episode, Side

T = datetime(2026, 3, 2, 1, 10, tzinfo=UTC)
ENTRIES = [
    Entry("index.html", "a" * 64, 5, "1.5.0.0", b"hello"),
    Entry("news/1.html", "b" * 64, 3, "2.3.0.0", b"abc"),
    Entry("news0.html", "c" * 64, 3, "3.3.0.0", None),
]


def test_nothing_is_accepted_until_someone_accepts(tmp_path: Path) -> None:
    baseline = Baseline(Path("/var/www"), tmp_path)

    assert baseline.generation() == 0
    assert not baseline.file.exists()


def test_content_that_is_just_being_accepted_counts_only_when_it_is_whole(tmp_path: Path) -> None:
    baseline = Baseline(Path("/var/www"), tmp_path)
    seen = []

    def entries() -> Iterator[Entry]:
        seen.append(Baseline(Path("/var/www"), tmp_path).generation())
        yield ENTRIES[0]
        seen.append(Baseline(Path("/var/www"), tmp_path).generation())

    baseline.accept(entries())
    assert seen == [0, 0]
    assert baseline.generation() == 1


def test_what_was_accepted_is_there_for_the_next_process(tmp_path: Path) -> None:
    assert Baseline(Path("/var/www"), tmp_path).accept(ENTRIES) == 3
    again = Baseline(Path("/var/www"), tmp_path)

    assert again.generation() == 1
    assert again.accepted(["index.html", "nowhere.html"]) == {
        "index.html": Accepted("index.html", "a" * 64, 5, "1.5.0.0")
    }
    assert again.text("index.html") == b"hello"
    assert again.text("news0.html") is None
    assert again.text("nowhere.html") is None


def test_a_folder_reaches_what_is_below_it_and_no_name_that_only_begins_alike(tmp_path: Path) -> None:
    baseline = Baseline(Path("/var/www"), tmp_path)
    baseline.accept(ENTRIES)

    assert [row.path for row in baseline.rows("news")] == ["news/1.html"]
    assert [row.path for row in baseline.rows("index.html")] == ["index.html"]
    assert [row.path for row in baseline.rows()] == ["index.html", "news/1.html", "news0.html"]


def test_every_page_of_the_accepted_content_is_read_once_while_stamps_are_written(tmp_path: Path) -> None:
    baseline = Baseline(Path("/var/www"), tmp_path)
    baseline.accept(Entry(f"{number:04}.html", "a" * 64, 1, "1.1.0.0") for number in range(1001))
    read = []
    for row in baseline.rows():
        read.append(row.path)
        if len(read) % 400 == 0:
            baseline.restamp([(row.path, "2.1.0.0")])

    assert read == [f"{number:04}.html" for number in range(1001)]
    assert {row.path for row in baseline.rows() if row.stamp == "2.1.0.0"} == {"0399.html", "0799.html"}


def test_two_roots_do_not_share_their_content(tmp_path: Path) -> None:
    Baseline(Path("/var/www"), tmp_path).accept(ENTRIES)

    assert Baseline(Path("/srv/www"), tmp_path).generation() == 0


def test_drift_and_episode_survive_until_new_content_is_accepted(tmp_path: Path) -> None:
    baseline = Baseline(Path("/var/www"), tmp_path)
    baseline.accept(ENTRIES)
    change = Change(
        path="index.html",
        change="deleted",
        home_page=True,
        since=T,
        last_seen=T,
        old=Side("a" * 64, 5),
        new=None,
    )
    episode = Episode(T, T, 1)
    baseline.tell({"index.html": change}, episode)

    assert Baseline(Path("/var/www"), tmp_path).told() == ({"index.html": change}, episode)
    baseline.accept(ENTRIES)
    drift, left = baseline.told()
    assert drift == {}
    assert left == episode  # so that its end is told
    baseline.tell({}, None)
    assert baseline.told() == ({}, None)


def test_a_new_stamp_changes_no_content(tmp_path: Path) -> None:
    baseline = Baseline(Path("/var/www"), tmp_path)
    baseline.accept(ENTRIES)
    baseline.restamp([("index.html", "9.9.9.9")])

    assert baseline.accepted(["index.html"])["index.html"] == Accepted("index.html", "a" * 64, 5, "9.9.9.9")


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    baseline = Baseline(Path("/var/www"), tmp_path)
    baseline.accept(ENTRIES)
    baseline.file.write_bytes(b"no database" * 1000)

    with pytest.raises(OSError, match=r"not a database .*/var/www"):
        baseline.generation()
