"""What ingest counts."""

import pytest

from collector.ingest.tally import BOUNDS, Tally


@pytest.mark.parametrize(("seconds", "place"), [(0.0, 0), (0.001, 0), (0.0011, 1), (2.5, 10), (9.0, 11)])
def test_a_commit_falls_into_the_first_bucket_that_holds_it(seconds: float, place: int) -> None:
    tally = Tally()
    tally.commit(seconds)
    assert tally.commit_buckets == [int(n == place) for n in range(len(BOUNDS) + 1)]
    assert (tally.commits, tally.commit_seconds) == (1, seconds)
