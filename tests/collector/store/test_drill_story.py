"""What the report tells: every event in words, and what was done, oldest first."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from collector.app.drilling import make_director
from collector.drills import read_script
from collector.store.drill_story import story_of, words_of
from collector.store.drills import add_drill
from collector.store.engine import Store
from tests.collector.drills.scripts import SCRIPT
from tests.collector.store.test_drills import a_drill

if TYPE_CHECKING:
    from tests.conftest import Office

NINE = datetime(2026, 3, 2, 1, tzinfo=UTC)


async def test_events_and_deeds_are_told_in_their_order(sqlite_state: Store, office: "Office") -> None:
    now = NINE + timedelta(minutes=11)
    director = make_director(sqlite_state, office.casework, lambda: office.registry, "zh", lambda: now)
    async with sqlite_state.write() as conn:
        await add_drill(conn, a_drill(), "user:wang")
        await director.start(conn, "d1", "user:wang", NINE)
    await director.step()
    async with sqlite_state.read() as conn:
        story = await story_of(conn, a_drill())

    assert [one.state for one in story.events] == ["done", "done", "armed", "armed", "armed"]
    assert story.events[0].words.zh == "首页被篡改（NAWEBMOD）"
    told = [one.action for one in story.deeds]
    assert told[:2] == ["drill.planned", "drill.started"]
    assert {"incident.opened", "incident.graded", "clock.opened", "drill.injected"} <= set(told)
    assert [one.at for one in story.deeds] == sorted(one.at for one in story.deeds)


def test_every_kind_of_event_has_its_line_in_both_languages() -> None:
    lines = [words_of(event) for event in read_script(SCRIPT, "drill.yaml").events]

    assert lines[2].en == "duty cannot be reached for 30 minutes"
    assert lines[3].zh == "→ leader:记者来电"
    assert lines[4].zh == "reposts=12000"
