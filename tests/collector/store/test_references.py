"""Rows that name others which are not there are found, on either database."""

from datetime import UTC, datetime

import sqlalchemy as sa

from collector.store import schema
from collector.store.engine import Store
from collector.store.references import REFERENCES, Dangling, dangling
from tests.conftest import Office

NINE = datetime(2026, 3, 2, 1, tzinfo=UTC)


async def test_an_office_that_works_has_none_and_a_lost_incident_shows(state: Store, office: Office) -> None:
    async with state.write() as connection:
        finding = office.finding(NINE, facts={"declared_level": "III"})
        incident = await office.casework.open(connection, finding, NINE, NINE)
    async with state.read() as connection:
        assert [one async for one in dangling(connection)] == []

    async with state.write() as connection:
        await connection.execute(sa.delete(schema.incidents))
        found = {one.column: one async for one in dangling(connection)}
    assert {"clocks.incident", "alarms.incident"} <= set(found)
    assert found["clocks.incident"] == Dangling("clocks.incident", found["clocks.incident"].rows, incident)


def test_each_names_the_whole_key_of_another_table() -> None:
    assert [named.name for _, named in REFERENCES if list(named.table.primary_key) != [named]] == []
