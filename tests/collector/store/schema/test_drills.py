"""An incident belongs to one drill: what is practised there never counts as real elsewhere."""

import pytest
import sqlalchemy as sa

from collector.store.engine import Store
from collector.store.schema import drill_incidents


async def test_an_incident_is_of_one_drill(state: Store) -> None:
    row = {"incident": "i", "drill": "a", "name": "first"}
    with pytest.raises(sa.exc.IntegrityError):
        async with state.write() as connection:
            await connection.execute(sa.insert(drill_incidents), [row, row | {"drill": "b"}])
