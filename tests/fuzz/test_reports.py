"""Whatever an enrolled node tells, the collector keeps or sets aside with a reason, and shows its pages."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from collector.store import schema
from tests.fuzz.hostile import VALUES, with_other
from tests.fuzz.journey import Journey, journey
from tests.fuzz.of_agents import ASSET, EXITS, SOCKETS
from wire.codec import WireError

NOW = datetime(2026, 3, 2, 4, tzinfo=UTC)
AT = NOW.isoformat()
INCIDENT = {
    "key": "files:/var/www", "class": "NAWEBMOD", "severity_hint": "high", "target": "/var/www", "count": 2,
    "facts": {"homepage_tampered_since": AT, "page_tampered_minutes": 3}, "restored": False,
    "source_address": "203.0.113.9", "target_address": None, "first_seen": AT, "last_seen": AT,
    "evidence": [{"path": "x", "change": "modified", "at": AT}], "evidence_total": 1,
}  # fmt: skip
HEARTBEAT = {
    "boot_id": "b", "monotonic": 1.0, "version": "0.1.0", "every": 30.0, "started": 1.0, "stopping": False,
    "outbox_age_seconds": 0.0, "why": None, "update": {"state": "trial"}, "metrics_address": "",
    "pushed": {"version": 0, "state": "none"}, "certificate_expires_at": AT, "exit_days": [],
}  # fmt: skip
GAP = {"kind": "incident", "count": 3, "from": AT, "to": AT, "why": "x"}
EVIDENCE = {
    "order": "o",
    "name": "evidence.json",
    "size": 1,
    "sha256": "0",
    "sm3": "0",
    "chunks": 1,
    "items": [],
}
BODIES: dict[str, Any] = {
    "incident": INCIDENT,
    "exits": json.loads(EXITS),
    "sockets": json.loads(SOCKETS),
    "asset": json.loads(ASSET),
    "heartbeat": HEARTBEAT,
    "gap": GAP,
    "evidence": EVIDENCE,
}


def batch(number: int, kind: str, body: object) -> bytes:
    report = {
        "id": f"r{number}", "seq": number, "kind": kind, "source": "files", "observed_at": AT, "boot_id": "b",
        "monotonic": 1.0, "body": body,
    }  # fmt: skip
    return json.dumps(
        {
            "version": 1, "epoch": "e", "after": number - 1, "after_id": f"r{number - 1}" * (number > 1),
            "sent_at": AT, "reports": [report],
        }
    ).encode()  # fmt: skip


async def tell(way: Journey, kind: str) -> tuple[int, int]:
    """Tell a body with each hostile value at three places; return how many were taken, and how many not."""
    taken = refused = 0
    fields = len(BODIES[kind])
    for number, other in enumerate(VALUES * 3):
        body = with_other(BODIES[kind], (number % (fields * 2 + 1)) / (fields * 2 + 1), other)
        try:
            await way.take(batch(taken + 1, kind, body))
            taken += 1
        except WireError:
            refused += 1
    return taken, refused


@pytest.mark.parametrize("kind", BODIES)
async def test_no_report_is_a_fault_of_the_program_and_every_page_is_there(kind: str, tmp_path: Path) -> None:
    async with journey(tmp_path) as way:
        taken, _ = await tell(way, kind)
        findings = [
            row["detail"] for row in await way.rows(schema.journal) if row["action"] == "audit.finding"
        ]
        pages = await way.pages()

    assert taken > 20
    assert way.pipeline.counters.retries == 0
    assert [one for one in findings if "fault of the program" in str(one)] == []
    assert all("Traceback" not in page for page in pages.values())
