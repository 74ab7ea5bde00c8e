"""What an agent counts of itself."""

from collections.abc import Mapping
from datetime import datetime

import psutil
from msgspec import Struct


class SourceFigures(Struct):
    """What a source has done since the agent began: reports it made, times it failed, CPU seconds it took."""

    reports: int = 0
    failures: int = 0
    seconds: float = 0.0


class Figures(Struct, frozen=True, kw_only=True):
    """What is shown; names and units are in `listener.families`."""

    outbox_bytes: int
    outbox_reports: int
    outbox_age_seconds: float
    drops: Mapping[str, int]
    refused: int
    forks: int
    certificate_expires_at: datetime
    orders: Mapping[tuple[str, str], int]
    sources: Mapping[str, SourceFigures]
    cpu_seconds: float
    memory_bytes: int


def own_cost() -> tuple[float, int]:
    """Return the CPU seconds this process has used and its resident bytes."""
    process = psutil.Process()
    times = process.cpu_times()
    return times.user + times.system, process.memory_info().rss
