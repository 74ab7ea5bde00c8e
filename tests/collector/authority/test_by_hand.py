"""Reports filed by persons: written, sent up, or proved."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from collector.authority import AlreadyFiledError, ByHand, NoProofError, NoSuchClockError, Upstream
from collector.desk.papers import Handed
from collector.settings import Route
from collector.statement import Ransom, read_statement
from collector.store import schema
from collector.store.clocks import clocks_of, get_clock
from collector.store.drafts import add_attachment
from collector.store.filings import claim_filings, filings_of

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy.ext.asyncio import AsyncConnection

    from collector.store.engine import Store
    from collector.store.filings import Filing
    from tests.conftest import Office

NINE = datetime(2026, 3, 2, 1, tzinfo=UTC)
TEN = NINE + timedelta(hours=1)
WANG = "person:wang"
PHONED = Handed(filed_at=TEN - timedelta(minutes=5), number="12387-0042")


class Counter:
    """The county's counter where reports leave, over one open transaction."""

    def __init__(self, conn: "AsyncConnection", office: "Office", folder: "Path") -> None:
        self.conn = conn
        self.office = office
        self.routes: dict[str, Route] = {}
        ways: dict[str, Any] = {
            "registry": lambda: office.registry,
            "routes": lambda: self.routes,
            "record_filing": office.casework.record_filing,
            "statement": office.documents.statement,
        }
        self.upstream = Upstream(None, state=folder, clock=lambda: TEN, **ways)  # type: ignore[arg-type]
        self.by_hand = ByHand(self.upstream, **ways)
        self.incident = ""
        self.clock = ""

    async def open(self, **changes: Any) -> None:  # noqa: ANN401 - the fields of a finding
        finding = self.office.finding(NINE, **changes)
        self.incident = await self.office.casework.open(self.conn, finding, NINE, NINE)
        clocks = await clocks_of(self.conn, [self.incident])
        self.clock = next(clock.id for clock in clocks if clock.stage in {"report", "first"})

    async def submit(self, handed: Handed = PHONED, actor: str = WANG) -> str:
        return await self.by_hand.submit(self.conn, self.incident, self.clock, handed, actor=actor, now=TEN)

    async def save(self, texts: dict[int, str], ransom: Ransom | None = None) -> None:
        await self.by_hand.save(
            self.conn, self.incident, self.clock, texts=texts, ransom=ransom, actor=WANG, now=TEN
        )

    async def filing(self) -> "Filing":
        (filing,) = await filings_of(self.conn, self.incident)
        return filing


@pytest.fixture
async def counter(sqlite_state: "Store", office: "Office", tmp_path: "Path") -> AsyncIterator[Counter]:
    async with sqlite_state.write() as conn:
        made = Counter(conn, office, tmp_path)
        await made.open()
        yield made


async def test_a_phoned_report_with_its_number_meets_the_clock_at_the_time_of_the_call(
    counter: Counter,
) -> None:
    filing = await counter.submit()
    clock = await get_clock(counter.conn, counter.clock)

    assert clock
    assert (clock.met_by, clock.met_at) == (filing, PHONED.filed_at)
    row = await counter.filing()
    assert (row.way, row.state, row.filed_at) == ("person", "receipted", PHONED.filed_at)
    assert row.receipt
    assert (row.receipt["number"], row.receipt["by"]) == ("12387-0042", WANG)


async def test_what_was_filed_holds_what_was_written_and_stays_so(counter: Counter) -> None:
    await counter.save({2: "首页被替换为违法内容"})
    await counter.submit()
    said = read_statement((await counter.filing()).payload["content"])

    assert said
    assert said.items[1].written
    assert said.items[1].written.text == "首页被替换为违法内容"
    reports = await counter.by_hand.reports(counter.conn, counter.incident, TEN)
    report = next(report for report in reports if report.clock == counter.clock)
    assert (report.statement, report.filing_state) == (said, "receipted")
    with pytest.raises(AlreadyFiledError, match="supplement"):
        await counter.save({2: "其他"})


async def test_a_report_is_filed_once_whatever_the_way(counter: Counter) -> None:
    await counter.submit()
    counter.routes = {"informatization_authority": Route(way="upstream")}
    for handed in (PHONED, Handed(way="upstream")):
        with pytest.raises(AlreadyFiledError):
            await counter.submit(handed)
    rows = (await counter.conn.execute(schema.filings.select())).all()
    assert len(rows) == 1


