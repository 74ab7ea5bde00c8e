"""The exit register of collectors below beside one's own, on both databases."""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from collector.store.engine import Store
from collector.store.exit_days import latest, read_days
from collector.store.exits_below import Day, counted_since, keep_told
from collector.store.schema import exit_days

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def day(unit: str, outside: int, *, on: str = "2026-03-02", at: datetime = NOON, behind: int = 6) -> Day:
    return Day(
        unit=unit, day=on, declared=1, observed=1 + outside, unsanctioned=outside, nodes=9,
        outside=outside, behind=behind, counted_at=at,
    )  # fmt: skip


async def tell(state: Store, node: str, *days: Day, now: datetime = NOON) -> None:
    beneath = {"county", "town"}
    async with state.write() as conn:
        await keep_told(conn, node, days, lambda unit: unit if unit in beneath else "county", now)


async def count_own(state: Store, unit: str, outside: int, behind: int = 0) -> None:
    values = {"unit": unit, "day": "2026-03-02", "declared": 1, "observed": 1, "unsanctioned": outside}
    values |= {"nodes": 2, "outside": outside, "behind": behind}
    async with state.write() as conn:
        await conn.execute(sa.insert(exit_days).values(**values, share=0.0, counted_at=NOON))


async def test_what_is_told_stands_beside_what_is_counted_here(state: Store) -> None:
    await count_own(state, "city", 1, behind=1)
    await tell(state, "n1", day("county", 2), day("town", 0))
    async with state.read() as conn:
        rows = {row.unit: row for row in await latest(conn)}

    assert {unit: (row.outside, row.share) for unit, row in rows.items()} == {
        "city": (1, 0.5),
        "county": (2, 0.75),
        "town": (0, 1.0),
    }


async def test_units_that_are_not_known_here_are_counted_with_their_collectors(state: Store) -> None:
    await tell(state, "n1", day("county", 2), day("school", 3), day("clinic", 0, behind=0))
    async with state.read() as conn:
        (row,) = await latest(conn)

    assert (row.unit, row.outside, row.behind, row.nodes, row.declared) == ("county", 5, 12, 27, 3)
    assert row.share == 12 / 17


async def test_a_unit_no_node_of_which_goes_out_has_no_share(state: Store) -> None:
    await tell(state, "n1", day("county", 0, behind=0))
    async with state.read() as conn:
        assert (await latest(conn))[0].share is None


async def test_the_newest_count_stands_however_often_and_in_whatever_order_it_is_told(state: Store) -> None:
    await tell(state, "n1", day("county", 4, at=NOON + HOUR))
    await tell(state, "n1", day("county", 9))
    await tell(state, "n1", day("county", 4, at=NOON + HOUR))
    await tell(state, "n1", day("county", 1, at=NOON + 2 * HOUR), day("county", 7, on="2026-03-01"))
    async with state.read() as conn:
        days = await read_days(conn, units=None)

    assert [(row.day, row.outside) for row in days] == [("2026-03-01", 7), ("2026-03-02", 1)]


async def test_what_goes_further_up_is_what_was_learnt_since_a_part_at_a_time(state: Store) -> None:
    for hour in range(5):
        told = [day(f"unit-{hour}-{number}", 1, at=NOON - 9 * HOUR) for number in range(3)]
        await tell(state, f"n{hour}", *told, now=NOON + hour * HOUR)
        await count_own(state, f"own-{hour}", 1)
    mark, seen = None, []
    async with state.read() as conn:
        while part := await counted_since(conn, mark, most=2):
            seen += part
            mark = part[-1].counted_at

    # Those that are not known here go up with the county, day by day; its moment is that of the last word.
    assert sorted(one.unit for one in seen) == ["county", *(f"own-{hour}" for hour in range(5))]
    assert next(one for one in seen if one.unit == "county").outside == 15
    async with state.read() as conn:
        assert await counted_since(conn, NOON + 3 * HOUR, most=2) == seen[-1:]
