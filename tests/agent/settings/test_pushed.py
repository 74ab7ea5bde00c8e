"""What a collector lays over a node's own settings: of a closed form, on trial, and never the node's own."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.settings import Moment, Pushed, PushedError, Settings, overlaid
from agent.settings.pushed import Held
from agent.sources import SourcesSettings

if TYPE_CHECKING:
    from pathlib import Path

OWN = Settings(sources=SourcesSettings(), unit="district")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def test_numbers_switches_and_words_of_a_list_are_laid_over_the_nodes_own() -> None:
    made = overlaid(
        OWN,
        {
            "heartbeat_seconds": 15,
            "language": "en",
            "sources": {"sockets": {"enabled": False}, "logins": {"bursts": {"by_source": 5}}},
            "outbox": {"max_age_hours": 24},
        },
    )

    assert (made.heartbeat_seconds, made.language, made.outbox.max_age_hours) == (15.0, "en", 24.0)
    assert (made.sources.sockets.enabled, made.sources.logins.bursts.by_source) == (False, 5)
    assert (made.sources.asset, made.unit) == (OWN.sources.asset, "district")


def test_ranges_reach_the_sources_too() -> None:
    made = overlaid(OWN, {"internal_ranges": ["10.0.0.0/8"]})

    assert made.sources.internal_ranges == ("10.0.0.0/8",)


@pytest.mark.parametrize(
    ("given_settings", "told"),
    [
        ({"sources": {"logins": {"journalctl": ["sh", "-c", "id"]}}}, "journalctl: is the node's own"),
        ({"sources": {"logins": {"file": "/etc/shadow"}}}, "file: is the node's own"),
        ({"sources": {"files": {"roots": [{"path": "/"}]}}}, "roots: is the node's own"),
        ({"sources": {"logins": 3}}, "logins: found '3', expected a mapping"),
        ({"metrics": {"listen": "0.0.0.0:1"}}, "metrics: is the node's own"),
        ({"assets": []}, "assets: is the node's own"),
        ({"collectors": ["https://x/path"]}, "expected https://HOST:PORT"),
        ({"internal_ranges": ["10.0.0.1/8"]}, "expected a network"),
        ({"heartbeat_seconds": 0}, "heartbeat_seconds: Expected `float` >= 1"),
    ],
)
def test_no_path_no_command_and_nothing_of_the_nodes_own_comes_from_outside(
    given_settings: dict[str, Any], told: str
) -> None:
    with pytest.raises(PushedError, match=told):
        overlaid(OWN, given_settings)


@given(
    given_settings=st.dictionaries(st.sampled_from([*Settings.__struct_fields__, "other"]), JSON, max_size=4)
)
def test_whatever_comes_is_laid_over_or_refused_and_leaves_the_nodes_own_alone(
    given_settings: dict[str, Any],
) -> None:
    with suppress(PushedError):
        made = overlaid(OWN, given_settings)
        assert (made.orders, made.state_dir, made.metrics, made.assets) == (
            OWN.orders,
            OWN.state_dir,
            OWN.metrics,
            OWN.assets,
        )


def test_a_trial_that_ends_well_is_kept_and_one_that_does_not_goes_back(tmp_path: Path) -> None:
    pushed = Pushed(tmp_path)
    pushed.begin_trial(3, {"heartbeat_seconds": 3})
    pushed.keep(3)
    pushed.begin_trial(4, {"heartbeat_seconds": 4})
    pushed.begin_trial(5, {"heartbeat_seconds": 5})

    given_up = pushed.roll_back(5)

    assert (given_up.version, given_up.before_version) == (5, 3)
    assert pushed.read() == Held(3, {"heartbeat_seconds": 3}, "kept", refused=5)


def test_the_first_trial_goes_back_to_the_nodes_own(tmp_path: Path) -> None:
    pushed = Pushed(tmp_path)
    pushed.begin_trial(1, {"heartbeat_seconds": 3})
    pushed.roll_back(1)

    assert pushed.read() == Held(refused=1)
    assert pushed.roll_back(1).state == "none"


@pytest.mark.parametrize("content", [b"", b"{", b"[]", msgspec.json.encode({"version": "x"})])
def test_a_damaged_file_is_as_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "pushed.json").write_bytes(content)

    assert Pushed(tmp_path).read() == Held()


def test_a_trial_has_one_end_however_often_the_agent_is_started_in_it(tmp_path: Path) -> None:
    pushed = Pushed(tmp_path)
    pushed.begin_trial(1, {"heartbeat_seconds": 3})

    assert pushed.start_clock(Moment("boot", 100.0, 5000.0)).left(Moment("boot", 130.0, 9.0), 180) == 150
    assert pushed.start_clock(Moment("boot", 250.0, 9.0)).left(Moment("boot", 250.0, 9.0), 180) == 30
    after_a_reboot = Moment("other", 3.0, 5170.0)
    assert pushed.start_clock(after_a_reboot).left(after_a_reboot, 180) == 10
    assert pushed.read().left(Moment("other", 9.0, 6000.0), 180) == 0


def test_a_clock_that_was_set_back_gives_a_trial_no_more_than_its_whole_time(tmp_path: Path) -> None:
    pushed = Pushed(tmp_path)
    pushed.begin_trial(1, {"heartbeat_seconds": 3})
    pushed.start_clock(Moment("boot", 100.0, 5000.0))

    assert pushed.read().left(Moment("other", 3.0, 0.0), 180) == 180


def test_an_answer_under_one_version_keeps_no_other_that_came_since(tmp_path: Path) -> None:
    pushed = Pushed(tmp_path)
    pushed.begin_trial(4, {"heartbeat_seconds": 4})
    pushed.begin_trial(5, {"heartbeat_seconds": 5})

    pushed.keep(4)
    pushed.roll_back(4)

    assert (pushed.read().version, pushed.read().state) == (5, "trial")
