from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from msgspec.structs import replace

from collector.stages import Item
from collector.stages import enrich as enrich_module
from collector.stages.enrich import CLASSIFIED, Enrich
from collector.store import journal, schema
from collector.store.engine import Store
from collector.store.facts import NodeRow, facts_of

if TYPE_CHECKING:
    from tests.conftest import Office

MakeItem = Callable[..., Item]


@pytest.fixture
def enrich(office: "Office") -> Enrich:
    return Enrich(lambda: office.registry)


async def apply(state: Store, enrich: Enrich, *items: Item) -> list[Item | None]:
    async with state.write() as conn:
        return [await enrich.apply(conn, item) for item in items]


async def findings(state: Store, enrich: Enrich, item: Item) -> list[dict[str, Any]]:
    """What is noted of the node, by the journal."""
    await apply(state, enrich, item)
    async with state.read() as conn:
        entries = [row async for row in journal.read_chains(conn)]
    noted = [row.detail["to"] for row in entries if row.detail.get("kind") == "findings"]
    return list(noted[-1]) if noted else []


async def test_a_report_gets_the_asset_of_its_node(
    sqlite_state: Store, enrich: Enrich, make_item: MakeItem
) -> None:
    (item,) = await apply(sqlite_state, enrich, make_item("heartbeat", {}))

    assert item is not None
    assert item.asset is not None
    assert item.asset.id == "portal"


async def test_facts_are_kept_whole_and_the_first_of_a_kind_is_journalled(
    sqlite_state: Store, enrich: Enrich, make_item: MakeItem
) -> None:
    items = [make_item("asset", {"host_name": "h", "kernel": {"release": str(n)}}) for n in range(3)]
    await apply(sqlite_state, enrich, *items, make_item("gap", {"count": 3}))
    async with sqlite_state.read() as conn:
        kept = await facts_of(conn, "n")
        told = [row.detail["kind"] async for row in journal.read_chains(conn)]

    assert kept["asset"].body == {"host_name": "h", "kernel": {"release": "2"}}
    assert told == ["asset", "gap:gap"]


async def test_what_each_source_missed_is_kept_beside_the_others_and_no_node_fills_the_table(
    sqlite_state: Store, enrich: Enrich, make_item: MakeItem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(enrich_module, "MOST_FACTS", 4)
    names = ["files", "files", "packets", "Nobody's", "one", "two", "three", "files"]
    await apply(
        sqlite_state,
        enrich,
        *(make_item("gap", {"why": str(n)}, source=name) for n, name in enumerate(names)),
    )
    async with sqlite_state.read() as conn:
        kept = await facts_of(conn, "n")

    assert {kind: fact.body["why"] for kind, fact in kept.items()} == {
        "gap:files": "7",
        "gap:packets": "2",
        "gap:one": "4",
        "gap": "6",
    }


async def test_what_is_no_fact_is_not_kept(sqlite_state: Store, enrich: Enrich, make_item: MakeItem) -> None:
    await apply(sqlite_state, enrich, make_item("evidence", {"name": "x"}), make_item("heartbeat", {}))
    async with sqlite_state.read() as conn:
        assert await facts_of(conn, "n") == {}


@pytest.mark.parametrize(
    ("declared", "found"),
    [
        ({"id": "portal", "mlps_grade": 3}, []),
        (
            {"id": "portal", "mlps_grade": 2},
            [{"kind": "grade_differs", "asset": "portal", "declared": 2, "registered": 3}],
        ),
        ({"id": "x", "name": "某系统"}, [{"kind": "unknown_asset", "asset": "x", "declared": "某系统"}]),
        (
            {"id": "grid", "mlps_grade": 4},
            [{"kind": "asset_not_enrolled", "asset": "grid", "registered": ["portal"]}],
        ),
        (
            {"id": "portal", "filing_number": "1"},
            [{"kind": "filing_number_differs", "asset": "portal", "declared": "1", "registered": None}],
        ),
    ],
)
async def test_where_node_and_register_differ_is_a_finding(
    sqlite_state: Store,
    enrich: Enrich,
    make_item: MakeItem,
    declared: dict[str, Any],
    found: list[dict[str, Any]],
) -> None:
    assert await findings(sqlite_state, enrich, make_item("asset", {"assets": [declared]})) == found


async def test_an_asset_that_left_the_register_is_a_finding_on_its_nodes(
    sqlite_state: Store, enrich: Enrich, make_item: MakeItem
) -> None:
    node = NodeRow(id="n", unit="county", host_name="h", assets=["gone"])
    found = await findings(sqlite_state, enrich, make_item("asset", {}, node=node))

    assert found == [{"kind": "unknown_asset", "asset": "gone", "declared": None}]


@pytest.mark.parametrize("kind", ["heartbeat", "asset", "sockets", "gap"])
async def test_nothing_is_kept_of_a_node_of_a_classified_system_and_it_is_said_once(
    sqlite_state: Store, enrich: Enrich, make_item: MakeItem, kind: str
) -> None:
    secret = NodeRow(id="n", unit="county", host_name="h", assets=["secret"])
    item = make_item(kind, {}, node=secret)
    assert await apply(sqlite_state, enrich, item, replace(item, id="r2")) == [None, None]

    async with sqlite_state.read() as conn:
        assert await facts_of(conn, "n") == {}
        (row,) = (await conn.execute(sa.select(schema.quarantine))).mappings().all()
    assert (row["why"], row["body"]) == (CLASSIFIED, b"")


async def test_a_node_that_says_it_belongs_to_a_classified_system_is_not_listened_to(
    sqlite_state: Store, enrich: Enrich, make_item: MakeItem
) -> None:
    item = make_item("asset", {"assets": [{"id": "secret"}]})

    assert await apply(sqlite_state, enrich, item) == [None]
