"""What the process counts has the names that metrics knows."""

from types import SimpleNamespace

from collector.app.figures import counters
from collector.ingest.tally import Tally
from collector.metrics import COUNTERS, DURATIONS, GAUGES, Buckets


def test_every_counter_and_duration_of_the_metrics_is_given() -> None:
    tally = Tally()
    tally.reports = 3
    tally.refused["fork"] = 1
    tally.refused["version"] = 2
    tally.commit(0.004)
    given = counters(tally, SimpleNamespace(counters=SimpleNamespace(quarantined=5)))  # type: ignore[arg-type]

    assert given.keys() | {"fengsui_http_faults_total"} == COUNTERS.keys() | DURATIONS.keys() | GAUGES.keys()
    assert given["fengsui_batches_refused_total"] == {"gap": 0.0, "fork": 1.0}
    assert given["fengsui_requests_refused_total"] == {"version": 2.0}
    spent = given["fengsui_commit_seconds"]
    assert isinstance(spent, Buckets)
    assert (sum(spent.counts), spent.total) == (1, 0.004)
