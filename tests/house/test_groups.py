"""Tests of one group run on one worker, so that a systemd, a browser or a landscape is there once."""

import pytest

pytestmark = pytest.mark.xdist_group("of-the-house")


def test_a_test_of_a_group_is_told_to_the_workers_with_its_group(request: pytest.FixtureRequest) -> None:
    grouping = bool(request.config.getoption("loadgroup", False))

    assert request.node.nodeid.endswith("@of-the-house") is grouping
