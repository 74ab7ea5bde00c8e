"""A drill reaches the side above only when a person there has accepted it: over real TLS."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
import sqlalchemy as sa

from collector.authority import Announcer, NotInDrillError, hear
from collector.authority.drilling import LATE
from collector.authority.upstream import way_of
from collector.errors import RetryableError
from collector.eventlog.sqlite import SqliteLog
from collector.settings import Route
from collector.store import schema
from collector.store.drills import (
    add_drill,
    add_drill_incident,
    change_drill,
    decide_announced,
    get_announced,
    get_drill,
)
from collector.store.engine import Store
from collector.store.filings import filings_of
from collector.store.nodes import standing
from collector.trust.superior import join
from collector.trust.tokens import read_token
from tests.collector.authority.test_upstream import City, District, received
from tests.collector.store.test_drills import a_drill
from tests.databases import new_state
from wire.messages import DrillAnswer, DrillNotice

if TYPE_CHECKING:
    from collector.store.filings import Filing as Row
    from collector.store.nodes import Standing
    from tests.conftest import Office


class DrillingCity(City):
    """A city that hears of drills; `deaf`: of a version that does not know the route."""

    deaf = False

    async def _hear_drill(self, peer: "Standing", notice: DrillNotice, now: datetime) -> DrillAnswer:
        if self.deaf:
            raise RuntimeError("no such route")
        async with self.store.write() as conn:
            return await hear(conn, peer, notice, registry=self.office.registry, now=now)


class Exercise:
    """A county in a drill, its line to the city, and the city's officer."""

    def __init__(self, district: District, city: DrillingCity) -> None:
        self.district = district
        self.city = city
        self.announcer = Announcer(district.state, state=district.folder, clock=lambda: district.now)

    async def begin(self, *, asks: bool) -> None:
        token = read_token(await self.city.token("collector", unit="city"))
        await join("", token, "district", self.district.folder)
        now = self.district.now
        async with self.district.state.write() as conn:
            drill = a_drill(state="running", planned_at=now, started_at=now, ends_at=now + timedelta(hours=3))
            await add_drill(
                conn, msgspec.structs.replace(drill, superior="waiting" if asks else "outside"), "u"
            )
            finding = self.district.office.finding(now, drill=True)
            self.district.incident = await self.district.office.casework.open(conn, finding, now, now)
            await add_drill_incident(conn, "d1", self.district.incident, "first")

    async def officer(self, said: str) -> None:
        async with self.city.store.write() as conn:
            await decide_announced(conn, "d1", said, "user:li", self.city.now)  # type: ignore[arg-type]

    async def superior(self) -> str:
        async with self.district.state.read() as conn:
            drill = await get_drill(conn, "d1")
        assert drill is not None
        return drill.superior

    async def filing(self) -> "Row":
        await self.district.upstream.step()
        async with self.district.state.read() as conn:
            (row,) = await filings_of(conn, self.district.incident)
        return row


@pytest.fixture
async def exercise(tmp_path: Path, office: "Office", sqlite_state: Store) -> AsyncIterator[Exercise]:
    folder = tmp_path / "city"
    folder.mkdir()
    store = await new_state(folder)
    log = await SqliteLog.open(folder / "events.db")
    city = DrillingCity(folder, store, log, office.registry)
    city.office = office
    await city.start()
    made = Exercise(District(sqlite_state, tmp_path / "district", office, city.now), city)
    yield made
    await made.announcer.close()
    await made.district.upstream.close()
    await city.listener.stop(0.2)
    await log.close()
    await store.close()


async def clock_of(exercise: Exercise) -> dict[str, Any]:
    async with exercise.district.state.read() as conn:
        query = sa.select(schema.clocks).where(schema.clocks.c.recipient == "informatization_authority")
        return dict((await conn.execute(query)).mappings().one())


async def test_a_drill_nobody_above_is_in_sends_nothing_and_its_receipt_is_simulated(
    exercise: Exercise,
) -> None:
    await exercise.begin(asks=False)
    assert await exercise.announcer.step() == 0
    filing = await exercise.filing()

    assert (filing.way, filing.state, filing.receipt) == (
        "drill",
        "receipted",
        {"simulated": True, "drill": "d1"},
    )
    assert (await clock_of(exercise))["state"] == "met"
    assert await received(exercise.city) == []
    assert exercise.city.asked == 0


