"""The pipeline is killed at random moments; it goes on from its cursor and counts every report once."""

import subprocess
import sys
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from time import monotonic
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from collector.eventlog.sqlite import SqliteLog
from collector.store import journal, schema
from collector.store.engine import Store
from collector.store.nodes import NodeRow, add_node
from collector.trust.journal_chain import verify
from wire import codec
from wire.messages import VERSION, Batch, Report
from wire.session import Slice, Take

CHILD = Path(__file__).with_name("pipeline_child.py")
NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
NODE = "019cac18-4e40-7000-8000-000000000001"
BATCHES, TROUBLES = 240, 8
ENOUGH_KILLS = 6
PATIENCE = 20.0


@pytest.mark.slow
async def test_every_report_counts_once_though_the_pipeline_is_killed(
    sqlite_state: Store, sqlite_url: str, tmp_path: Path
) -> None:
    await enrol(sqlite_state)
    await fill(tmp_path / "events.db")
    kills = 0
    random = Random(11)  # noqa: S311 - moments to kill at, not secrets
    while await cursor(sqlite_state) < BATCHES:
        assert kills < 100, "the pipeline does not come to the end of the log"
        target = await cursor(sqlite_state) + random.randint(1, BATCHES // 10)
        await run_and_kill(
            sqlite_state, sqlite_url, tmp_path / "events.db", target, random.uniform(0.0, 0.02)
        )
        kills += 1

    assert kills >= ENOUGH_KILLS
    async with sqlite_state.read() as conn:
        incidents = (await conn.execute(sa.select(schema.incidents))).mappings().all()
        entries = [row async for row in journal.read_chains(conn)]
        seen = (await conn.execute(sa.select(sa.func.count()).select_from(schema.seen_reports))).scalar()
    assert [row["count"] for row in incidents] == [BATCHES // TROUBLES] * TROUBLES
    assert seen == BATCHES
    assert sum(row.action == "incident.opened" for row in entries) == TROUBLES
    assert verify(entries) == []


def started(url: str, events: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, str(CHILD), url, str(events)],
        stdout=subprocess.PIPE,
        cwd=CHILD.parents[2],
        env={"PYTHONPATH": str(CHILD.parents[2])},
    )


async def run_and_kill(state: Store, url: str, events: Path, target: int, later: float) -> None:
    """Start the pipeline and kill it a moment after its cursor has come to `target`."""
    with started(url, events) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        deadline = monotonic() + PATIENCE
        while await cursor(state) < min(target, BATCHES) and monotonic() < deadline:
            assert child.poll() is None
        with suppress(subprocess.TimeoutExpired):
            child.wait(later)
        child.kill()


async def cursor(state: Store) -> int:
    async with state.read() as conn:
        found = (await conn.execute(sa.select(schema.cursors.c.position))).scalar()
    return int(found or 0)


async def enrol(state: Store) -> None:
    row = NodeRow(
        id=NODE,
        unit="county",
        kind="agent",
        state="active",
        host_name="web-1",
        machine_id="",
        assets=["portal"],
        certificate_serial="1",
        certificate_expires=NOON + timedelta(days=30),
        enrolled_at=NOON,
    )
    async with state.write() as conn:
        await add_node(conn, row)


async def fill(events: Path) -> None:
    log = await SqliteLog.open(events)
    last = ""
    for number in range(1, BATCHES + 1):
        batch = Batch(
            version=VERSION,
            epoch="e",
            after=number - 1,
            after_id=last,
            sent_at=NOON,
            reports=[report(number)],
        )
        run = Slice(number - 1, last, (number,), (f"r{number}",))
        assert isinstance(await log.append(NODE, "e", run, codec.encode(batch), NOON), Take)
        last = f"r{number}"
    await log.close()


def report(number: int) -> Report:
    at = (NOON - timedelta(seconds=1)).isoformat()
    body: dict[str, Any] = {
        "key": f"files:/srv/{number % TROUBLES}",
        "class": "NAWEBMOD",
        "facts": {"page_tampered_since": at},
        "first_seen": at,
        "last_seen": at,
    }
    return Report(
        id=f"r{number}",
        seq=number,
        kind="incident",
        source="files",
        observed_at=NOON,
        boot_id="b",
        monotonic=1.0,
        body=msgspec.Raw(msgspec.json.encode(body)),
    )
