"""Processes that fire alarms are killed at random moments; every alarm sounds once and none is lost."""

import subprocess
import sys
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime
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
INCIDENTS = 80
ENOUGH = 8


@pytest.mark.slow
@pytest.mark.timeout(150)
async def test_every_alarm_sounds_once_though_the_processes_are_killed(
    state: Store, state_url: str, office: "Office"
) -> None:
    await _open_incidents(state, office)
    random = Random(7)  # noqa: S311 - moments to kill at, not secrets
    killed_amid = 0
    while killed_amid < ENOUGH and await _due(state):
        killed_amid += _kill_amid(state_url, random)
    _let_finish(state_url)

    async with state.read() as connection:
        entries = [row async for row in journal.read_chains(connection)]
        rows = (await connection.execute(sa.select(schema.alarms))).mappings().all()
        keys = (await connection.execute(sa.select(schema.notices.c.key))).scalars().all()
    sounded = Counter(row.subject.removeprefix("alarm:") for row in entries if row.action == "clock.fired")
    fired = [row["id"] for row in rows if row["state"] == "fired" and row["kind"] != "regrade"]
    told = [row.detail["notices"] for row in entries if row.action == "notice.queued"]
    queued = Counter(notice["key"] for notices in told for notice in notices)

    assert killed_amid >= ENOUGH
    assert not await _due(state)
    assert verify(entries) == []
    assert sounded == Counter(fired)
    assert queued == Counter(keys)
    assert set(queued.values()) == {1}
    # Each clock has spoken to the three whom it concerns, each chain has come to the leader.
    assert sum(key.split("/")[1].endswith(":due") for key in keys) == 3 * INCIDENTS
    assert sum("/escalate_1/" in key for key in keys) == INCIDENTS


def _kill_amid(url: str, random: Random) -> int:
    """Start two processes, kill each some transactions later; return how many had more to do."""
    amid = 0
    children = [_child(url), _child(url)]
    for child in children:
        with child:
            assert child.stdout is not None
            words = [child.stdout.readline() for _ in range(random.randint(1, 7))]
            with suppress(subprocess.TimeoutExpired):
                child.wait(random.uniform(0.0, 0.02))
            child.kill()
            amid += words[-1] != b"idle\n"
    return amid


def _let_finish(url: str) -> None:
    with _child(url) as child:
        assert child.stdout is not None
        while (word := child.stdout.readline()) != b"idle\n":
            assert word, "the last process died"
        child.kill()


def _child(url: str) -> subprocess.Popen[bytes]:
    root = CHILD.parents[2]
    return subprocess.Popen(
        [sys.executable, str(CHILD), url],
        stdout=subprocess.PIPE,
        cwd=root,
        env={"PYTHONPATH": str(root)},
    )


async def _open_incidents(state: Store, office: "Office") -> None:
    async with state.write() as connection:
        for number in range(INCIDENTS):
            finding = office.finding(LONG_AGO, fingerprint=f"f{number}", facts={"declared_level": "III"})
            await office.casework.open(connection, finding, LONG_AGO, LONG_AGO)


async def _due(state: Store) -> bool:
    async with state.read() as connection:
        due = await clocks.next_alarm_at(connection)
    return due is not None and due <= datetime.now(UTC)  # noqa: TID251 - the processes have real clocks
