"""The word of a release that runs, and what is told of the last update."""

import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.release.proof import Proof, Standing, own_release, read_standing, write_standing
from agent.release.slots import Release, Slots

AT = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


def test_the_proof_names_this_installation_and_no_other_of_the_same_version(tmp_path: Path) -> None:
    proof = Proof(tmp_path)
    assert proof.read() is None
    proof.give(Release("0.2.0", "second"))
    assert proof.read() == "second"
    proof.give(Release("0.2.0", "third"))
    assert proof.read() == "third"


@pytest.mark.parametrize("content", [b"", b"{}", b"x" * 70_000, b'{"installed": 3, "version": 1}'])
def test_what_is_no_proof_proves_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "answered.json").write_bytes(content)
    assert Proof(tmp_path).read() is None
    (tmp_path / "update.json").write_bytes(content)
    assert read_standing(tmp_path) == Standing()


def test_what_became_of_an_update_is_for_everybody_to_read(tmp_path: Path) -> None:
    standing = Standing(state="rolled_back", version="0.2.0", before="0.1.0", why="silent", at=AT)
    write_standing(tmp_path, standing)
    assert read_standing(tmp_path) == standing
    assert (tmp_path / "update.json").stat().st_mode & 0o777 == 0o644


def test_a_program_knows_its_release_by_where_it_lies(slots: Slots, monkeypatch: pytest.MonkeyPatch) -> None:
    assert own_release() is None
    monkeypatch.setattr(sys, "prefix", str(slots.path("a")))
    assert own_release() == Release("0.1.0", "first")
