"""Heartbeats of a district arrive at a real listener above over the identity that `join` gave."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from collector.authority import Heartbeat
from collector.authority import heartbeat as heartbeat_module
from collector.errors import PermanentError, RetryableError
from collector.store import nodes as rows
from collector.store import schema
from collector.store.engine import Store
from collector.tasks import spawn
from collector.trust.rotation import rotate
from collector.trust.superior import join, read_superior, renew
from collector.trust.tokens import read_token
from tests.collector.ingest.tower import Tower
from tests.databases import lay_state
from wire.messages import Batch
from wire.signed import digest_of


class Below:
    """A collector below the tower, as far as its heartbeat goes."""

    def __init__(self, state: Store, folder: Path, now: datetime) -> None:
        self.folder = folder
        self.state = state
        self.now = now
        self.pulses: dict[str, datetime] = {}
        self.wanted = 0
        self.heart = self.start()

    def start(self) -> Heartbeat:
        return Heartbeat(
            self.state,
            state=self.folder,
            version="1.2",
            pulses=lambda: self.pulses,
            clock=lambda: self.now,
            steady=lambda: 7.0,
            rekey=self._want,
        )

    def _want(self) -> None:
        self.wanted += 1

    async def join(self, tower: Tower) -> None:
        await join("", read_token(await tower.token("collector")), "district", self.folder)

    def find(self, tower: Tower) -> None:
        """Take over the tower's new address."""
        path = self.folder / "superior" / "superior.json"
        path.write_bytes(msgspec.json.encode(msgspec.json.decode(path.read_bytes()) | {"url": tower.url}))


@pytest.fixture
async def below(tmp_path: Path, tower: Tower) -> AsyncIterator[Below]:
    store = await Store.open(lay_state(tmp_path / "below.db"))
    made = Below(store, tmp_path / "district", tower.now)
    yield made
    await made.heart.close()
    await store.close()


async def heard(tower: Tower) -> list[tuple[str, int, dict[str, Any]]]:
    """Epoch, number and body of every heartbeat in the tower's event log."""
    entries = await tower.log.read(0, 100, 1 << 20)
    batches = [msgspec.json.decode(entry.body, type=Batch) for entry in entries]
    return [
        (batch.epoch, report.seq, msgspec.json.decode(report.body))
        for batch in batches
        for report in batch.reports
        if report.kind == "heartbeat"
    ]


async def test_a_heartbeat_says_how_the_duty_clock_and_the_auditor_do(below: Below, tower: Tower) -> None:
    await below.join(tower)
    below.pulses = {"auditor": below.now - timedelta(seconds=20), "runs": below.now}
    below.now += timedelta(seconds=5)

    assert await below.heart.beat()
    ((_, number, body),) = await heard(tower)
    assert number == 1
    assert body | {"boot_id": ""} == {
        "boot_id": "",
        "authorities": digest_of(tower.authority.trusted),
        "monotonic": 7.0,
        "version": "1.2",
        "auditor_age_seconds": 25.0,
        "clock_age_seconds": 5.0,  # it has made no pass since the start
        "oldest_notice_seconds": None,
        "oldest_filing_seconds": None,
        "unreached_seconds": None,
        "clocks_overdue": 0,
    }


async def test_heartbeats_are_numbered_on_and_a_start_begins_a_new_epoch(below: Below, tower: Tower) -> None:
    await below.join(tower)
    for _ in range(3):
        await below.heart.beat()
    await below.heart.close()
    below.now += timedelta(seconds=1)
    below.heart = below.start()
    await below.heart.beat()

    told = [(epoch, number) for epoch, number, _ in await heard(tower)]
    assert [number for _, number in told] == [1, 2, 3, 1]
    assert len({epoch for epoch, _ in told}) == 2
    assert tower.tally.refused["fork"] == 0


async def test_where_no_answer_came_the_next_one_begins_a_new_epoch(below: Below, tower: Tower) -> None:
    await below.join(tower)
    await below.heart.beat()
    await tower.listener.stop(0.2)
    with pytest.raises(RetryableError):
        await below.heart.beat()
    assert (below.heart.sent, below.heart.failures) == (1, 1)
    below.now += timedelta(seconds=30)
    await tower.start()
    below.find(tower)
    await below.heart.beat()

    assert [number for _, number, _ in await heard(tower)] == [1, 1]


async def test_a_collector_that_has_joined_nobody_sends_nothing(below: Below, tower: Tower) -> None:
    assert not await below.heart.beat()
    assert await heard(tower) == []


