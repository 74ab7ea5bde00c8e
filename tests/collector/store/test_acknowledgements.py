from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from collector.store import journal
from collector.store.acknowledgements import (
    add_acknowledgement,
    end_acknowledgements,
    last_deeds,
    standing,
    used,
)
from collector.store.engine import Store

NINE = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


async def test_what_holds_comes_in_its_order_until_it_ends(state: Store) -> None:
    async with state.write() as connection:
        for number, actor in enumerate(("person:wang", "user:zhao")):
            await add_acknowledgement(
                connection, incident="i", actor=actor, way="desk", link=None, now=NINE + number * MINUTE
            )
        await add_acknowledgement(connection, incident="j", actor="person:li", way="link", link="n", now=NINE)
        assert [one.actor for one in await standing(connection, "i")] == ["person:wang", "user:zhao"]

        await end_acknowledgements(connection, ["i"], NINE + 5 * MINUTE)
        await end_acknowledgements(connection, [], NINE)
        assert await standing(connection, "i") == []
        assert len(await standing(connection, "j")) == 1


async def test_a_link_is_used_once(sqlite_state: Store) -> None:
    async with sqlite_state.write() as connection:
        assert await used(connection, "n") is None
        await add_acknowledgement(connection, incident="i", actor="person:li", way="link", link="n", now=NINE)
        found = await used(connection, "n")
        assert found is not None
        assert (found.incident, found.actor, found.at) == ("i", "person:li", NINE)

    with pytest.raises(sa.exc.IntegrityError):
        async with sqlite_state.write() as connection:
            await add_acknowledgement(
                connection, incident="i", actor="person:li", way="link", link="n", now=NINE
            )


async def test_only_what_people_do_is_a_deed(state: Store) -> None:
    deeds = [("person:wang", 1), ("user:li", 3), ("token:x", 2), ("system", 9), ("node:n", 8)]
    async with state.write() as connection:
        for actor, minute in deeds:
            entry = journal.Entry(
                actor=actor, action="incident.moved", subject="incident:i", incident="i", detail={}
            )
            await journal.write(connection, entry, NINE + minute * MINUTE)

        assert await last_deeds(connection, ["i", "j"]) == {"i": NINE + 3 * MINUTE}
        assert await last_deeds(connection, []) == {}
