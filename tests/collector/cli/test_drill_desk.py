"""The deeds of `drill` in the database: each in the name of who ran it, at one moment."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from collector import shipped
from collector.cli.drill_desk import Desk, read_event
from collector.errors import PermanentError
from collector.store.drills import take_announced
from collector.store.engine import Store
from collector.world import load_world
from collector.yaml_marks import Mistakes
from wire.messages import VERSION, DrillNotice

NINE = datetime(2026, 3, 2, 1, tzinfo=UTC)


async def test_who_accepts_a_drill_from_below_stands_in_the_answer(tmp_path: Path) -> None:
    world = load_world(str(shipped.configs_dir() / "collector.yaml"), {})
    world = replace(world, settings=replace(world.settings, state_dir=str(tmp_path)))
    store = await Store.open(world.settings.database_url)
    notice = DrillNotice(
        version=VERSION,
        id="d9",
        unit="district",
        name="甲",
        name_en="a",
        form="live",
        starts_at=NINE,
        ends_at=NINE,
    )
    await store.run(lambda conn: take_announced(conn, notice, "n1", NINE))
    await store.close()
    async with Desk.open(world, "user:li", NINE) as desk:
        decided = await desk.decide("d9", "accepted")
        assert (decided.state, decided.decided_by, decided.decided_at) == ("accepted", "user:li", NINE)
        assert await desk.announced() == [decided]
        with pytest.raises(PermanentError, match="none of this id"):
            await desk.decide("d1", "declined")


def test_an_event_is_read_like_a_line_of_a_script() -> None:
    event = read_event("at: 5m\nabsent: {role: duty, for: 1h}\n", "e.yaml")

    assert event.kind == "absent"
    with pytest.raises(Mistakes, match="exactly one of"):
        read_event("at: 5m\n", "e.yaml")
