"""A new authority under a fleet: at every step who trusted before still does."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.signatures import SignatureError, Signatures
from collector.errors import PermanentError
from collector.trust.ca import Authority
from collector.trust.rotation import retire, rotate, step_of, switch
from collector.trust.signing import Signer

NOW = datetime(2026, 3, 2, 1, 10, tzinfo=UTC)


def believed(folder: Path, trusted: str) -> bool:
    signed = Signer(folder, Authority.at(folder, "city", NOW)).sign("o1", "order", b"x", NOW)
    try:
        Signatures(trusted.encode()).open(signed, "order", NOW)
    except SignatureError:
        return False
    return True


def test_a_node_that_follows_step_by_step_is_never_locked_out(tmp_path: Path) -> None:
    before = Authority.at(tmp_path, "city", NOW).trusted

    rotate(tmp_path, "city", NOW)
    both = Authority.at(tmp_path, "city", NOW).trusted
    during = (believed(tmp_path, before), believed(tmp_path, both))
    switch(tmp_path)
    after = (believed(tmp_path, before), believed(tmp_path, both))
    retire(tmp_path)
    only = Authority.at(tmp_path, "city", NOW).trusted

    assert (during, after) == ((True, True), (False, True))
    assert believed(tmp_path, only)
    assert only.count("BEGIN CERTIFICATE") == 1
    assert both.count("BEGIN CERTIFICATE") == 2
    assert (tmp_path / "ca.key").stat().st_mode & 0o777 == 0o600


def test_a_folder_says_which_step_was_done_last(tmp_path: Path) -> None:
    Authority.at(tmp_path, "city", NOW)
    done = [step_of(tmp_path)]
    rotate(tmp_path, "city", NOW)
    done.append(step_of(tmp_path))
    for step in (switch, retire):
        step(tmp_path)
        done.append(step_of(tmp_path))

    assert done == ["none", "rotated", "switched", "none"]


def test_steps_out_of_order_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match="no authority yet"):
        rotate(tmp_path, "city", NOW)
    Authority.at(tmp_path, "city", NOW)
    with pytest.raises(PermanentError, match="begin by"):
        switch(tmp_path)
    with pytest.raises(PermanentError, match="no old authority"):
        retire(tmp_path)
    rotate(tmp_path, "city", NOW)
    with pytest.raises(PermanentError, match="under way"):
        rotate(tmp_path, "city", NOW)
    with pytest.raises(PermanentError, match="comes first"):
        retire(tmp_path)


def test_a_switch_cut_short_between_its_files_is_ended_by_doing_it_again(tmp_path: Path) -> None:
    Authority.at(tmp_path, "city", NOW)
    rotate(tmp_path, "city", NOW)
    (tmp_path / "ca-previous.pem").write_bytes((tmp_path / "ca.pem").read_bytes())
    (tmp_path / "ca-next.key").replace(tmp_path / "ca.key")

    switch(tmp_path)

    assert Authority.at(tmp_path, "city", NOW).trusted.count("BEGIN CERTIFICATE") == 2
