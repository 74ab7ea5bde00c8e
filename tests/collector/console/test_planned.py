from msgspec.structs import replace

from collector.console.planned import ordered, planned
from collector.store.board import read_case
from collector.store.views import RunPlan, StepRow
from tests.browser.watch_room import Room


async def rows(room: Room) -> tuple[RunPlan, list[StepRow]]:
    incident = await room.open()
    await room.runner.work()
    async with room.store.read() as conn:
        case = await read_case(conn, incident, units=None)
    assert case
    return case.runs[0], case.steps


async def test_steps_stand_in_the_order_of_the_plan(room: Room) -> None:
    run, steps = await rows(room)

    shown = [step.step for step in ordered(run, steps)]

    assert shown[:4] == ["tell-duty", "first-hour", "keep-evidence", "static-notice"]
    assert "start" not in shown


async def test_a_manual_step_shows_its_words_and_its_form(room: Room) -> None:
    run, steps = await rows(room)
    manual = planned(run, next(step for step in steps if step.step == "static-notice"))
    notify = planned(run, next(step for step in steps if step.step == "tell-duty"))

    assert manual.title["en"] == "Confirm the tampering and switch to the static notice"
    assert manual.form["confirmed"]["type"] == "bool"
    assert manual.form["switched_at"]["required"] is False
    assert (manual.asks, notify.asks) == (True, False)


async def test_a_step_the_plan_does_not_know_has_no_words(room: Room) -> None:
    run, [step, *_] = await rows(room)
    asked = planned(
        run, replace(step, step="unknown", kind="if-condition", out={"choices": ["true", "false"]})
    )

    assert (asked.title, asked.form, asked.choices, asked.asks) == (None, {}, ["true", "false"], True)
