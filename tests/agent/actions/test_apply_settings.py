"""Settings from a collector: checked first, newer than all before, on trial."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from agent.actions import BadParametersError
from agent.actions.apply_settings import ApplySettings
from agent.settings import Pushed, Settings, overlaid
from tests.agent.actions.asking import asked

if TYPE_CHECKING:
    from pathlib import Path

GOOD = {"heartbeat_seconds": 10}


class Node:
    def __init__(self, folder: Path) -> None:
        self.reloads = 0
        self.pushed = Pushed(folder)
        self.action = ApplySettings(self.pushed, lambda given: overlaid(Settings(), given), self._reload)

    def _reload(self) -> None:
        self.reloads += 1


@pytest.fixture
def node(tmp_path: Path) -> Node:
    return Node(tmp_path)


def test_right_settings_are_kept_on_trial_and_the_agent_reloads(node: Node) -> None:
    finished = node.action.carry_out(asked("apply_settings", version=3, settings=GOOD))

    assert finished.detail == {"version": 3, "state": "trial"}
    assert (node.pushed.read().settings, node.reloads) == (GOOD, 1)


def test_the_same_order_again_after_a_kill_changes_nothing(node: Node) -> None:
    order = asked("apply_settings", version=3, settings=GOOD)
    node.action.carry_out(order)
    node.pushed.keep(3)

    assert node.action.carry_out(order).detail == {"version": 3, "state": "kept"}
    assert node.reloads == 1


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"heartbeat_seconds": "often"}, "settings.heartbeat_seconds: Expected `float`"),
        ({"orders": {"allow": ["stop_process"]}}, "settings.orders: is the node's own"),
        ({"state_dir": "/srv"}, "settings.state_dir: is the node's own"),
        ({"surprise": 1}, "settings.surprise: is no setting"),
    ],
)
def test_a_mistake_is_refused_with_its_place_and_nothing_is_applied(
    node: Node, settings: dict[str, object], told: str
) -> None:
    with pytest.raises(BadParametersError, match=told):
        node.action.carry_out(asked("apply_settings", version=3, settings=settings))

    assert (node.pushed.read().version, node.reloads) == (0, 0)


def test_a_version_that_was_seen_or_rolled_back_is_refused(node: Node) -> None:
    node.action.carry_out(asked("apply_settings", version=3, settings=GOOD))
    node.pushed.roll_back(3)

    for version in (2, 3):
        with pytest.raises(BadParametersError, match="is not newer than 3"):
            node.action.carry_out(asked("apply_settings", version=version, settings=GOOD))


def test_a_dry_run_finds_mistakes_and_applies_nothing(node: Node) -> None:
    assert node.action.carry_out(asked("apply_settings", version=3, settings=GOOD, dry_run=True)).detail == {
        "would": "apply",
        "version": 3,
        "over": 0,
    }
    with pytest.raises(BadParametersError):
        node.action.carry_out(asked("apply_settings", version=3, settings={"x": 1}, dry_run=True))
    assert node.pushed.read().version == 0