async def test_a_side_above_that_has_accepted_gets_it_marked_and_its_receipt_is_marked_too(
    exercise: Exercise,
) -> None:
    await exercise.begin(asks=True)
    await exercise.announcer.step()
    assert await exercise.superior() == "waiting"
    await exercise.officer("accepted")
    await exercise.announcer.step()
    assert await exercise.superior() == "accepted"
    filing = await exercise.filing()

    assert (filing.way, filing.state) == ("upstream", "receipted"), filing.result
    assert (filing.receipt or {})["drill"] == "d1"
    (row,) = await received(exercise.city)
    assert row["drill"] == "d1"
    assert row["payload"]["incident"]["title"].startswith("【演练】")
    assert row["payload"]["incident"]["title_en"].startswith("[DRILL] ")


@pytest.mark.parametrize("said", ["declined", None])
async def test_a_side_above_that_has_not_accepted_gets_nothing(exercise: Exercise, said: str | None) -> None:
    await exercise.begin(asks=True)
    await exercise.announcer.step()
    if said:
        await exercise.officer(said)
        await exercise.announcer.step()
    filing = await exercise.filing()

    assert (filing.way, filing.state) == ("drill", "receipted")
    assert exercise.city.asked == 0


async def test_a_side_above_that_knows_no_drills_is_never_in_one(exercise: Exercise) -> None:
    exercise.city.deaf = True
    await exercise.begin(asks=True)

    with pytest.raises(RetryableError):
        await exercise.announcer.step()
    assert await exercise.superior() == "waiting"
    assert (await exercise.filing()).way == "drill"
    exercise.city.tally.refused.clear()


async def test_what_leaves_before_the_word_is_taken_back_is_refused_above(exercise: Exercise) -> None:
    await exercise.begin(asks=True)
    await exercise.announcer.step()
    async with exercise.district.state.write() as conn:
        await change_drill(conn, "d1", superior="accepted")  # the district believes so; the city does not
    filing = await exercise.filing()

    assert filing.state == "waiting"
    assert "belongs" in str(filing.result) or "one of a drill" in str(filing.result)
    assert await received(exercise.city) == []
    await exercise.announcer.step()
    assert await exercise.superior() == "waiting"
    exercise.district.now += timedelta(minutes=5)
    await exercise.district.upstream.step()
    assert (await exercise.filing()).way == "drill"


async def test_after_the_drill_its_reports_are_no_longer_taken(exercise: Exercise) -> None:
    await exercise.begin(asks=True)
    await exercise.announcer.step()
    await exercise.officer("accepted")
    await exercise.announcer.step()
    exercise.city.now += timedelta(hours=3) + LATE + timedelta(seconds=1)
    filing = await exercise.filing()

    assert filing.state == "waiting"
    assert await received(exercise.city) == []


async def test_nobody_announces_a_drill_of_a_unit_that_is_not_theirs(exercise: Exercise) -> None:
    notice = DrillNotice(
        version=1,
        id="d5",
        unit="county",
        name="甲",
        name_en="a",
        form="live",
        starts_at=exercise.city.now,
        ends_at=exercise.city.now,
    )
    power = await exercise.city.enrol("collector")
    async with exercise.city.store.read() as conn:
        peer = await standing(conn, power.node)
    assert peer is not None
    foreign = type(peer)(peer.id, "power", peer.kind, peer.state)
    async with exercise.city.store.write() as conn:
        with pytest.raises(NotInDrillError):
            await hear(conn, foreign, notice, registry=exercise.city.office.registry, now=exercise.city.now)
        assert await get_announced(conn, "d5") is None


@pytest.mark.parametrize("way", ["upstream", "mail", "person"])
def test_no_way_of_the_settings_leads_out_of_a_drill(way: str) -> None:
    mail = {"channel": "post", "to": "duty@cac.example"} if way == "mail" else {}
    route = Route(way=way, **mail)  # type: ignore[arg-type]

    assert way_of(route, None, of_drill=False) == way
    assert way_of(route, None, of_drill=True) == "drill"
    for said in ("outside", "waiting", "declined"):
        assert way_of(route, a_drill(superior=said), of_drill=True) == "drill"
    assert (way_of(route, a_drill(superior="accepted"), of_drill=True) == "upstream") == (way == "upstream")
