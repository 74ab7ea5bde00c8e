"""Processes that fire alarms are killed at random moments; every alarm sounds once and none is lost."""

import subprocess
import sys
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from collector.store import clocks, journal, schema
from collector.store.engine import Store
from collector.trust.journal_chain import verify

if TYPE_CHECKING:
    from tests.conftest import Office

CHILD = Path(__file__).with_name("duty_child.py")
LONG_AGO = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
INCIDENTS = 200
ENOUGH_KILLS = 6
LIMIT = timedelta(seconds=90)


@pytest.mark.slow
@pytest.mark.timeout(150)
async def test_every_alarm_sounds_once_though_the_processes_are_killed(
    state: Store, state_url: str, office: "Office"
) -> None:
    await _open_incidents(state, office)
    kills = 0
    random = Random(7)  # noqa: S311 - moments to kill at, not secrets
    began = datetime.now(UTC)  # noqa: TID251 - the processes have real clocks
    while await _due(state):
        assert datetime.now(UTC) - began < LIMIT, f"still alarms due after {kills} kills"  # noqa: TID251 - likewise
        # The last rounds are let run, so that the test ends.
        patience = random.uniform(0.0, 0.1) if kills < ENOUGH_KILLS else 2.0
        kills += _run_and_kill(state_url, patience)

    async with state.read() as connection:
        entries = [row async for row in journal.read_chains(connection)]
        rows = (await connection.execute(sa.select(schema.alarms))).mappings().all()
        keys = (await connection.execute(sa.select(schema.notices.c.key))).scalars().all()
    sounded = Counter(row.subject.removeprefix("alarm:") for row in entries if row.action == "clock.fired")
    fired = [row["id"] for row in rows if row["state"] == "fired" and row["kind"] != "regrade"]
    queued = Counter(row.detail["key"] for row in entries if row.action == "notice.queued")

    assert kills >= ENOUGH_KILLS
    assert verify(entries) == []
    assert sounded == Counter(fired)
    assert queued == Counter(keys)
    assert set(queued.values()) == {1}
    # Each clock has spoken to the three whom it concerns, each chain has come to the leader.
    assert sum(key.split("/")[1].endswith(":due") for key in keys) == 3 * INCIDENTS
    assert sum("/escalate_1/" in key for key in keys) == INCIDENTS


def _run_and_kill(url: str, patience: float) -> int:
    """Start two processes on one database, give them a moment, kill them; return how many were killed."""
    children = [
        subprocess.Popen(
            [sys.executable, str(CHILD), url],
            stdout=subprocess.PIPE,
            cwd=CHILD.parents[2],
            env={"PYTHONPATH": str(CHILD.parents[2])},
        )
        for _ in range(2)
    ]
    for child in children:
        with child:
            assert child.stdout is not None
            assert child.stdout.readline() == b"ready\n"
            with suppress(subprocess.TimeoutExpired):
                child.wait(patience)
            child.kill()
    return len(children)


async def _open_incidents(state: Store, office: "Office") -> None:
    async with state.write() as connection:
        for number in range(INCIDENTS):
            finding = office.finding(LONG_AGO, fingerprint=f"f{number}", facts={"declared_level": "III"})
            await office.casework.open(connection, finding, LONG_AGO, LONG_AGO)


async def _due(state: Store) -> bool:
    async with state.read() as connection:
        due = await clocks.next_alarm_at(connection)
    return due is not None and due <= datetime.now(UTC)  # noqa: TID251 - the processes have real clocks
