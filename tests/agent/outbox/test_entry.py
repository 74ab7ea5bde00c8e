from datetime import UTC, datetime

from agent.outbox import Entry, Observed
from agent.sources.port import Observation

NOW = datetime(2026, 3, 2, 1, 10, tzinfo=UTC)


def test_a_sources_observation_and_the_cores_own_entry_are_accepted_alike() -> None:
    both: list[Observed] = [
        Observation("exits", "exits", NOW, {"links": []}),
        Entry("heartbeat", "heartbeat", NOW, {}),
    ]

    assert [seen.kind for seen in both] == ["exits", "heartbeat"]