async def test_what_waits_and_what_is_overdue_is_told(below: Below, tower: Tower) -> None:
    await below.join(tower)
    row = dict.fromkeys(("regime", "stage", "recipient", "anchor", "source"), "x")
    row |= {"incident": "i", "content": [], "verified": True, "generation": 1, "opened_at": below.now}
    states = {"told": "overdue", "untold": "open", "met": "met"}
    async with below.state.write() as conn:
        for name, state in states.items():
            times = {"due_at": below.now - timedelta(minutes=1), "state": state}
            await conn.execute(sa.insert(schema.clocks), row | {"id": name, "obligation": name} | times)
        notice = {"id": "n", "key": "n", "channel": "c", "payload": {}, "state": "waiting"}
        times = dict.fromkeys(("created_at", "next_at"), below.now - timedelta(minutes=2))
        await conn.execute(sa.insert(schema.notices), notice | times)
    await below.heart.beat()

    ((_, _, body),) = await heard(tower)
    assert (body["clocks_overdue"], body["oldest_notice_seconds"]) == (2, 120.0)


async def test_a_damaged_identity_is_told_and_ends_no_flow(
    below: Below, monkeypatch: pytest.MonkeyPatch, tower: Tower
) -> None:
    monkeypatch.setattr(heartbeat_module, "EVERY", timedelta(milliseconds=1))
    await below.join(tower)
    file = below.folder / "superior" / "superior.json"
    whole = file.read_bytes()
    file.write_bytes(b"{")
    with pytest.raises(PermanentError):
        await below.heart.beat()
    task = spawn("heartbeat", below.heart.run(), lambda _name, _error: None)
    file.write_bytes(whole)
    async with asyncio.timeout(10):
        await tower.log.wait_for(0)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task

    assert below.heart.failures >= 1


async def test_what_changed_in_the_exit_register_goes_up_until_it_is_acknowledged(
    below: Below, tower: Tower
) -> None:
    await below.join(tower)
    values = {"unit": "county", "day": "2026-03-02", "declared": 1, "observed": 3, "unsanctioned": 2}
    values |= {"nodes": 5, "outside": 2, "behind": 3, "share": 0.6, "counted_at": below.now}

    async def count(outside: int) -> None:
        async with below.state.write() as conn:
            await conn.execute(sa.delete(schema.exit_days))
            await conn.execute(
                sa.insert(schema.exit_days).values(**values | {"outside": outside, "counted_at": below.now})
            )

    await count(2)
    await tower.listener.stop(0.2)
    with pytest.raises(RetryableError):
        await below.heart.beat()
    await tower.start()
    below.find(tower)
    await below.heart.beat()
    await below.heart.beat()
    below.now += timedelta(minutes=1)
    await count(1)
    await below.heart.beat()

    told = [[day["outside"] for day in body.get("exit_days", [])] for _, _, body in await heard(tower)]
    assert told == [[2], [], [1]]


async def test_other_authorities_above_are_noticed_and_asked_for_until_they_are_held(
    below: Below, tower: Tower
) -> None:
    await below.join(tower)
    await below.heart.beat()
    assert below.wanted == 0

    rotate(tower.folder, "city", tower.now)
    await tower.begin_anew()
    below.find(tower)
    for _ in range(2):
        await below.heart.close()
        await below.heart.beat()
    assert below.wanted == 2
    assert await renew(below.folder, "district", below.now, wanted=True)
    await below.heart.close()
    await below.heart.beat()
    assert below.wanted == 2


async def test_whose_key_is_known_twice_asks_for_a_fresh_one(below: Below, tower: Tower) -> None:
    await below.join(tower)
    await below.heart.beat()
    superior = read_superior(below.folder)
    assert superior is not None
    node = superior.node
    await tower.store.run(lambda conn: rows.mark_cloned(conn, node, tower.now))
    tower.standings.forget(node)
    with pytest.raises(RetryableError, match="two hosts"):
        await below.heart.beat()
    assert below.wanted == 1
    assert await renew(below.folder, "district", below.now, wanted=True)
    tower.standings.forget(node)
    await below.heart.beat()


async def test_what_is_trusted_now_is_told_at_once(below: Below, tower: Tower) -> None:
    await below.join(tower)
    task = spawn("heartbeat", below.heart.run(), lambda _name, _error: None)
    async with asyncio.timeout(10):
        await tower.log.wait_for(0)
        await below.heart.begin_anew()
        await tower.log.wait_for(1)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task

    assert len(await heard(tower)) == 2
