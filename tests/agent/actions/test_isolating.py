"""Isolation for a time, and its end before it."""

import pytest

from agent.actions import BadParametersError
from agent.actions.isolating import IsolateNode, ReleaseNode
from tests.agent.actions.asking import Noted, asked


def test_a_node_is_isolated_for_what_is_left_of_the_time() -> None:
    powers = Noted()

    finished = IsolateNode(powers).carry_out(asked("isolate_node", seconds=600, late=100))

    assert powers.did == [("isolate", 500)]
    assert finished.detail == {"seconds": 500, "changed": True}


def test_it_is_refused_where_nobody_knows_what_has_to_stay_reachable() -> None:
    with pytest.raises(BadParametersError, match="can't be resolved"):
        IsolateNode(Noted(forbids="the collector can't be resolved")).carry_out(asked("isolate_node"))


def test_a_dry_run_is_refused_where_the_isolation_would_be() -> None:
    with pytest.raises(BadParametersError, match="can't be resolved"):
        IsolateNode(Noted(forbids="the collector can't be resolved")).carry_out(
            asked("isolate_node", dry_run=True)
        )


def test_a_release_ends_it_and_a_dry_run_does_nothing() -> None:
    powers = Noted()

    would = IsolateNode(powers).carry_out(asked("isolate_node", dry_run=True)).detail
    also = ReleaseNode(powers).carry_out(asked("release_node", dry_run=True)).detail
    done = ReleaseNode(powers).carry_out(asked("release_node")).detail

    assert (would["would"], also["would"], done) == ("isolate", "release", {"changed": True})
    assert powers.did == [("look", 3600), ("release",)]