@pytest.mark.parametrize(
    ("handed", "why"),
    [
        (Handed(filed_at=TEN), "neither a number nor an attachment"),
        (Handed(number="1", filed_at=TEN + timedelta(seconds=1)), "until now"),
        (Handed(number="1", filed_at=NINE - timedelta(seconds=1)), "until now"),
        (Handed(number="1", filed_at=TEN.replace(tzinfo=None)), "until now"),
        (Handed(attachment="nothing"), "the incident has none"),
        (Handed(way="upstream"), "name no way up"),
    ],
)
async def test_what_proves_nothing_files_nothing(counter: Counter, handed: Handed, why: str) -> None:
    with pytest.raises(NoProofError, match=why):
        await counter.submit(handed)
    assert await filings_of(counter.conn, counter.incident) == []


async def test_an_attachment_alone_is_a_proof(counter: Counter) -> None:
    proof = await add_attachment(
        counter.conn,
        counter.incident,
        name="fax.pdf",
        media_type="application/pdf",
        body=b"%PDF",
        actor=WANG,
        now=TEN,
    )
    await counter.submit(Handed(medium="fax", attachment=proof.id))
    receipt = (await counter.filing()).receipt

    assert receipt
    assert receipt["attachment"] == {"id": proof.id, "name": "fax.pdf", "sha256": proof.sha256}


async def test_up_goes_what_the_automatic_way_would_send(counter: Counter) -> None:
    counter.routes = {"informatization_authority": Route(way="upstream")}
    await counter.save({2: "首页被替换"})
    filing = await counter.submit(Handed(way="upstream"))
    row = await counter.filing()

    assert (row.id, row.way, row.state) == (filing, "upstream", "waiting")
    assert row.payload["content"]["items"][1]["written"]["text"] == "首页被替换"


@pytest.mark.parametrize("way", ["upstream", "person"])
async def test_a_drill_reaches_no_authority_whatever_the_settings_say(counter: Counter, way: str) -> None:
    counter.routes = {"informatization_authority": Route(way=way)}  # type: ignore[arg-type]
    await counter.conn.execute(schema.incidents.update().values(drill=True))

    await counter.submit(Handed(way="upstream"))
    row = await counter.filing()
    assert row.way == "drill"
    assert row.payload["drill"]
    assert await claim_filings(counter.conn, owner="x", now=TEN, lease=timedelta(seconds=60), limit=9) == []


async def test_a_person_takes_over_what_a_dead_line_has_not_brought_up(counter: Counter) -> None:
    counter.routes = {"informatization_authority": Route(way="upstream")}
    await counter.submit(Handed(way="upstream"))
    assert await counter.submit() == (await counter.filing()).id
    row = await counter.filing()

    assert (row.way, row.state) == ("person", "receipted")


async def test_nobody_takes_over_what_is_being_sent_just_now(counter: Counter) -> None:
    counter.routes = {"informatization_authority": Route(way="upstream")}
    await counter.submit(Handed(way="upstream"))
    await claim_filings(counter.conn, owner="x", now=TEN, lease=timedelta(seconds=60), limit=1)

    with pytest.raises(AlreadyFiledError, match="being sent"):
        await counter.submit()


async def test_a_first_report_with_open_items_is_followed_by_a_supplement(
    sqlite_state: "Store", office: "Office", tmp_path: "Path"
) -> None:
    async with sqlite_state.write() as conn:
        counter = Counter(conn, office, tmp_path)
        finding = {"facts": {"personal_records": 1_000_000}}
        await counter.open(**finding)
        counter.clock = next(
            clock.id for clock in await clocks_of(conn, [counter.incident]) if clock.stage == "first"
        )
        await counter.submit()
        stages = {clock.stage: clock.state for clock in await clocks_of(conn, [counter.incident])}

    assert (stages["first"], stages["supplement"]) == ("met", "no_number")


async def test_a_clock_of_another_incident_and_an_item_nobody_asked_for_are_refused(
    counter: Counter,
) -> None:
    with pytest.raises(NoSuchClockError):
        await counter.by_hand.submit(counter.conn, "another", counter.clock, PHONED, actor=WANG, now=TEN)
    with pytest.raises(NoSuchClockError, match="asks 4 items"):
        await counter.save({9: "…"})


async def test_two_officers_at_once_file_it_once(state: "Store", office: "Office", tmp_path: "Path") -> None:
    async with state.write() as conn:
        counter = Counter(conn, office, tmp_path)
        await counter.open()

    async def officer(name: str) -> str:
        async def work(conn: "AsyncConnection") -> str:
            handed = Handed(filed_at=TEN, number=name)
            return await counter.by_hand.submit(
                conn, counter.incident, counter.clock, handed, actor=f"person:{name}", now=TEN
            )

        return await state.run(work)

    ends = await asyncio.gather(*(officer(name) for name in ("wang", "zhao", "li")), return_exceptions=True)
    async with state.read() as conn:
        (filing,) = await filings_of(conn, counter.incident)

    assert [end for end in ends if isinstance(end, str)] == [filing.id]
    assert sum(isinstance(end, AlreadyFiledError) for end in ends) == 2
