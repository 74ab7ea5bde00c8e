from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from msgspec.structs import replace

from collector.store import nodes, schema
from collector.store.engine import Store
from collector.store.exit_days import ExitDays, latest, read_days
from collector.store.exits import keep_exits
from tests.collector.store.test_exits import way

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
NODE = nodes.NodeRow(
    id="n",
    unit="county",
    kind="agent",
    state="active",
    host_name="h",
    machine_id="m",
    assets=[],
    certificate_serial="ab",
    certificate_expires=NOON + timedelta(days=90),
    enrolled_at=NOON,
)


async def count(
    state: Store, days: ExitDays, *verdicts: str, day: str = "2026-03-02", minutes: int = 0
) -> bool:
    now = NOON + timedelta(minutes=minutes)
    judged = [way(verdict, f"way/usb{n}/-/4") for n, verdict in enumerate(verdicts)]  # type: ignore[arg-type]
    async with state.write() as conn:
        changes = await keep_exits(conn, "n", "county", judged, now)
        changed = any(change.fresh for change in changes)
        return await days.keep(conn, "county", 1, day, now, changed=changed)


async def test_a_day_holds_its_last_count_and_the_next_day_is_a_row_of_its_own(state: Store) -> None:
    days = ExitDays()
    await count(state, days, "used", "available")
    await count(state, days, "used", minutes=10)
    await count(state, days, day="2026-03-03", minutes=24 * 60)

    async with state.read() as conn:
        rows = await read_days(conn, units=None)
        (last,) = await latest(conn)
    assert [(row.day, row.unsanctioned, row.outside, row.share) for row in rows] == [
        ("2026-03-02", 1, 1, 0.0),
        ("2026-03-03", 0, 0, None),
    ]
    assert last == rows[-1]


async def test_a_report_that_changes_nothing_is_not_counted_again(state: Store) -> None:
    days = ExitDays()

    assert await count(state, days, "used") is True
    assert await count(state, days, "used", minutes=10) is False
    assert await count(state, days, "used", day="2026-03-03", minutes=24 * 60) is True


async def test_a_unit_of_thousands_is_counted_every_some_seconds_and_then_in_full(
    state: Store,
) -> None:
    days = ExitDays()
    many = [
        {
            "node": f"n{n}", "key": "way/eth0/10.0.0.1/4", "unit": "county", "link": "eth0",
            "link_kind": "wired", "next_hop": "10.0.0.1", "addresses": [], "verdict": "sanctioned",
            "sanctioned_by": "unified", "evidence": {}, "first_seen": NOON, "last_seen": NOON,
        }
        for n in range(1000)
    ]  # fmt: skip
    async with state.write() as conn:
        await conn.execute(sa.insert(schema.exits), many)
    await count(state, days)

    assert await count(state, days, "used") is False
    assert await count(state, days, "used", minutes=1) is True
    async with state.read() as conn:
        (row,) = await read_days(conn, units=["county"])
    assert (row.behind, row.outside) == (1000, 1)


async def test_a_reader_sees_the_days_of_its_own_units_only(state: Store) -> None:
    await count(state, ExitDays(), "used")

    async with state.read() as conn:
        assert await read_days(conn, units=["elsewhere"]) == []


async def review(state: Store, days: ExitDays, declared: int, *, minutes: int) -> int:
    now = NOON + timedelta(minutes=minutes)
    if not days.due(now):
        return 0
    async with state.write() as conn:
        return await days.review(conn, {"county": declared}, lambda _: "2026-03-02", now)


async def figures(state: Store) -> tuple[int, int, int, int]:
    async with state.read() as conn:
        (row,) = await latest(conn)
    return row.declared, row.nodes, row.outside, row.unsanctioned


async def test_an_exit_that_the_register_names_from_now_on_is_counted_without_a_verdict_that_changes(
    state: Store,
) -> None:
    days = ExitDays()
    await count(state, days, "used")
    assert await review(state, days, 1, minutes=1) == 0
    assert not days.due(NOON + timedelta(seconds=119))
    assert await review(state, days, 3, minutes=2) == 1
    assert await review(state, days, 3, minutes=4) == 0

    assert await figures(state) == (3, 0, 1, 1)


async def test_a_node_that_is_taken_out_is_counted_no_more_nor_are_its_ways(state: Store) -> None:
    """Though no other node of the unit ever tells anything again."""
    days = ExitDays()
    async with state.write() as conn:
        await nodes.add_node(conn, NODE)
    await count(state, days, "used", "available")
    assert await figures(state) == (1, 1, 1, 2)

    async with state.write() as conn:
        assert await nodes.revoke_node(conn, "n", NOON)
        gone = (await conn.execute(sa.select(schema.exits.c.gone_at))).scalars().all()
    assert gone == [NOON, NOON]
    assert await review(state, days, 1, minutes=5) == 1
    assert await figures(state) == (1, 0, 0, 0)


async def test_a_host_that_a_rebuilt_one_took_the_place_of_is_counted_once(state: Store) -> None:
    days = ExitDays()
    async with state.write() as conn:
        await nodes.add_node(conn, NODE)
    await count(state, days, "used")
    async with state.write() as conn:
        rebuilt = replace(NODE, id="m", enrolled_at=NOON)
        await nodes.add_node(conn, rebuilt)
        assert await nodes.replace_namesakes(conn, rebuilt, NOON + timedelta(minutes=1)) == ["n"]
    assert await review(state, days, 1, minutes=5) == 1

    assert await figures(state) == (1, 1, 0, 0)
