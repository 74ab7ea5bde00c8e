"""Runners are killed with -9 at random times; every effect is there once and no run hangs.

benchmarks/run_kills.py is the long form.
"""

import time

import pytest

from benchmarks.run_kills import Campaign, run
from collector.store.engine import Store


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("processes", [1, 3])
async def test_kills_at_any_time_repeat_nothing_and_lose_nothing(state: Store, processes: int) -> None:
    """Kills fall into work and into calls; the receiver counts effects by key."""
    url = state.engine.url.render_as_string(hide_password=False)
    campaign = Campaign(incidents=60, kills=12, processes=processes, seed=time.time_ns() % 10**9)

    seen = await run(campaign, url)

    assert seen["effects_of_calls"] == campaign.incidents, seen
