from datetime import UTC, datetime, timedelta, timezone

import pytest
import sqlalchemy as sa

from collector.store.engine import Store
from collector.store.schema import Instant, journal

NINE = datetime(2026, 3, 2, 9, 0, 0, 1, tzinfo=UTC)


@pytest.mark.parametrize("at", [NINE, NINE.astimezone(timezone(timedelta(hours=8)))])
async def test_a_point_in_time_comes_back_in_utc_whatever_zone_it_had(state: Store, at: datetime) -> None:
    async with state.read() as connection:
        found = (await connection.execute(sa.select(sa.literal(at, Instant)))).scalar_one()

    assert found == NINE
    assert found.tzinfo is UTC


async def test_a_time_without_a_zone_has_no_place_in_storage(sqlite_state: Store) -> None:
    naive = NINE.replace(tzinfo=None)
    async with sqlite_state.read() as connection:
        with pytest.raises(sa.exc.StatementError, match="naive time"):
            await connection.execute(sa.select(sa.literal(naive, Instant)))


async def test_points_in_time_sort_in_storage_as_they_do_in_life(state: Store) -> None:
    times = [NINE + timedelta(microseconds=step) for step in (0, 1, 999_999, 10**7)]
    row = dict.fromkeys(journal.c.keys(), "") | {"chain": "c", "detail": {}}
    async with state.write() as connection:
        for n, at in enumerate(reversed(times)):
            await connection.execute(sa.insert(journal), {**row, "id": n, "n": n, "at": at})
        found = (await connection.execute(sa.select(journal.c.at).order_by(journal.c.at))).scalars().all()

    assert found == times
