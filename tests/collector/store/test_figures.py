from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from collector.store import schema
from collector.store.drills import add_drill
from collector.store.engine import Store
from collector.store.figures import Reader, metrics_listeners
from tests.browser.watch_room import a_node, an_exit, casework, open_incident, shipped_registry
from tests.collector.store.test_drills import a_drill

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
REGISTRY = shipped_registry()
WORK = casework(REGISTRY)


def reader(state: Store, fresh: timedelta = timedelta(0)) -> Reader:
    return Reader(state, lambda: REGISTRY, "district", fresh=fresh, since=NOW)


async def put(state: Store, table: sa.Table, *rows: dict[str, object]) -> None:
    async with state.write() as conn:
        await conn.execute(sa.insert(table), list(rows))


async def test_an_empty_collector_has_zeroes_and_no_times(state: Store) -> None:
    figures = await reader(state).read(NOW)

    assert figures.nodes == {}
    assert figures.incidents == {"I": 0, "II": 0, "III": 0, "IV": 0}
    assert (figures.next_due, figures.oldest_notice, figures.silent_agents) == (None, None, 0)


async def test_nodes_are_counted_by_the_zone_and_grade_the_register_gives_them(state: Store) -> None:
    quiet = NOW - timedelta(minutes=6)
    await put(
        state,
        schema.nodes,
        a_node(NOW),
        a_node(NOW, assets=["city-platform", "district-oa"], last_seen=quiet),
        a_node(NOW, assets=["gone"], state="revoked", last_seen=quiet),
    )
    await put(
        state,
        schema.exits,
        an_exit("n", NOW, verdict="used", gone_at=None),
        an_exit("n", NOW, key="x", gone_at=NOW),
    )
    figures = await reader(state).read(NOW)

    assert figures.nodes == {
        ("active", "internet", "3"): 1,
        ("active", "extranet", "4"): 1,
        ("revoked", "unknown", "unknown"): 1,
    }
    assert figures.silent_agents == 1
    assert (figures.exits["used"], figures.exits["sanctioned"]) == (1, 0)


async def test_active_nodes_are_counted_by_what_is_noted_at_them(state: Store) -> None:
    failed = {"kind": "update_rolled_back", "version": "0.2.0"}
    differ = [{"kind": "unknown_asset", "asset": key} for key in ("a", "b")]
    await put(
        state,
        schema.nodes,
        a_node(NOW, findings=[failed, *differ]),
        a_node(NOW, findings=[failed]),
        a_node(NOW, findings=[failed], state="revoked"),
    )
    figures = await reader(state).read(NOW)

    assert figures.node_findings == {
        "asset_not_enrolled": 0,
        "settings_rolled_back": 0,
        "filing_number_differs": 0,
        "grade_differs": 0,
        "unknown_asset": 1,
        "update_refused": 0,
        "update_rolled_back": 2,
    }


async def test_incidents_clocks_and_targets_are_counted(state: Store) -> None:
    await open_incident(state, WORK, NOW)
    figures = await reader(state).read(NOW)

    assert figures.incidents["IV"] == 1
    assert figures.obligations == {"no_number": 1}
    assert (figures.next_due, figures.next_target) == (None, NOW + timedelta(minutes=30))


async def test_drills_are_counted_by_kind_and_units_by_what_they_lack(state: Store) -> None:
    none = await reader(state).read(NOW)
    async with state.write() as conn:
        for number, change in enumerate(({"state": "done", "kind": "special"}, {"kind": "comprehensive"})):
            drill = a_drill(id=f"d{number}", unit="district", units=["district"], **change)
            await add_drill(conn, drill, "user:wang")
    some = await reader(state).read(NOW)
    december = await reader(state).read(NOW.replace(month=12))

    below = len(REGISTRY.below("district"))
    assert (none.drills_held, none.units_lacking["no_drill"]) == ({"comprehensive": 0, "special": 0}, below)
    assert (some.drills_held["special"], some.units_lacking["no_drill"]) == (1, below - 1)
    assert some.units_lacking["no_plan_next_year"] == 0
    assert december.units_lacking["no_plan_next_year"] == below


async def test_an_alarms_lateness_is_counted_once(state: Store) -> None:
    follower = reader(state)
    await follower.read(NOW)
    alarm = {"incident": "i", "clock": "c", "kind": "due", "at": NOW, "state": "fired"}
    fired = [
        {**alarm, "id": "a", "fired_at": NOW + timedelta(seconds=0.25)},
        {**alarm, "id": "b", "generation": 2, "fired_at": NOW + timedelta(seconds=7)},
        {**alarm, "id": "old", "generation": 3, "fired_at": NOW - timedelta(minutes=2)},
    ]
    await put(state, schema.alarms, *({"generation": 1} | one for one in fired))

    first = await follower.read(NOW + timedelta(seconds=10))
    again = await follower.read(NOW + timedelta(seconds=80))

    assert first.lateness == again.lateness
    assert (sum(first.lateness.counts), first.lateness.total) == (2, 7.25)


async def test_scrapes_that_come_together_share_one_reading(state: Store) -> None:
    shared = reader(state, timedelta(seconds=2))
    first = await shared.read(NOW)
    await put(state, schema.nodes, a_node(NOW))

    assert await shared.read(NOW + timedelta(seconds=1)) is first
    assert (await shared.read(NOW + timedelta(seconds=2))).nodes


async def test_a_listener_is_known_by_the_last_heartbeat(state: Store) -> None:
    node = a_node(NOW)
    fact = {"node": node["id"], "kind": "heartbeat", "body": {"metrics_address": "10.20.0.7:9464"}}
    await put(state, schema.nodes, node)
    await put(state, schema.node_facts, {**fact, "observed_at": NOW, "received_at": NOW})
    async with state.read() as conn:
        [listener] = await metrics_listeners(conn, units=None)
        assert await metrics_listeners(conn, units=["city"]) == []

    assert (listener.node, listener.address) == (node["id"], "10.20.0.7:9464")


async def test_a_year_of_working_days_is_missing_from_november_on(state: Store) -> None:
    years = [
        {"region": "CN", "year": 2026, "confirmed": True, "source": "s", "filled_at": NOW},
        {"region": "CN", "year": 2027, "confirmed": False, "source": "s", "filled_at": NOW},
        {"region": "GB", "year": 2027, "confirmed": True, "source": "s", "filled_at": NOW},
    ]
    await put(state, schema.calendar_year, *years)
    october, november = datetime(2026, 10, 31, 23, 59, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)

    assert (await reader(state).read(october)).calendars_missing == {}
    assert (await reader(state).read(november)).calendars_missing == {"CN": 1}


async def test_orders_are_counted_by_kind_and_how_they_ended(state: Store) -> None:
    columns = {"node": "n", "params": {}, "issued_at": NOW, "deadline": NOW}
    ends = [
        ("block_address", "done"),
        ("block_address", "refused"),
        ("rescan", "refused"),
        ("rescan", "refused"),
    ]
    rows = [
        columns | {"id": str(number), "key": str(number), "kind": kind, "state": end}
        for number, (kind, end) in enumerate(ends)
    ]
    await put(state, schema.orders, *rows)

    assert (await reader(state).read(NOW)).orders == {
        ("block_address", "done"): 1,
        ("block_address", "refused"): 1,
        ("rescan", "refused"): 2,
    }
