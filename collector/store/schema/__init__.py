"""Every table of the state database, once, for SQLite and PostgreSQL alike.

The event log is not here: it is a database of its own (docs/architecture.md), met only by cursor.
Ids are UUIDv7 text but for registry keys. Times are UTC. A `key` column is what makes an effect happen once.
"""

from .accountability import checkpoints, journal
from .columns import Instant, metadata
from .drills import announced_drills, drill_events, drill_incidents, drills
from .effects import attachments, drafts, filings, notices, received_filings
from .incidents import acknowledgements, alarms, clocks, incidents
from .nodes import (
    api_tokens,
    enrolment_tokens,
    exit_days,
    exit_days_below,
    exits,
    node_facts,
    nodes,
    sessions,
    users,
)
from .pipeline import cursors, quarantine, seen_reports
from .plans import evidence_chunks, evidence_packs, orders, run_steps, runs
from .workdays import calendar_day, calendar_year

__all__ = [
    "Instant",
    "acknowledgements",
    "alarms",
    "announced_drills",
    "api_tokens",
    "attachments",
    "calendar_day",
    "calendar_year",
    "checkpoints",
    "clocks",
    "cursors",
    "drafts",
    "drill_events",
    "drill_incidents",
    "drills",
    "enrolment_tokens",
    "evidence_chunks",
    "evidence_packs",
    "exit_days",
    "exit_days_below",
    "exits",
    "filings",
    "incidents",
    "journal",
    "metadata",
    "node_facts",
    "nodes",
    "notices",
    "orders",
    "quarantine",
    "received_filings",
    "run_steps",
    "runs",
    "seen_reports",
    "sessions",
    "users",
]
