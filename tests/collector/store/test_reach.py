"""Since when nobody could be reached: by what got through last, and what should have since."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from collector.store import schema
from collector.store.engine import Store
from collector.store.reach import LOOKED_AT, unreached_since
from wire.ids import uuid7

NINE = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


def minute(number: int) -> datetime:
    return NINE + timedelta(minutes=number)


async def after(
    state: Store, *told: tuple[int, str], person: str | None = "wang", drill: bool = False
) -> int | None:
    """Since which minute nobody was reached after notices that were made at a minute and are in a state."""
    rows = [
        {
            "id": uuid7(minute(at)), "key": uuid7(minute(at)), "incident": "i", "person": person,
            "channel": "c", "payload": {}, "state": how, "attempts": 1, "created_at": minute(at),
            "next_at": minute(at),
            "fence": 1, "sent_at": minute(at) if how == "sent" else None, "drill": drill,
        }
        for at, how in told
    ]  # fmt: skip
    async with state.write() as conn:
        await conn.execute(sa.insert(schema.notices), rows)
    async with state.read() as conn:
        since = await unreached_since(conn)
    return None if since is None else (since - NINE) // timedelta(minutes=1)


@pytest.mark.parametrize("state_of_it", ["waiting", "sending", "failed", "unknown"])
async def test_nobody_is_reached_since_the_first_that_did_not_get_through(
    sqlite_state: Store, state_of_it: str
) -> None:
    assert await after(sqlite_state, (0, "failed"), (1, "sent"), (2, state_of_it), (3, "waiting")) == 2


async def test_whoever_is_told_later_is_reached(state: Store) -> None:
    assert await after(state, (1, "waiting"), (2, "sent")) is None


async def test_where_nobody_was_ever_reached_it_is_the_first(sqlite_state: Store) -> None:
    assert await after(sqlite_state, (3, "waiting"), (4, "failed")) == 3


async def test_machines_and_drills_reach_nobody_and_are_not_missed(sqlite_state: Store) -> None:
    await after(sqlite_state, (1, "waiting"))
    await after(sqlite_state, (2, "sent"), person=None)
    assert await after(sqlite_state, (2, "sent"), (3, "failed"), drill=True) == 1


async def test_a_storm_is_looked_at_from_its_end(sqlite_state: Store) -> None:
    storm = [(2, "failed")] * LOOKED_AT

    assert await after(sqlite_state, (1, "waiting"), *storm) == 2
