"""A day of a region is worked or not, never both."""

from datetime import date

import pytest
import sqlalchemy as sa

from collector.store.engine import Store
from collector.store.schema import calendar_day


async def test_a_day_stands_once(state: Store) -> None:
    row = {"region": "CN", "day": date(2026, 10, 1), "working": False, "name": "国庆节"}
    with pytest.raises(sa.exc.IntegrityError):
        async with state.write() as connection:
            await connection.execute(sa.insert(calendar_day), [row, row | {"working": True}])
