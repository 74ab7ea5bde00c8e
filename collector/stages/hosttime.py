"""When something was seen, by our clock: the seconds since a host's boot tell it, which nobody sets.

    host     21:40:00 (a day behind)      boot b, 5000 s     seen, kept while the line is down
             21:55:00                     boot b, 5900 s     sent
    ours                                                     received at 22:00:00 of the day after
             sent 900 s after it was seen, so it was seen at 21:45:00 by our clock: the host is a day and five
             minutes behind, and so is every other time the report tells

A report of an earlier boot has no such distance; what the batch says of the host's clock now has to do,
unless that would have it seen after it came: then that clock was set since.
"""

from datetime import datetime, timedelta

from wire.messages import Batch, Report

from .bodies import YEARS

TOLERANCE = timedelta(minutes=5)
"""A slow line takes as long for a full batch: a smaller difference is not taken for a wrong clock."""
_LONGEST = timedelta(days=3650).total_seconds()
_NONE = timedelta()


def ahead(batch: Batch, report: Report, received_at: datetime) -> timedelta:
    """Return by how much the host's clock was ahead of ours when it saw a report; zero within the tolerance.

    Args:
        batch: The one the report came with.
        report: `observed_at` has an offset.
        received_at: When the batch was read whole, by our clock.

    >>> from datetime import UTC
    >>> from msgspec import Raw
    >>> seen = datetime(2026, 3, 1, 21, 40, tzinfo=UTC)
    >>> report = Report(id="r", seq=1, kind="incident", source="files", observed_at=seen, boot_id="b",
    ...                 monotonic=5000.0, body=Raw(b"{}"))
    >>> batch = Batch(version=1, epoch="e", after=0, after_id="", sent_at=seen, boot_id="b", monotonic=5900.0,
    ...               reports=[report])
    >>> ahead(batch, report, datetime(2026, 3, 2, 22, 0, tzinfo=UTC)) == -timedelta(days=1, minutes=5)
    True
    """
    since = _since(batch, report)
    if since is not None:
        found = report.observed_at - received_at + since
    elif batch.sent_at.tzinfo is None:
        return _NONE
    else:
        found = batch.sent_at - received_at
        if report.observed_at - received_at > found:
            return _NONE
    return found if abs(found) > TOLERANCE else _NONE


def _since(batch: Batch, report: Report) -> timedelta | None:
    """Return how long the host held the report; None where it can't be told."""
    if batch.monotonic is None or batch.boot_id != report.boot_id:
        return None
    seconds = batch.monotonic - report.monotonic
    return timedelta(seconds=seconds) if 0 <= seconds <= _LONGEST else None


def by_our_clock(at: datetime, ahead: timedelta, received_at: datetime) -> datetime:
    """Return a time of a report by our clock: never after it came, nor before all hosts."""
    try:
        ours = at - ahead
    except OverflowError:
        return received_at
    return min(ours, received_at) if ours.year in YEARS else received_at
