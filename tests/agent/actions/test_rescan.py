"""Sources look anew."""

import pytest

from agent.actions import BadParametersError
from agent.actions.rescan import Rescan
from tests.agent.actions.asking import asked


def test_the_named_sources_or_all_are_started_anew() -> None:
    again: list[list[str]] = []
    action = Rescan(("asset", "exits"), lambda names: again.append(list(names)))

    action.carry_out(asked("rescan", sources=["exits", "exits"]))
    finished = action.carry_out(asked("rescan"))

    assert again == [["exits"], ["asset", "exits"]]
    assert finished.detail == {"sources": ["asset", "exits"]}


def test_a_source_that_does_not_run_is_refused_and_a_dry_run_starts_none() -> None:
    again: list[object] = []
    action = Rescan(("asset",), again.append)

    with pytest.raises(BadParametersError, match="found 'files', expected names of asset"):
        action.carry_out(asked("rescan", sources=["files"]))
    assert action.carry_out(asked("rescan", dry_run=True)).detail == {"would": "rescan", "sources": ["asset"]}
    assert again == []
