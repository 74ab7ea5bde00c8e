from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from collector.store import schema, views
from collector.store.desk import AUDIT, EXITS, INCIDENTS, NODES, RECEIVED, facts_of, one, page
from collector.store.engine import Store
from tests.browser.watch_room import a_node, a_received, an_exit, casework, open_incident, shipped_registry

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
WORK = casework(shipped_registry())


async def put(state: Store, table: sa.Table, *rows: dict[str, object]) -> None:
    async with state.write() as conn:
        await conn.execute(sa.insert(table), list(rows))


async def test_pages_follow_each_other_while_rows_arrive(state: Store) -> None:
    first = [await open_incident(state, WORK, NOW + timedelta(seconds=second)) for second in range(3)]
    async with state.read() as conn:
        newest = await page(conn, INCIDENTS, limit=2)
    await open_incident(state, WORK, NOW + timedelta(seconds=9))
    async with state.read() as conn:
        older = await page(conn, INCIDENTS, after=newest.next, limit=2)

    assert [row.id for row in newest.items + older.items] == sorted(first, reverse=True)
    assert older.next is None


async def test_a_key_of_two_parts_is_paged_as_one(state: Store) -> None:
    keys = [("n1", "eth0"), ("n1", "wlan0"), ("n2", "eth0"), ("n2", "ppp0")]
    await put(state, schema.exits, *(an_exit(node, NOW, key=key) for node, key in keys))
    seen, after = [], None
    while True:
        async with state.read() as conn:
            found = await page(conn, EXITS, after=after, limit=1)
        seen += [(row.node, row.key) for row in found.items]
        after = found.next
        if after is None:
            break

    assert seen == keys


async def test_a_reader_sees_their_units_only(state: Store) -> None:
    hospital = await open_incident(state, WORK, NOW, unit="district-hospital", asset="hospital-his")
    await open_incident(state, WORK, NOW)
    await put(state, schema.received_filings, a_received(NOW), a_received(NOW, unit="city"))
    async with state.read() as conn:
        incidents = await page(conn, INCIDENTS, units=["district-hospital"])
        journal = await page(conn, AUDIT, units=["district-hospital"])
        received = await page(conn, RECEIVED, units=["city"])
        nothing = await page(conn, AUDIT, units=[])
        hidden = await one(conn, INCIDENTS, views.IncidentFile, (hospital,), units=["city"])
        seen = await one(conn, INCIDENTS, views.IncidentFile, (hospital,), units=["district-hospital"])

    assert [row.id for row in incidents.items] == [hospital]
    assert {row.incident for row in journal.items} == {hospital}
    assert [row.unit for row in received.items] == ["city"]
    assert nothing.items == []
    assert hidden is None
    assert seen
    assert seen.asset == "hospital-his"


async def test_only_columns_a_listing_names_may_be_asked_by(state: Store) -> None:
    async with state.read() as conn:
        with pytest.raises(KeyError):
            await page(conn, NODES, where=[("certificate_serial", "1")])


async def test_the_newest_of_what_a_node_said_is_there_by_kind(state: Store) -> None:
    node = a_node(NOW)
    await put(state, schema.nodes, node)
    stamped = {"node": node["id"], "observed_at": NOW, "received_at": NOW}
    await put(
        state,
        schema.node_facts,
        {**stamped, "kind": "heartbeat", "body": {"outbox_bytes": 0}},
        {**stamped, "kind": "asset", "body": {"host_name": "portal-1"}},
    )
    async with state.read() as conn:
        facts = await facts_of(conn, node["id"])

    assert [(fact.kind, fact.received_at) for fact in facts] == [("asset", NOW), ("heartbeat", NOW)]
