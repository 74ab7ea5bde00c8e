"""A county's collector stops; the city above sees it, wakes people, and sees it come back."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from msgspec import convert

from collector.authority import Heartbeat
from collector.duty import Auditor, DutyClock, Silence
from collector.eventlog.sqlite import SqliteLog
from collector.pipeline import Pipeline
from collector.stages import stages
from collector.store import schema
from collector.store.engine import Store
from collector.store.incidents import get_incident
from collector.trust.superior import join
from collector.trust.tokens import read_token
from tests.collector.ingest.tower import Tower

if TYPE_CHECKING:
    from collector.store.incidents import Incident
    from tests.conftest import Office

STEP = timedelta(seconds=10)
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


class County:
    """The collector below: its duty clock and auditor, and the heartbeat that tells of them."""

    def __init__(self, store: Store, folder: Path, office: "Office", city: Tower) -> None:
        self.city = city
        self.folder = folder
        self.steady = 0.0
        self.clock = DutyClock(store, office.casework, wall=lambda: city.now, steady=lambda: self.steady)
        self.auditor = Auditor(store, lambda: office.registry, "county", now=lambda: city.now)
        self.heart = Heartbeat(
            store,
            state=folder,
            version="1",
            pulses=self._pulses,
            clock=lambda: city.now,
            steady=lambda: self.steady,
        )
        self.alive = True
        self.audits = True

    def _pulses(self) -> dict[str, datetime]:
        passes = {"auditor": self.auditor.last_pass, "clock": self.clock.last_tick}
        return {name: at for name, at in passes.items() if at is not None}

    async def live(self) -> None:
        if not self.alive:
            return
        self.steady += STEP.total_seconds()
        await self.clock.tick()
        if self.audits:
            await self.auditor.audit()
        await self.heart.beat()


class Pair:
    """County and city on one timeline that only the test moves."""

    def __init__(self, county: County, city: Tower, office: "Office") -> None:
        self.county = county
        self.city = city
        self.office = office
        casework = office.casework
        chain = stages(lambda: office.registry, lambda: office.classes, casework.open, casework.note)
        self.pipeline = Pipeline(city.log, city.store, chain, lambda: city.now)
        self.clock = DutyClock(city.store, casework, wall=lambda: city.now, steady=self._steady)
        self.silence = Silence(
            city.store,
            open_incident=casework.open,
            note_end=casework.note,
            registry=lambda: office.registry,
            directory=lambda: office.registry,
            unit="city",
            now=lambda: city.now,
        )

    def _steady(self) -> float:
        return (self.city.now - EPOCH).total_seconds()

    async def pass_time(self, length: timedelta) -> None:
        for _ in range(length // STEP):
            self.city.now += STEP
            await self.county.live()
            while await self.pipeline.step():
                pass
            await self.silence.look()
            await self.clock.tick()

    async def incident(self) -> "Incident | None":
        async with self.city.store.read() as conn:
            key = (await conn.execute(sa.select(schema.incidents.c.id))).scalar()
            return await get_incident(conn, key) if key else None

    async def told(self) -> set[str]:
        async with self.city.store.read() as conn:
            return set((await conn.execute(sa.select(schema.notices.c.person))).scalars())


@pytest.fixture
async def pair(sqlite_state: Store, tmp_path: Path, office: "Office") -> AsyncIterator[Pair]:
    async with AsyncExitStack() as stack:
        folder = tmp_path / "city"
        folder.mkdir()
        above = await Store.open(f"sqlite+aiosqlite:///{folder / 'state.db'}")
        stack.push_async_callback(above.close)
        log = await SqliteLog.open(folder / "events.db")
        stack.push_async_callback(log.close)
        city = Tower(folder, above, log, office.registry)
        await city.start()
        stack.push_async_callback(city.listener.stop, 0.2)
        county = County(sqlite_state, tmp_path / "county", office, city)
        stack.push_async_callback(county.heart.close)
        await join("", read_token(await city.token("collector", unit="county")), "county-1", county.folder)
        yield Pair(county, city, office)


async def test_a_collector_that_dies_is_missed_within_two_minutes_and_heard_of_again(pair: Pair) -> None:
    await pair.pass_time(timedelta(minutes=3))
    assert await pair.incident() is None

    pair.county.alive = False
    died = pair.city.now
    await pair.pass_time(timedelta(minutes=2))
    held = await pair.incident()
    assert held is not None
    assert (held.klass, held.unit) == ("DETECH", "county")
    assert held.opened_at - died <= timedelta(seconds=100)
    assert convert(held.times["occurred"], datetime) == died
    assert await pair.told() == {"wang", "li"}

    pair.county.alive = True
    await pair.pass_time(timedelta(minutes=1))
    held = await pair.incident()
    assert held is not None
    assert (held.state, held.evidence[-1]["why"]) == ("open", "back")
    await pair.pass_time(timedelta(minutes=1))
    assert await pair.incident() == held


async def test_a_collector_whose_auditor_has_died_says_so_itself(pair: Pair) -> None:
    await pair.pass_time(timedelta(minutes=1))
    pair.county.audits = False
    await pair.pass_time(timedelta(minutes=3))

    held = await pair.incident()
    assert held is not None
    assert held.evidence[-1]["why"] == "auditor"
    assert held.title_en.startswith("collector's auditor stands still")
