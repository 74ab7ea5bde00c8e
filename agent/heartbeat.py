"""What a heartbeat says; pure."""

import hashlib
import os
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from .clock import Clock
from .outbox import Status
from .release import Standing


class About(Struct, frozen=True):
    """What stays the same between two reloads.

    Fields:
        version: The agent's version.
        settings: Digest of the settings in force.
        certificate_expires_at: End of the certificate's life.
        metrics_address: Where Prometheus may ask, host:port; empty: nowhere.
        every: Seconds between two heartbeats.
        started: When this process started, in seconds since boot: another one is another process.
        pushed_version, pushed_state, pushed_refused: Of the settings a collector laid over the node's own:
            which hold, and the highest that was rolled back.
        update: What became of the last update of the agent.
        authorities: Digest of the authorities that are trusted.
    """

    version: str
    settings: str
    certificate_expires_at: datetime
    metrics_address: str = ""
    every: float = 30.0
    started: float = 0.0
    pushed_version: int = 0
    pushed_state: str = "none"
    pushed_refused: int = 0
    update: Standing = Standing()
    authorities: str = ""


def digest(settings: Struct) -> str:
    """Return a short digest of settings, the same for the same settings on every node."""
    return hashlib.sha256(msgspec.json.encode(settings, order="sorted")).hexdigest()[:16]


def started() -> float:
    """Return when this process started, in seconds since boot."""
    fields = Path("/proc/self/stat").read_bytes().rpartition(b")")[2].split()
    return int(fields[19]) / os.sysconf("SC_CLK_TCK")


def body(
    clock: Clock, about: About, outbox: Status, *, last: bool = False, why: str | None = None
) -> dict[str, Any]:
    """Return a heartbeat's body; `last`: the agent was told to stop, `why`: the whole host goes."""
    return {
        "boot_id": clock.boot_id,
        "monotonic": clock.monotonic(),
        "version": about.version,
        "settings": about.settings,
        "outbox_bytes": outbox.bytes,
        "outbox_reports": outbox.reports,
        "outbox_age_seconds": round(outbox.oldest_seconds, 3),
        "drops": outbox.drops,
        "refused": outbox.refused,
        "forks": outbox.forks,
        "certificate_expires_at": about.certificate_expires_at.isoformat(),
        "authorities": about.authorities,
        "metrics_address": about.metrics_address,
        "pushed": {
            "version": about.pushed_version,
            "state": about.pushed_state,
            "refused": about.pushed_refused,
        },
        "update": {
            "state": about.update.state,
            "version": about.update.version,
            "before": about.update.before,
            "why": about.update.why or None,
            "at": about.update.at.isoformat() if about.update.at else None,
        },
        "every": about.every,
        "started": about.started,
        "stopping": last,
        "why": why,
    }
