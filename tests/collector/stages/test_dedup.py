from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from msgspec.structs import replace

from collector.stages import Item
from collector.stages.dedup import Dedup
from collector.store.engine import Store
from collector.store.facts import NodeRow

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
BODY: dict[str, Any] = {"key": "k", "class": "NACRED", "first_seen": NOON, "last_seen": NOON}


async def test_an_incident_report_passes_once_a_node_and_id(
    sqlite_state: Store, make_item: Callable[..., Item]
) -> None:
    item = make_item("incident", BODY)
    other = replace(item, node=NodeRow(id="other", unit="county", host_name="h", assets=[]))
    async with sqlite_state.write() as conn:
        passed = [await Dedup().apply(conn, one) for one in (item, item, other, replace(item, id="r2"))]

    assert [one is not None for one in passed] == [True, False, True, True]


async def test_telemetry_passes_however_often_it_is_told(
    sqlite_state: Store, make_item: Callable[..., Item]
) -> None:
    item = make_item("heartbeat", {})
    async with sqlite_state.write() as conn:
        assert [await Dedup().apply(conn, item) for _ in range(2)] == [item, item]
