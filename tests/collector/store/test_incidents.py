from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from collector.casework.findings import new_incident
from collector.store.engine import Store
from collector.store.incidents import (
    get_incident,
    insert_incident,
    lock_free,
    lock_incident,
    lock_live,
    update_incident,
)

if TYPE_CHECKING:
    from tests.conftest import Office

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)


async def test_an_incident_comes_back_as_it_was_written(state: Store, office: "Office") -> None:
    incident = new_incident(office.finding(NINE, evidence=({"path": "首页"},)), NINE, NINE)
    async with state.write() as connection:
        assert await insert_incident(connection, incident)
        assert await get_incident(connection, incident.id) == incident
        assert await lock_live(connection, incident.fingerprint) == incident
        assert await lock_free(connection, [incident.id, "another"]) == [incident]
        assert await get_incident(connection, "another") is None


async def test_a_second_live_incident_for_a_fingerprint_is_not_taken(state: Store, office: "Office") -> None:
    first = new_incident(office.finding(NINE), NINE, NINE)
    async with state.write() as connection:
        await insert_incident(connection, first)
        assert not await insert_incident(connection, new_incident(office.finding(NINE), NINE, NINE))

        await update_incident(connection, first, replace(first, closed_at=NINE, state="closed"))
        assert await lock_live(connection, first.fingerprint) is None
        assert await insert_incident(connection, new_incident(office.finding(NINE), NINE, NINE))


async def test_a_change_counts_the_version_on(sqlite_state: Store, office: "Office") -> None:
    old = new_incident(office.finding(NINE), NINE, NINE)
    async with sqlite_state.write() as connection:
        await insert_incident(connection, old)
        await update_incident(connection, old, old)
        assert await lock_incident(connection, old.id) == old

        await update_incident(connection, old, replace(old, klass="NADOS", count=7))
        assert await lock_incident(connection, old.id) == replace(old, klass="NADOS", count=7, version=2)


async def test_a_change_made_on_an_older_version_is_not_taken(sqlite_state: Store, office: "Office") -> None:
    old = new_incident(office.finding(NINE), NINE, NINE)
    async with sqlite_state.write() as connection:
        await insert_incident(connection, old)
        await update_incident(connection, old, replace(old, count=2))
        with pytest.raises(RuntimeError, match="changed without its lock, at version 1"):
            await update_incident(connection, old, replace(old, count=3))
