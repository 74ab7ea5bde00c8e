"""The numbers of this process, under the names that metrics gives them."""

from ..ingest.tally import BOUNDS, Tally
from ..metrics import Buckets
from ..pipeline import Pipeline

Figure = float | dict[str, float] | Buckets


def counters(tally: Tally, pipeline: Pipeline) -> dict[str, Figure]:
    """Return every counter and duration of the process by its metric name."""
    forks_and_gaps = {reason: float(tally.refused[reason]) for reason in ("gap", "fork")}
    refused = {
        reason: float(count) for reason, count in tally.refused.items() if reason not in forks_and_gaps
    }
    return {
        "fengsui_reports_received_total": float(tally.reports),
        "fengsui_batches_received_total": float(tally.batches),
        "fengsui_batches_repeated_total": float(tally.repeats),
        "fengsui_reports_missing_total": float(tally.missing),
        "fengsui_agent_connections": float(tally.connections),
        "fengsui_batches_refused_total": forks_and_gaps,
        "fengsui_requests_refused_total": refused,
        "fengsui_reports_quarantined_total": float(pipeline.counters.quarantined),
        "fengsui_commit_seconds": Buckets(tuple(BOUNDS), tuple(tally.commit_buckets), tally.commit_seconds),
    }
