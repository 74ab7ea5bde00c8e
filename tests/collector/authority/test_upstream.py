"""Filings from a district to the city above it: real rows on both sides, real TLS between them."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
import sqlalchemy as sa

from collector.authority import ForeignFilingError, NoSuchClockError, Upstream, receive
from collector.authority.upstream import bytes_of, check, key_of
from collector.errors import PermanentError
from collector.eventlog.sqlite import SqliteLog
from collector.ingest.answers import RefusedError
from collector.settings import Route
from collector.store import schema
from collector.store.engine import Store
from collector.store.filings import filings_of
from collector.trust.superior import join
from collector.trust.tokens import read_token
from tests.collector.ingest.tower import Tower
from tests.databases import new_state
from wire.messages import VERSION, Filing, Receipt

if TYPE_CHECKING:
    from collector.store.filings import Filing as Row
    from collector.store.nodes import Standing
    from tests.conftest import Office

ROUTES = {"informatization_authority": Route(way="upstream", auto=True)}


class City(Tower):
    """The collector above; it may lose answers, refuse, or lie."""

    office: "Office"
    asked = 0
    lose_answers = 0
    refusal = ""
    lie = False

    async def _receive_filing(self, peer: "Standing", filing: Filing, raw: bytes, now: datetime) -> Receipt:
        self.asked += 1
        if self.refusal:
            raise RefusedError("malformed", 400, self.refusal)
        async with self.store.write() as conn:
            receipt = await receive(
                conn, peer, filing, raw, registry=self.office.registry, issuer="city", now=now
            )
        if self.lose_answers:
            self.lose_answers -= 1
            raise RefusedError("unavailable", 503, "the answer is lost", 1)
        return msgspec.structs.replace(receipt, sha256="00") if self.lie else receipt


@pytest.fixture
async def city(tmp_path: Path, office: "Office") -> AsyncIterator[City]:
    folder = tmp_path / "city"
    folder.mkdir()
    store = await new_state(folder)
    log = await SqliteLog.open(folder / "events.db")
    made = City(folder, store, log, office.registry)
    made.office = office
    await made.start()
    yield made
    await made.listener.stop(0.2)
    await log.close()
    await store.close()


class District:
    """The collector below, with one incident whose report is owed."""

    def __init__(self, state: Store, folder: Path, office: "Office", now: datetime) -> None:
        self.state = state
        self.folder = folder
        self.office = office
        self.now = now
        self.routes = dict(ROUTES)
        self.incident = ""
        self.upstream = Upstream(
            state,
            state=folder,
            registry=lambda: office.registry,
            routes=lambda: self.routes,
            record_filing=office.casework.record_filing,
            statement=office.documents.statement,
            clock=lambda: self.now,
        )

    async def open(self) -> None:
        async with self.state.write() as conn:
            finding = self.office.finding(self.now)
            self.incident = await self.office.casework.open(conn, finding, self.now, self.now)

    async def step(self, *, after: timedelta = timedelta(0)) -> "Row":
        self.now += after
        await self.upstream.step()
        async with self.state.read() as conn:
            (row,) = await filings_of(conn, self.incident)
        return row

    async def clock(self) -> dict[str, Any]:
        async with self.state.read() as conn:
            query = sa.select(schema.clocks).where(schema.clocks.c.recipient == "informatization_authority")
            return dict((await conn.execute(query)).mappings().one())


@pytest.fixture
async def district(
    sqlite_state: Store, tmp_path: Path, office: "Office", city: City
) -> AsyncIterator[District]:
    made = District(sqlite_state, tmp_path / "district", office, city.now)
    await made.open()
    yield made
    await made.upstream.close()


async def join_city(district: District, city: City) -> None:
    token = read_token(await city.token("collector"))
    await join("", token, "district", district.folder)


async def received(city: City) -> list[dict[str, Any]]:
    async with city.store.read() as conn:
        rows = await conn.execute(sa.select(schema.received_filings))
        return [dict(row) for row in rows.mappings()]


async def test_what_is_owed_is_filed_by_itself_and_its_receipt_meets_the_clock(
    district: District, city: City
) -> None:
    await join_city(district, city)
    filing = await district.step()

    assert filing.state == "receipted", filing.result
    assert filing.filed_at == district.now
    clock = await district.clock()
    assert (clock["state"], clock["met_by"]) == ("met", filing.id)
    (row,) = await received(city)
    assert (row["unit"], row["obligation"], row["level"]) == ("county", "cn-informatization/report", "IV")
    assert row["payload"]["incident"]["asset"]["mlps_grade"] == 3
    assert (filing.receipt or {})["number"] == row["number"]
    assert district.upstream.receipted == 1


async def test_before_this_collector_has_joined_a_filing_waits_and_is_not_filed(district: District) -> None:
    filing = await district.step()

    assert (filing.state, filing.attempts, filing.filed_at) == ("waiting", 0, None)
    assert (await district.clock())["state"] != "met"


async def test_an_answer_that_was_lost_costs_a_resend_with_the_first_receipt(
    district: District, city: City
) -> None:
    await join_city(district, city)
    city.lose_answers = 1
    began = district.now
    filing = await district.step()
    assert (filing.state, filing.attempts) == ("waiting", 1)
    assert "503" in (filing.result or {})["why"]

    city.now += timedelta(minutes=5)
    filing = await district.step(after=timedelta(minutes=5))
    assert (filing.state, filing.attempts, city.asked) == ("receipted", 2, 2)
    # It was in the authority's hands at the first sending.
    assert (filing.filed_at, filing.receipt_at) == (began, began)
    assert len(await received(city)) == 1


async def test_while_the_authority_is_down_it_is_tried_for_ever_and_is_filed_when_it_arrives(
    district: District, city: City
) -> None:
    await join_city(district, city)
    port = city.port
    await city.listener.stop(0.1)
    for attempt in range(1, 4):
        filing = await district.step(after=timedelta(minutes=2))
        assert (filing.state, filing.attempts) == ("waiting", attempt)
    assert district.upstream.failures == 3

    await city.start()
    moved = (district.folder / "superior/superior.json").read_text("utf-8")
    (district.folder / "superior/superior.json").write_text(moved.replace(str(port), str(city.port)), "utf-8")
    city.now = district.now + timedelta(minutes=2)
    filing = await district.step(after=timedelta(minutes=2))
    assert filing.state == "receipted", filing.result
    assert filing.filed_at == district.now


async def test_bytes_the_authority_will_never_take_wait_for_a_person(district: District, city: City) -> None:
    await join_city(district, city)
    city.refusal = "no such obligation"
    filing = await district.step()

    assert filing.state == "refused"
    assert "no such obligation" in (filing.result or {})["why"]
    assert (await district.step(after=timedelta(hours=1))).attempts == 1


async def test_a_receipt_of_other_bytes_is_no_receipt(district: District, city: City) -> None:
    await join_city(district, city)
    city.lie = True
    filing = await district.step()

    assert filing.state == "waiting"
    assert "sha256" in (filing.result or {})["why"]


async def test_a_plan_and_the_automatic_way_file_an_obligation_once(district: District) -> None:
    clock = (await district.clock())["id"]
    async with district.state.write() as conn:
        ids = [
            await district.upstream.file(
                conn, clock, "user:wang", district.now, complete=True, content={"经过": "网页被篡改"}
            )
            for _ in range(2)
        ]
    filing = await district.step()

    assert ids == [filing.id, filing.id]
    assert filing.payload["content"]["added"] == {"经过": "网页被篡改"}
    assert len(filing.payload["content"]["items"]) == 4
    assert filing.payload["complete"] is False  # no measure was taken and no report kept yet


async def test_a_recipient_reached_by_a_person_is_left_to_the_person(district: District, city: City) -> None:
    await join_city(district, city)
    district.routes.clear()
    clock = (await district.clock())["id"]
    await district.upstream.step()
    async with district.state.write() as conn:
        await district.upstream.file(conn, clock, "user:wang", district.now, complete=True, content={})
    filing = await district.step()

    assert (filing.way, filing.state, city.asked) == ("person", "waiting", 0)


async def test_a_clock_that_is_not_there_cannot_be_filed_for(district: District) -> None:
    async with district.state.write() as conn:
        with pytest.raises(NoSuchClockError, match="clock nowhere"):
            await district.upstream.file(conn, "nowhere", "system", district.now, complete=True, content={})


async def test_files_that_join_left_damaged_are_told(district: District, city: City) -> None:
    await join_city(district, city)
    (key,) = (district.folder / "superior").rglob("key.pem")
    key.write_text("no key", "utf-8")

    with pytest.raises(PermanentError, match="superior"):
        await district.upstream.step()


async def test_the_loop_wakes_for_an_obligation(district: District, city: City) -> None:
    await join_city(district, city)
    running = asyncio.get_running_loop().create_task(district.upstream.run())
    async with asyncio.timeout(20):
        seen = 0
        while (await district.clock())["state"] != "met":
            seen = await district.state.changed.wait(seen)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    assert (await district.clock())["state"] == "met"


def test_a_key_fits_the_wire_however_long_the_obligation_is() -> None:
    incident = "019cac18-4e40-7000-8000-000000000000"
    long = [key_of(incident, f"eu-nis2/early_warning/competent_authority{n}") for n in (1, 2)]

    assert key_of(incident, "cn-cac-2025/first") == f"{incident}/cn-cac-2025/first"
    assert {len(key) for key in long} == {64}
    assert long[0] != long[1]


async def test_a_filing_is_the_same_bytes_each_time(district: District) -> None:
    filing = await district.step()

    assert bytes_of(filing) == bytes_of(await district.step(after=timedelta(days=1)))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"key": "other"}, "its key is 'other'"),
        ({"sha256": "00"}, "its sha256 is 00"),
        ({"received_at": datetime(2026, 3, 2)}, "no offset"),  # noqa: DTZ001 - that is the mistake
    ],
)
def test_a_receipt_is_held_against_what_was_sent(change: dict[str, Any], why: str) -> None:
    digest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    at = datetime.fromisoformat("2026-03-02T04:00:00+00:00")
    good = Receipt(version=VERSION, key="k", number=1, received_at=at, sha256=digest, issuer="city")

    assert check(good, "k", b"") is good
    with pytest.raises(ValueError, match=why):
        check(msgspec.structs.replace(good, **change), "k", b"")


def test_a_foreign_filing_is_for_good() -> None:
    assert issubclass(ForeignFilingError, PermanentError)
