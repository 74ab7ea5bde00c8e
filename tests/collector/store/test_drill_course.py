"""The score is read from what really happened: the journal's moves, the clocks, the filings, the steps."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from collector.app.drilling import make_director
from collector.drills import Mark
from collector.store.drill_course import sheet_of
from collector.store.drills import add_drill, get_drill, incidents_of_drill
from collector.store.engine import Store
from tests.collector.store.test_drills import a_drill

if TYPE_CHECKING:
    from tests.conftest import Office

NINE = datetime(2026, 3, 2, 1, tzinfo=UTC)


def lines(marks: list[Mark]) -> dict[str, tuple[float | None, str]]:
    return {mark.about or mark.what: (mark.seconds, mark.result) for mark in marks}


async def test_what_people_did_is_measured_and_what_the_drills_end_did_is_not(
    state: Store, office: "Office"
) -> None:
    now = NINE
    director = make_director(state, office.casework, lambda: office.registry, "zh", lambda: now)
    async with state.write() as conn:
        await add_drill(conn, a_drill(), "user:wang")
        await director.start(conn, "d1", "user:wang", NINE)
    await director.step()
    async with state.write() as conn:
        (incident,) = (await incidents_of_drill(conn, "d1")).values()
        await office.casework.move(conn, incident, "acknowledged", "user:wang", NINE + timedelta(minutes=4))
        now = NINE + timedelta(minutes=200)
        await director.end(conn, "d1", "user:wang", now)
        drill = await get_drill(conn, "d1")
        assert drill is not None
        sheet = await sheet_of(conn, drill, now)

    told = lines(sheet.marks)
    assert told["acknowledge"] == (240.0, "in_time")
    assert told["contain"] == (None, "missed")
    assert told["cn-informatization/report"][1] in {"missed", "pending"}


async def test_a_drill_without_incidents_has_no_points(sqlite_state: Store) -> None:
    async with sqlite_state.write() as conn:
        await add_drill(conn, a_drill(), "user:wang")
        sheet = await sheet_of(conn, a_drill(), NINE)

    assert (sheet.points, sheet.marks) == (None, [])
