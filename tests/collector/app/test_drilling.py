"""The director of a collector works by the collector's own writers."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from collector.app.drilling import make_director
from collector.store.drills import add_drill, get_drill, incidents_of_drill
from collector.store.engine import Store
from collector.store.incidents import get_incident
from tests.collector.store.test_drills import a_drill

if TYPE_CHECKING:
    from tests.conftest import Office

NINE = datetime(2026, 3, 2, 1, tzinfo=UTC)


async def test_a_drill_that_is_started_opens_its_incident_and_ends_it(
    sqlite_state: Store, office: "Office"
) -> None:
    director = make_director(sqlite_state, office.casework, lambda: office.registry, "zh", lambda: NINE)
    async with sqlite_state.write() as conn:
        await add_drill(conn, a_drill(), "user:wang")
        await director.start(conn, "d1", "user:wang", NINE)
    await director.step()
    async with sqlite_state.write() as conn:
        (key,) = (await incidents_of_drill(conn, "d1")).values()
        opened = await get_incident(conn, key)
        assert opened is not None
        assert (opened.drill, opened.title) == (True, "【演练】首页被篡改")
        await director.end(conn, "d1", "user:wang", NINE)
        ended, drill = await get_incident(conn, key), await get_drill(conn, "d1")

    assert ended is not None
    assert drill is not None
    assert (ended.state, drill.state) == ("closed", "done")
