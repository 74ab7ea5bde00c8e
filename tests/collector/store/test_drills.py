"""Drills as rows: the plan, the events, the incidents that belong to one, and those announced from below."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from collector.drills import read_script
from collector.store import journal
from collector.store.drills import (
    Drill,
    add_drill,
    add_drill_incident,
    all_announced,
    all_drills,
    arm_events,
    cancel_events,
    change_drill,
    decide_announced,
    drill_of_incident,
    drills_with_work,
    events_of,
    get_drill,
    incidents_of_drill,
    next_moment,
    take_announced,
)
from collector.store.drills import DrillEvent as Row
from collector.store.engine import Store
from tests.collector.drills.scripts import SCRIPT
from wire.messages import VERSION, DrillNotice

NINE = datetime(2026, 3, 2, 1, tzinfo=UTC)


def a_drill(**changes: Any) -> Drill:  # noqa: ANN401 - fields of a drill
    script = read_script(SCRIPT, "drill.yaml")
    values: dict[str, Any] = {
        "id": "d1",
        "unit": "county",
        "units": ["county"],
        "name": script.name.zh,
        "name_en": script.name.en,
        "form": script.form,
        "scope": script.scope,
        "kind": script.kind,
        "state": "planned",
        "script": msgspec.json.decode(msgspec.json.encode(script)),
        "planned_at": NINE,
        "created_by": "user:wang",
        "created_at": NINE,
    }
    return Drill(**values | changes)


def event(n: int, minutes: int) -> Row:
    at = NINE + timedelta(minutes=minutes)
    return Row(drill="d1", n=n, at=at, kind="message", body={}, state="armed")


async def test_a_drill_comes_back_as_it_was_planned(state: Store) -> None:
    async with state.write() as conn:
        await add_drill(conn, a_drill(), "user:wang")
        found = await get_drill(conn, "d1", lock=True)

    assert found == a_drill()
    assert found.written == read_script(SCRIPT, "drill.yaml")
    assert found.held.units == ("county",)


async def test_work_is_what_is_due_in_running_drills(state: Store) -> None:
    async with state.write() as conn:
        await add_drill(conn, a_drill(), "user:wang")
        await arm_events(conn, [event(1, 10), event(2, 20)])
        assert await drills_with_work(conn, NINE + timedelta(hours=9)) == []
        await change_drill(conn, "d1", state="running", ends_at=NINE + timedelta(hours=1))
        assert await next_moment(conn) == NINE + timedelta(minutes=10)
        assert await drills_with_work(conn, NINE) == []
        assert await drills_with_work(conn, NINE + timedelta(minutes=10)) == ["d1"]
        await cancel_events(conn, "d1", NINE)
        assert {one.state for one in await events_of(conn, "d1")} == {"cancelled"}
        assert await next_moment(conn) == NINE + timedelta(hours=1)
        assert await drills_with_work(conn, NINE + timedelta(hours=1)) == ["d1"]


async def test_an_incident_knows_its_drill(state: Store) -> None:
    async with state.write() as conn:
        await add_drill(conn, a_drill(), "user:wang")
        await add_drill_incident(conn, "d1", "i1", "first")
        found = await drill_of_incident(conn, "i1")

        assert found == a_drill()
        assert await incidents_of_drill(conn, "d1") == {"first": "i1"}
        assert await drill_of_incident(conn, "i2") is None


async def test_drills_are_cut_to_the_units_a_reader_may_see(sqlite_state: Store) -> None:
    async with sqlite_state.write() as conn:
        await add_drill(conn, a_drill(), "user:wang")
        await add_drill(conn, a_drill(id="d2", unit="city", units=["city", "power"]), "user:li")

        assert [one.id for one in await all_drills(conn, units={"power"})] == ["d2"]
        assert [one.id for one in await all_drills(conn, units=None)] == ["d1", "d2"]
        assert await all_drills(conn, states=("done",)) == []


async def test_what_is_announced_is_kept_once_and_decided_by_a_person(state: Store) -> None:
    notice = DrillNotice(
        version=VERSION,
        id="d9",
        unit="county",
        name="甲",
        name_en="a",
        form="live",
        starts_at=NINE,
        ends_at=NINE,
    )
    async with state.write() as conn:
        first = await take_announced(conn, notice, "n1", NINE)
        again = await take_announced(conn, notice, "n2", NINE + timedelta(hours=1))
        assert again == first
        assert (first.state, first.notice) == ("waiting", notice)
        assert await decide_announced(conn, "d7", "accepted", "user:li", NINE) is None
        decided = await decide_announced(conn, "d9", "accepted", "user:li", NINE)
        assert decided in await all_announced(conn, units={"county"})
        assert await all_announced(conn, units={"power"}) == []
    async with state.read() as conn:
        told = [row.action async for row in journal.read_chains(conn)]
    assert told == ["drill.announced", "drill.accepted"]
