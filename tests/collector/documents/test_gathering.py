"""From rows to what a report says."""

from datetime import timedelta
from typing import TYPE_CHECKING

from collector.statement import Ransom
from collector.store.clocks import clocks_of
from collector.store.drafts import save_draft
from tests.collector.documents.conftest import NINE

if TYPE_CHECKING:
    from collector.store.engine import Store
    from tests.conftest import Office


async def test_a_statement_is_composed_from_the_rows_as_they_stand(
    sqlite_state: "Store", office: "Office"
) -> None:
    async with sqlite_state.write() as conn:
        evidence = ({"report": "r-1", "received_at": NINE.isoformat()},)
        key = await office.casework.open(conn, office.finding(NINE, evidence=evidence), NINE, NINE)
        await office.casework.move(conn, key, "contained", "person:wang", NINE + timedelta(minutes=3))
        (clock,) = [one for one in await clocks_of(conn, [key]) if one.stage == "report"]
        said = await office.documents.statement(conn, clock, NINE + timedelta(minutes=4))

    assert said.complete
    text = "\n".join(item.text("zh") for item in said.items)
    assert "县政府门户网站" in text
    assert "事件状态：已控制" in text
    assert {source.report for item in said.items for source in item.sources} == {None, "r-1"}


async def test_what_persons_wrote_stands_in_the_next_statement(
    sqlite_state: "Store", office: "Office"
) -> None:
    async with sqlite_state.write() as conn:
        finding = office.finding(NINE, facts={"ransom_demanded": True})
        key = await office.casework.open(conn, finding, NINE, NINE)
        (clock,) = [one for one in await clocks_of(conn, [key]) if one.stage == "report"]
        ransom = Ransom(amount="5 BTC")
        await save_draft(conn, clock, texts={2: "首页被替换"}, ransom=ransom, actor="person:wang", now=NINE)
        said = await office.documents.statement(conn, clock, NINE)

    assert said.items[1].written is not None
    assert said.items[1].written.by == "person:wang"
    assert said.ransom == ransom


async def test_of_no_incident_nothing_is_known(sqlite_state: "Store", office: "Office") -> None:
    async with sqlite_state.read() as conn:
        assert await office.documents.material(conn, "nowhere", NINE) is None
