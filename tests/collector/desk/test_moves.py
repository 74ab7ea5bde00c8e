import pytest

from collector.desk import Principal, ProblemError
from collector.desk.moves import complete_step, move_incident
from tests.browser.watch_room import Room

LI = Principal(actor="person:li-na", name="li", role="duty", person="li-na")
WU = Principal(actor="person:wu-hao", name="wu", role="duty", person="wu-hao")


async def test_a_person_moves_what_is_theirs(room: Room) -> None:
    incident = await room.open()

    await move_incident(room.desk, LI, incident, "acknowledged", "", now=room.clock())

    with pytest.raises(ProblemError, match="acknowledged") as told:
        await move_incident(room.desk, LI, incident, "acknowledged", "", now=room.clock())
    assert told.value.kind == "conflict"


async def test_a_person_of_another_unit_does_not_even_learn_that_it_is_there(room: Room) -> None:
    incident = await room.open()
    for unknown in (incident, "nothing"):
        with pytest.raises(ProblemError) as told:
            await move_incident(room.desk, WU, unknown, "closed", "because", now=room.clock())
        assert (told.value.kind, str(told.value)) == ("not-found", f"there is no incident {unknown!r}")


async def test_a_step_of_another_unit_is_not_there_either(room: Room) -> None:
    await room.open()
    await room.runner.work()
    async with room.store.read() as conn:
        run = (await conn.exec_driver_sql("SELECT id FROM runs")).scalar_one()

    for person, key in ((WU, run), (LI, "nothing")):
        with pytest.raises(ProblemError) as told:
            await complete_step(room.desk, person, key, "static-notice", {}, now=room.clock())
        assert told.value.kind == "not-found"
    with pytest.raises(ProblemError, match="confirmed: found nothing") as told:
        await complete_step(room.desk, LI, run, "static-notice", {}, now=room.clock())
    assert told.value.kind == "conflict"
