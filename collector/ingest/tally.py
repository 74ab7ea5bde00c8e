"""What ingest counts. Plain numbers: the metrics room renders them when it is asked to."""

from collections import Counter
from collections.abc import Sequence

BOUNDS: Sequence[float] = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class Tally:
    """Counters since the process began.

    Attributes:
        batches, reports: Committed; `reports` are the new ones only.
        repeats: Batches that were held already.
        missing: Report numbers that never came: dropped by an outbox, told by its `gap` reports.
        refused: Requests refused, by reason.
        connections: Open now.
        commits, commit_seconds: Acknowledged commits, and the time from a body read to its commit.
        commit_buckets: How many of them took at most `BOUNDS[i]` seconds; the last place is for all slower.
    """

    def __init__(self) -> None:
        self.batches = 0
        self.reports = 0
        self.repeats = 0
        self.missing = 0
        self.refused: Counter[str] = Counter()
        self.connections = 0
        self.commits = 0
        self.commit_seconds = 0.0
        self.commit_buckets = [0] * (len(BOUNDS) + 1)

    def commit(self, seconds: float) -> None:
        """Count one commit."""
        self.commits += 1
        self.commit_seconds += seconds
        place = 0
        for bound in BOUNDS:
            if seconds <= bound:
                break
            place += 1
        self.commit_buckets[place] += 1
