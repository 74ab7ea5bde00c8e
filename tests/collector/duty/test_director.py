"""The director: what the script says happens at its time, once, whoever dies; nothing starts by itself."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from collector.app.drilling import make_director
from collector.drills import Event
from collector.drills.script import Begun, Message
from collector.duty.director import Director, DrillRefusedError
from collector.statement import Words
from collector.store import schema
from collector.store.drills import (
    Drill,
    add_drill,
    drill_of_incident,
    events_of,
    get_drill,
    incidents_of_drill,
)
from collector.store.engine import Store
from collector.store.incidents import Incident, get_incident
from tests.collector.store.test_drills import a_drill

if TYPE_CHECKING:
    from tests.conftest import Office

NINE = datetime(2026, 3, 2, 1, tzinfo=UTC)
WANG = "user:wang"


class Room:
    """Where a drill is played; its clock goes only where the test sends it."""

    def __init__(self, store: Store, office: "Office") -> None:
        self.store = store
        self.office = office
        self.now = NINE

    def director(self) -> Director:
        """As after a restart."""
        return make_director(
            self.store, self.office.casework, lambda: self.office.registry, "zh", lambda: self.now
        )

    async def start(self, **changes: object) -> None:
        async with self.store.write() as conn:
            await add_drill(conn, a_drill(**changes), WANG)
            await self.director().start(conn, "d1", WANG, self.now)

    async def at(self, minutes: int) -> timedelta:
        self.now = NINE + timedelta(minutes=minutes)
        return await self.director().step()

    async def incident(self, name: str = "first") -> Incident:
        async with self.store.read() as conn:
            found = await get_incident(conn, (await incidents_of_drill(conn, "d1"))[name])
        assert found is not None
        return found

    async def states(self) -> list[str]:
        async with self.store.read() as conn:
            return [event.state for event in await events_of(conn, "d1")]

    async def drill(self) -> Drill:
        async with self.store.read() as conn:
            found = await get_drill(conn, "d1")
        assert found is not None
        return found

    async def told(self) -> list[tuple[str, str, bool]]:
        async with self.store.read() as conn:
            query = sa.select(schema.notices).order_by(schema.notices.c.key)
            rows = (await conn.execute(query)).mappings()
            return [(row["person"], row["payload"]["body"], row["drill"]) for row in rows]


@pytest.fixture
def room(state: Store, office: "Office") -> Room:
    return Room(state, office)


async def test_what_the_script_says_happens_at_its_time_and_once(room: Room) -> None:
    await room.start()
    assert await room.at(0) == timedelta(seconds=5)
    assert await room.states() == ["done", "armed", "armed", "armed", "armed"]
    assert (await room.incident()).facts["homepage_tampered_since"] == "2026-03-02T00:55:00+00:00"

    await room.at(16)
    await room.at(16)
    assert await room.states() == ["done", "done", "done", "done", "armed"]
    assert (await room.incident("second")).klass == "NADOS"
    assert (await room.incident("second")).plan_hint is None

    await room.at(20)
    assert (await room.incident()).facts["reposts"] == 12000
    async with room.store.read() as conn:
        assert await drill_of_incident(conn, (await room.incident()).id) == await room.drill()


async def test_everything_people_are_told_bears_the_mark(room: Room) -> None:
    await room.start()
    await room.at(15)
    told = await room.told()

    assert [person for person, _, _ in told] == ["wang", "zhao"]
    assert "联系不上" in told[0][1]
    assert told[1][1] == "【演练】记者来电"
    assert all(drill and body.startswith("【演练】") for _, body, drill in told)


async def test_it_ends_in_its_time_and_keeps_its_score(room: Room) -> None:
    await room.start()
    await room.at(1)
    await room.at(181)
    drill = await room.drill()

    assert (drill.state, drill.ended_at) == ("done", room.now)
    assert drill.sheet is not None
    assert drill.sheet["counts"]["missed"] >= 1
    assert (await room.incident()).state == "closed"
    assert "armed" not in await room.states()
    async with room.store.read() as conn:
        left = (await conn.execute(sa.select(schema.clocks.c.state).distinct())).scalars().all()
        armed = sa.select(schema.alarms.c.id).where(schema.alarms.c.state == "armed")
        assert (left, (await conn.execute(armed)).all()) == (["withdrawn"], [])


async def test_a_drill_without_script_or_under_way_is_not_started(room: Room) -> None:
    async with room.store.write() as conn:
        await add_drill(conn, a_drill(script=None), WANG)
        for key, said in (("d1", "no script"), ("d2", "there is none")):
            with pytest.raises(DrillRefusedError, match=said):
                await room.director().start(conn, key, WANG, NINE)


async def test_who_directs_may_inject_more_but_only_while_it_runs(room: Room) -> None:
    more = Event(
        at=timedelta(minutes=2), message=Message(to="duty", text=Words("市里来电", "the city calls"))
    )
    twice = Event(at=timedelta(0), incident=Begun(klass="NADOS", title=Words("甲", "a"), name="second"))
    await room.start()
    async with room.store.write() as conn:
        assert await room.director().inject(conn, "d1", more, WANG, room.now) == 6
        with pytest.raises(DrillRefusedError, match="taken"):
            await room.director().inject(conn, "d1", twice, WANG, room.now)
    await room.at(2)
    assert [body for _, body, _ in await room.told()] == ["【演练】市里来电"]

    async with room.store.write() as conn:
        await room.director().end(conn, "d1", WANG, room.now)
        for deed in (
            room.director().inject(conn, "d1", more, WANG, room.now),
            room.director().end(conn, "d1", WANG, room.now),
            room.director().cancel(conn, "d1", WANG, room.now, "x"),
        ):
            with pytest.raises(DrillRefusedError, match="found done"):
                await deed


async def test_a_planned_drill_may_be_taken_out_of_the_plan(room: Room) -> None:
    async with room.store.write() as conn:
        await add_drill(conn, a_drill(), WANG)
        await room.director().cancel(conn, "d1", WANG, NINE, "flood")

    assert (await room.drill()).state == "cancelled"
    assert await room.at(600) == timedelta(seconds=5)
    assert await room.told() == []
