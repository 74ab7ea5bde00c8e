"""`kill -9` of the collector and of the agents under load; benchmarks/kill.py is the long form."""

from pathlib import Path

import pytest

from benchmarks.kill import Campaign


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_nothing_accepted_is_lost_or_stored_twice_whoever_is_killed(tmp_path: Path) -> None:
    campaign = Campaign(tmp_path, agents=4, seed=1)
    try:
        campaign.run(kills=6, pause=(0.05, 0.4), share_of_collector=0.6)
    finally:
        campaign.end()
    accepted, stored = campaign.accepted(), campaign.stored()

    assert min(campaign.kills["collector"], campaign.kills["agents"]) > 0
    assert len(accepted) > 50
    assert campaign.left() == 0
    assert accepted - stored == {}
    assert max(stored.values()) == 1
