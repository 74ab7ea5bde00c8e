"""Steps carried out for real: what an action is told, and kinds that nothing carries out."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from msgspec.structs import replace

from collector.actions import Actions, build
from collector.actions.port import Failed, Surroundings
from collector.plans import examine
from collector.runs.board import begin_run
from collector.runs.drill import made_up_incident
from collector.runs.effects import Effects, context

if TYPE_CHECKING:
    from tests.collector.runs.conftest import PlanRoom

NOW = datetime(2026, 3, 2, 1, 10, tzinfo=UTC)
PLAN = examine(
    """
id: p
name: {zh: 一, en: one}
classes: [NAWEBMOD]
steps:
  - {id: a, kind: wait, owner: duty, for: 1m, timeout: 2m, title: {zh: 等, en: w}}
""",
    "p.yaml",
).plan


def test_an_action_is_told_which_visit_of_which_step_it_is() -> None:
    assert PLAN is not None
    incident = made_up_incident(PLAN, NOW)
    board = begin_run(PLAN, run_id="r", incident=incident, sha256="", now=NOW)
    board.enter("a", "", NOW)

    told = context(board, board.rows["a", 1], NOW)

    assert (told.key, told.unit, told.since, told.drill) == ("r/a/1", "drill", NOW, False)
    assert told.deadline == board.rows["a", 1].deadline
    assert told.scope["incident"]["class"] == "NAWEBMOD"


async def test_a_kind_that_nothing_carries_out_fails_and_says_so(small_room: "PlanRoom") -> None:
    assert PLAN is not None
    board = begin_run(PLAN, run_id="r", incident=None, sha256="", now=NOW)
    board.enter("a", "", NOW)
    row = replace(board.rows["a", 1], kind="sing")
    surroundings = Surroundings(directory=lambda: small_room.office.registry, file=small_room._file)
    async with small_room.store.write() as conn:
        effects = Effects(conn, Actions(surroundings, build(surroundings).by_kind))

        for result in (await effects.begin(board, row, NOW), await effects.poll(board, row, NOW)):
            assert result == Failed("nothing here carries out a step of kind sing")
