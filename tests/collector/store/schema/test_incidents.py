"""One incident stands for a fingerprint, until it is closed."""

import pytest
import sqlalchemy as sa

from collector.store.engine import Store
from collector.store.schema import incidents
from tests.collector.store.schema.test_columns import NINE
from tests.conftest import Office


async def test_a_second_open_incident_of_a_fingerprint_has_no_place_beside_a_closed_one_it_has(
    state: Store, office: Office
) -> None:
    async with state.write() as connection:
        first = await office.casework.open(connection, office.finding(NINE), NINE, NINE)
        row = dict((await connection.execute(sa.select(incidents))).mappings().one())
    with pytest.raises(sa.exc.IntegrityError):
        async with state.write() as connection:
            await connection.execute(sa.insert(incidents), row | {"id": "second"})

    async with state.write() as connection:
        await connection.execute(sa.update(incidents).values(closed_at=NINE))
        await connection.execute(sa.insert(incidents), row | {"id": "second"})
        found = (await connection.execute(sa.select(incidents.c.id))).scalars().all()
    assert sorted(found) == sorted([first, "second"])
