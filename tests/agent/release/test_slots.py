"""Two folders for one program, and the links that say which runs."""

from pathlib import Path

import pytest

from agent.release import Release, Slots


def test_what_runs_and_what_is_good_are_one_until_a_release_is_on_trial(slots: Slots) -> None:
    assert (slots.named("current"), slots.named("good"), slots.spare()) == ("a", "a", "b")
    slots.point("current", "b")
    assert (slots.named("current"), slots.named("good"), slots.spare()) == ("b", "a", "b")
    slots.go_back()
    assert slots.named("current") == "a"


def test_a_slot_is_a_release_only_when_it_was_said_to_be_whole(slots: Slots) -> None:
    path = slots.clear("b")
    (path / "bin").mkdir()
    assert slots.release("b") is None
    slots.complete("b", Release("0.2.0", "second"))
    assert slots.release("b") == Release("0.2.0", "second")
    assert list(slots.clear("b").iterdir()) == []
    assert slots.release("b") is None


@pytest.mark.parametrize("target", ["/etc", "../a", "c", "a/bin"])
def test_a_link_to_elsewhere_names_no_slot(slots: Slots, target: str) -> None:
    (slots.folder / "good").unlink()
    (slots.folder / "good").symlink_to(target)
    assert slots.named("good") is None


@pytest.mark.parametrize("content", [b"", b"{", b'{"version": 1}', b"[]", b"\xff"])
def test_a_damaged_release_is_none(slots: Slots, content: bytes) -> None:
    (slots.folder / "a" / "RELEASE.json").write_bytes(content)
    assert slots.release("a") is None


def test_a_folder_without_links_has_nothing_that_runs(tmp_path: Path) -> None:
    assert Slots(tmp_path).named("current") is None
    assert Slots(tmp_path).release(None) is None
