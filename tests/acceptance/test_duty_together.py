"""Two duty clocks and the people of an office at work at the same time on one database.

What each of them does first is open; what must be true afterwards is not: every alarm that was due sounded
once or was ended, everybody was told once, what was filed is met, and the journal of both holds.
"""

import asyncio
import contextlib
from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from collector.duty import DutyClock
from collector.incident import IllegalMoveError
from collector.store import journal, schema
from collector.store.clocks import clocks_of
from collector.store.engine import Store
from collector.store.filings import add_filing, filing_of, record_proof
from collector.trust.journal_chain import verify
from wire.messages import VERSION, Filing

if TYPE_CHECKING:
    from tests.conftest import Office

NINE = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
INCIDENTS = 8
ROUNDS = 12


class Together:
    """Two processes and an office; `round` lets all of them act at once."""

    def __init__(self, stores: list[Store], office: "Office", seed: int) -> None:
        self.stores, self.office = stores, office
        self.now, self.steady = NINE, 0.0
        self.random = Random(seed)  # noqa: S311 - who acts on what, not secrets
        self.clocks = [
            DutyClock(store, office.casework, wall=lambda: self.now, steady=lambda: self.steady)
            for store in stores
        ]
        self.incidents: list[str] = []

    async def open(self) -> None:
        for number in range(INCIDENTS):
            facts = {"homepage_tampered_since": (NINE - number * MINUTE).isoformat()}
            finding = self.office.finding(NINE, fingerprint=f"f{number}", facts=facts)
            key = await self.stores[number % 2].run(
                lambda conn, finding=finding: self.office.casework.open(conn, finding, NINE, NINE)
            )
            self.incidents.append(key)

    async def round(self) -> None:
        self.now += 11 * MINUTE
        self.steady += 660
        deeds = [self.acknowledge, self.move, self.file, self.report, self.regrade]
        people = [self.random.choice(deeds)(self.random.choice(self.incidents)) for _ in range(4)]
        await asyncio.gather(*(clock.tick() for clock in self.clocks), *people)

    async def acknowledge(self, incident: str) -> None:
        who = f"user:{self.random.choice(['wang', 'zhao'])}"
        with contextlib.suppress(IllegalMoveError):  # somebody was first
            await self.store.run(lambda conn: self.office.casework.acknowledge(conn, incident, who, self.now))

    async def move(self, incident: str) -> None:
        to = self.random.choice(["contained", "handled"])
        with contextlib.suppress(IllegalMoveError):  # it is there already
            await self.store.run(
                lambda conn: self.office.casework.move(conn, incident, to, "user:wang", self.now, "done")
            )

    async def report(self, incident: str) -> None:
        number = self.incidents.index(incident)
        finding = self.office.finding(self.now, fingerprint=f"f{number}", facts={"declared_level": "II"})
        await self.store.run(lambda conn: self.office.casework.open(conn, finding, self.now, self.now))

    async def regrade(self, incident: str) -> None:
        await self.store.run(lambda conn: self.office.casework.regrade(conn, incident, self.now))

    async def file(self, incident: str) -> None:
        async with self.store.write() as conn:
            owed = [one for one in await clocks_of(conn, [incident]) if one.state in {"open", "overdue"}]
            if not owed:
                return
            clock = owed[0]
            message = Filing(
                version=VERSION,
                key=f"{incident}/{clock.obligation}",
                incident_id=incident,
                unit="county",
                obligation=clock.obligation,
                recipient=clock.recipient,
                level=None,
                filed_at=self.now,
                due_at=clock.due_at,
                complete=True,
                incident={},
                content={},
            )
            await add_filing(
                conn, message=message, clock=clock.id, way="person", actor="user:wang", now=self.now
            )
            filing = await filing_of(conn, message.key)
            assert filing is not None
            kept = await record_proof(
                conn,
                filing,
                filed_at=self.now,
                receipt_at=self.now,
                proof={"number": "1"},
                actor="user:wang",
                now=self.now,
            )
            if kept:
                await self.office.casework.record_filing(
                    conn, clock.id, filing.id, self.now, self.now, True, "user:wang", self.now
                )

    @property
    def store(self) -> Store:
        return self.random.choice(self.stores)


@pytest.mark.parametrize("seed", [1, 2])
async def test_whoever_is_first_everything_is_done_and_said_once(
    state: Store, state_url: str, office: "Office", seed: int
) -> None:
    other = await Store.open(state_url)
    room = Together([state, other], office, seed)
    try:
        await room.open()
        for _ in range(ROUNDS):
            await asyncio.wait_for(room.round(), 60)
        for clock in room.clocks:
            await clock.tick()
        async with state.read() as conn:
            entries = [row async for row in journal.read_chains(conn)]
            alarms = (await conn.execute(sa.select(schema.alarms))).mappings().all()
            notices = (await conn.execute(sa.select(schema.notices.c.key))).scalars().all()
            clocks = await clocks_of(conn, room.incidents)
            filed = set((await conn.execute(sa.select(schema.filings.c.clock))).scalars())
            levels = set((await conn.execute(sa.select(schema.incidents.c.level))).scalars())
    finally:
        await other.close()

    assert verify(entries) == []
    assert len({row.chain for row in entries}) >= 2  # both really wrote
    assert [one["id"] for one in alarms if one["state"] == "armed" and one["at"] <= room.now] == []
    sounded = Counter(row.subject.removeprefix("alarm:") for row in entries if row.action == "clock.fired")
    fired = [one["id"] for one in alarms if one["state"] == "fired" and one["kind"] != "regrade"]
    assert sounded == Counter(fired)
    assert len(fired) > INCIDENTS
    told = [row.detail["notices"] for row in entries if row.action == "notice.queued"]
    queued = Counter(notice["key"] for each in told for notice in each)
    assert queued == Counter(notices)
    assert set(queued.values()) == {1}
    assert filed
    assert {one.state for one in clocks if one.id in filed} <= {"met", "met_late"}
    assert levels <= {"II", "III"}  # half an hour had passed for each
