"""A county's collector stops; the city above sees it, wakes people, and sees it come back."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from aiohttp import web
from msgspec import convert

from collector.authority import Heartbeat
from collector.channels.webhook import Webhook
from collector.duty import Auditor, DutyClock, Silence
from collector.eventlog.sqlite import SqliteLog
from collector.notices import Notices
from collector.pipeline import Pipeline
from collector.registry import read_registry
from collector.stages import stages
from collector.store import schema
from collector.store.engine import Store
from collector.store.incidents import get_incident
from collector.trust.superior import join
from collector.trust.tokens import read_token
from tests.collector.ingest.tower import Tower
from tests.contracts.receiver import Receiver, receiver

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
        self.notices: Notices | None = None

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
        if self.notices is not None:
            await self.notices.step()
            await self.notices.settle()
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
            end=casework.move,
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


ROOT = Path(__file__).parents[2]


async def gone(_: web.Request) -> web.StreamResponse:
    return web.Response(status=410)


@pytest.fixture
async def hook(pair: Pair, sqlite_state: Store) -> AsyncIterator[Receiver]:
    """The county's only channel, over which its notices really go."""
    async with receiver() as place:
        text = (ROOT / "tests/golden/office.yaml").read_text("utf-8")
        registry = read_registry(text.replace("http://127.0.0.1:9000", place.url.partition("/hook")[0]), "o")
        channel = Webhook("webhook", place.url)
        pair.county.notices = Notices(
            sqlite_state,
            channels=lambda: {"webhook": channel},
            registry=lambda: registry,
            http_allow=list,
            clock=lambda: pair.city.now,
            on_death=died,
        )
        yield place
        await channel.close()


def died(name: str, error: BaseException) -> None:
    raise AssertionError(name) from error


@pytest.mark.parametrize("answer", ["never", "not now"])
async def test_a_county_whose_only_channel_is_dead_is_telephoned_by_the_city(
    pair: Pair, hook: Receiver, sqlite_state: Store, office: "Office", answer: str
) -> None:
    async def busy(_: web.Request) -> web.StreamResponse:
        return web.Response(status=503)

    await pair.pass_time(timedelta(minutes=1))
    hook.answer = gone if answer == "never" else busy
    began = pair.city.now
    async with sqlite_state.write() as conn:
        await office.casework.open(conn, office.finding(began), began, began)
    await pair.pass_time(timedelta(minutes=4))
    assert await pair.incident() is None
    await pair.pass_time(timedelta(minutes=3))

    held = await pair.incident()
    assert held is not None
    assert (held.title_en, held.unit, held.count) == (
        "duty unreachable: 望楼县政府办 (county-1)",
        "county",
        1,
    )
    assert "li" in await pair.told()

    hook.answer = None
    for _ in range(30):
        await pair.pass_time(timedelta(minutes=1))
        held = await pair.incident()
        assert held is not None
        if held.state == "handled":
            break
    assert (held.state, held.evidence[-1]["why"]) == ("handled", "back")
