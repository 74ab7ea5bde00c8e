"""What became of an agent's update stands at its node until it is mended, beside what else is noted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from collector.stages.enrich import Enrich
from collector.stages.upkeep import Upkeep
from collector.store.facts import node_rows
from collector.store.schema import journal, nodes
from tests.collector.stages.conftest import NOON

if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.stages import Item
    from collector.store.engine import Store
    from tests.conftest import Office

BACK = {
    "state": "rolled_back",
    "version": "0.2.0",
    "before": "0.1.0",
    "why": "no answer within 180 s",
    "at": "2026",
}
NOTED = {"kind": "update_rolled_back", "version": "0.2.0", "before": "0.1.0", "why": "no answer within 180 s"}


async def enrol(store: Store) -> None:
    row = {column.name: "" for column in nodes.c if not column.nullable}
    row |= {"id": "n", "unit": "county", "kind": "agent", "state": "active", "assets": ["portal"]}
    row |= {"findings": [], "certificate_expires": NOON, "enrolled_at": NOON}
    async with store.write() as conn:
        await conn.execute(sa.insert(nodes).values(**row))


async def hear(
    store: Store, stage: Upkeep | Enrich, make_item: Callable[..., Item], kind: str, body: dict[str, Any]
) -> list[dict[str, Any]]:
    """Let a stage act on a node's report; return what is noted at the node."""
    async with store.write() as conn:
        node = (await node_rows(conn, ["n"]))["n"]
        await stage.apply(conn, make_item(kind, body, node=node))
        return (await node_rows(conn, ["n"]))["n"].findings


async def entries(store: Store) -> int:
    async with store.read() as conn:
        return (await conn.execute(sa.select(sa.func.count()).select_from(journal))).scalar_one()


async def test_an_update_that_was_taken_back_is_noted_once_and_gone_when_one_is_installed(
    state: Store, make_item: Callable[..., Item]
) -> None:
    await enrol(state)
    for at in ("09:00", "10:00"):
        assert await hear(state, Upkeep(), make_item, "heartbeat", {"update": BACK | {"at": at}}) == [NOTED]
    assert await entries(state) == 1
    assert await hear(state, Upkeep(), make_item, "heartbeat", {"update": {"state": "installed"}}) == []
    assert await entries(state) == 2


async def test_it_stays_beside_what_differs_from_the_register(
    sqlite_state: Store, office: Office, make_item: Callable[..., Item]
) -> None:
    await enrol(sqlite_state)
    enrich = Enrich(lambda: office.registry)
    stranger = {"host_name": "h", "assets": [{"id": "stranger"}]}
    await hear(sqlite_state, Upkeep(), make_item, "heartbeat", {"update": BACK})
    noted = await hear(sqlite_state, enrich, make_item, "asset", stranger)
    assert {one["kind"] for one in noted} == {"unknown_asset", "update_rolled_back"}
    assert await hear(sqlite_state, enrich, make_item, "asset", stranger) == noted
    assert [
        one["kind"] for one in await hear(sqlite_state, Upkeep(), make_item, "heartbeat", {"update": {}})
    ] == ["unknown_asset"]


@pytest.mark.parametrize(
    "update", [None, 7, [], {"state": 3}, {"state": "current"}, {"state": "trial", "version": "0.2.0"}]
)
async def test_nothing_else_is_noted(
    sqlite_state: Store, make_item: Callable[..., Item], update: object
) -> None:
    await enrol(sqlite_state)
    assert await hear(sqlite_state, Upkeep(), make_item, "heartbeat", {"update": update}) == []
    assert await entries(sqlite_state) == 0


async def test_a_nodes_own_words_are_cut(sqlite_state: Store, make_item: Callable[..., Item]) -> None:
    await enrol(sqlite_state)
    told = {"state": "refused", "version": ["0.2.0"], "why": "x" * 9000}
    (noted,) = await hear(sqlite_state, Upkeep(), make_item, "heartbeat", {"update": told})
    assert noted == {"kind": "update_refused", "why": "x" * 300}


async def test_settings_that_a_node_rolled_back_are_noted_until_it_holds_newer_ones(
    sqlite_state: Store, make_item: Callable[..., Item]
) -> None:
    await enrol(sqlite_state)
    noted = {"kind": "settings_rolled_back", "version": "4", "before": "3"}
    back = {"version": 3, "state": "kept", "refused": 4}
    assert await hear(sqlite_state, Upkeep(), make_item, "heartbeat", {"pushed": back}) == [noted]
    both = await hear(sqlite_state, Upkeep(), make_item, "heartbeat", {"pushed": back, "update": BACK})
    assert both == [NOTED, noted]
    newer = {"version": 5, "state": "kept", "refused": 4}
    assert await hear(sqlite_state, Upkeep(), make_item, "heartbeat", {"pushed": newer}) == []


@pytest.mark.parametrize(
    "pushed", [None, 3, {}, {"version": 3, "state": "kept"}, {"refused": "9", "version": 1}, {"refused": 9}]
)
async def test_pushed_settings_that_hold_are_no_finding(
    sqlite_state: Store, make_item: Callable[..., Item], pushed: object
) -> None:
    await enrol(sqlite_state)
    assert await hear(sqlite_state, Upkeep(), make_item, "heartbeat", {"pushed": pushed}) == []
