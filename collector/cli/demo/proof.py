"""The twelve steps and the rows that prove them, read from the databases as any other program could."""

import json
import sqlite3
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from msgspec import Struct


class Proof(Struct, frozen=True):
    """A step's row: when it says the step happened, and what else it holds."""

    at: datetime
    row: Mapping[str, Any]


class Step(Struct, frozen=True):
    """A step of the demo and the query whose first row proves it; the row's `at` is the step's time."""

    name: str
    query: str


STEPS: tuple[Step, ...] = (
    Step(
        "collector_ready",
        "SELECT at, actor FROM journal WHERE action = 'collector.started' ORDER BY id LIMIT 1",
    ),
    Step(
        "agent_enrolled",
        "SELECT enrolled_at AS at, id, unit, host_name FROM nodes WHERE kind = 'agent' LIMIT 1",
    ),
    Step("asset_reported", "SELECT received_at AS at, body FROM node_facts WHERE kind = 'asset' LIMIT 1"),
    Step("exits_reported", "SELECT received_at AS at, body FROM node_facts WHERE kind = 'exits' LIMIT 1"),
    Step(
        "incident_detected",
        "SELECT json_extract(times, '$.detected') AS at, class, evidence, facts FROM incidents "
        "WHERE class = 'NAWEBMOD' ORDER BY opened_at LIMIT 1",
    ),
    Step(
        "incident_opened",
        "SELECT opened_at AS at, id, title, title_en FROM incidents "
        "WHERE class = 'NAWEBMOD' ORDER BY opened_at LIMIT 1",
    ),
    Step(
        "graded",
        "SELECT j.at AS at, i.level, i.level_by, i.reasons, i.next_level FROM journal j "
        "JOIN incidents i ON i.id = j.incident "
        "WHERE j.action = 'incident.graded' AND i.class = 'NAWEBMOD' ORDER BY j.id LIMIT 1",
    ),
    Step(
        "obligations_opened",
        "SELECT c.opened_at AS at, c.obligation, c.recipient, c.due_at, c.target_at FROM clocks c "
        "JOIN incidents i ON i.id = c.incident WHERE i.class = 'NAWEBMOD' ORDER BY c.opened_at LIMIT 1",
    ),
    Step(
        "plan_started",
        "SELECT r.started_at AS at, r.id, r.plan FROM runs r JOIN incidents i ON i.id = r.incident "
        "WHERE i.class = 'NAWEBMOD' ORDER BY r.started_at LIMIT 1",
    ),
    Step(
        "notice_sent",
        "SELECT n.sent_at AS at, n.person, n.channel FROM notices n JOIN incidents i ON i.id = n.incident "
        "WHERE n.state = 'sent' AND i.class = 'NAWEBMOD' ORDER BY n.sent_at LIMIT 1",
    ),
    Step(
        "report_filed",
        "SELECT f.filed_at AS at, f.obligation, f.recipient FROM filings f "
        "JOIN incidents i ON i.id = f.incident "
        "WHERE f.filed_at IS NOT NULL AND i.class = 'NAWEBMOD' ORDER BY f.filed_at LIMIT 1",
    ),
    Step(
        "receipt_received",
        "SELECT f.receipt_at AS at, f.receipt, c.state FROM filings f JOIN clocks c ON c.id = f.clock "
        "JOIN incidents i ON i.id = f.incident "
        "WHERE f.receipt_at IS NOT NULL AND i.class = 'NAWEBMOD' ORDER BY f.receipt_at LIMIT 1",
    ),
)
RUN_STEPS = "SELECT step, kind, state FROM run_steps WHERE run = ? ORDER BY ready_at, step"
OBLIGATIONS = (
    "SELECT c.obligation, c.recipient, c.due_at, c.target_at, c.state, c.verified FROM clocks c "
    "JOIN incidents i ON i.id = c.incident WHERE i.class = 'NAWEBMOD' ORDER BY c.obligation"
)


def find(database: Path, step: Step) -> Proof | None:
    """Return the row that proves a step, or None while there is none."""
    rows = select(database, step.query)
    if not rows or rows[0]["at"] is None:
        return None
    return Proof(instant(rows[0]["at"]), rows[0])


def select(database: Path, query: str, *values: object) -> list[dict[str, Any]]:
    """Return rows of a collector's SQLite database, opened for reading only; JSON columns are decoded."""
    if not database.exists():
        return []
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=5)
    try:
        connection.row_factory = sqlite3.Row
        return [_decoded(row) for row in connection.execute(query, values)]
    except sqlite3.OperationalError:  # the tables are still being made
        return []
    finally:
        connection.close()


def instant(text: str) -> datetime:
    """Read a stored or written time; storage is UTC."""
    time = datetime.fromisoformat(text)
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _decoded(row: sqlite3.Row) -> dict[str, Any]:
    return {name: _value(row[name]) for name in row.keys()}  # noqa: SIM118 - a Row iterates over values


def _value(stored: object) -> object:
    if isinstance(stored, str) and stored[:1] in {"{", "["}:
        return json.loads(stored)
    return stored
