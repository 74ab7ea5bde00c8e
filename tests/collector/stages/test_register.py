"""What collectors below tell of exits; who is none, and what is no register, ends in the journal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from collector.stages.register import Register
from collector.store.exit_days import latest
from collector.store.schema import journal, nodes
from tests.collector.stages.conftest import NOON

if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.stages import Item
    from collector.store.engine import Store
    from tests.conftest import Office

DAY: dict[str, Any] = {
    "unit": "elsewhere", "day": "2026-03-02", "declared": 1, "observed": 2, "unsanctioned": 1, "nodes": 3,
    "outside": 1, "behind": 2, "counted_at": NOON.isoformat(),
}  # fmt: skip


async def enrol(store: Store, kind: str) -> None:
    row = {column.name: "" for column in nodes.c if not column.nullable}
    row |= {"id": "n", "unit": "county", "kind": kind, "state": "active", "assets": [], "findings": []}
    row |= {"certificate_expires": NOON, "enrolled_at": NOON}
    async with store.write() as conn:
        await conn.execute(sa.insert(nodes).values(**row))


async def apply(store: Store, office: Office, item: Item) -> list[dict[str, Any]]:
    """Apply the stage; return the findings."""
    async with store.write() as conn:
        assert await Register(lambda: office.registry).apply(conn, item) is item
        return list((await conn.execute(sa.select(journal.c.detail))).scalars())


async def test_a_collectors_days_are_kept_under_its_unit_where_this_register_knows_no_other(
    sqlite_state: Store, office: Office, make_item: Callable[..., Item]
) -> None:
    await enrol(sqlite_state, "collector")
    assert await apply(sqlite_state, office, make_item("heartbeat", {"exit_days": [DAY]})) == []
    async with sqlite_state.read() as conn:
        assert [(row.unit, row.outside) for row in await latest(conn)] == [("county", 1)]


async def test_an_agent_tells_nothing_of_units(
    sqlite_state: Store, office: Office, make_item: Callable[..., Item]
) -> None:
    await enrol(sqlite_state, "agent")
    (finding,) = await apply(sqlite_state, office, make_item("heartbeat", {"exit_days": [DAY]}))
    assert (finding["finding"], finding["why"]) == ("exit_days_refused", "it is no collector")
    async with sqlite_state.read() as conn:
        assert await latest(conn) == []


@pytest.mark.parametrize(
    "days",
    [
        None,
        {},
        "all",
        [{}],
        [DAY | {"outside": -1}],
        [DAY | {"nodes": 10**12}],
        [DAY | {"day": "yesterday"}],
        [DAY | {"unit": ""}],
        [DAY | {"unit": "x" * 1000}],
        [DAY | {"counted_at": "noon"}],
    ],
)
async def test_what_is_no_register_is_told_and_stops_nothing(
    sqlite_state: Store, office: Office, make_item: Callable[..., Item], days: object
) -> None:
    await enrol(sqlite_state, "collector")
    (finding,) = await apply(sqlite_state, office, make_item("heartbeat", {"exit_days": days}))
    assert finding["finding"] == "exit_days_refused"
    assert "$.exit_days" in finding["why"]


async def test_other_reports_and_heartbeats_go_by(
    sqlite_state: Store, office: Office, make_item: Callable[..., Item]
) -> None:
    assert await apply(sqlite_state, office, make_item("heartbeat", {"version": "1"})) == []
