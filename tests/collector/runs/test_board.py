"""A run in memory: what it knows, and what of it has to be written."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from msgspec.structs import replace

from collector.plans.model import End, Parallel, Plan, Start, Text, Variable, Wait
from collector.runs.board import Board, begin_run
from collector.runs.drill import made_up_incident

if TYPE_CHECKING:
    from collector.store.runs import StepRow

NOW = datetime(2026, 3, 2, 1, 10, tzinfo=UTC)
TITLE = Text(zh="一", en="one")
PLAN = Plan(
    id="p",
    name=TITLE,
    classes=("NAWEBMOD",),
    variables={"n": Variable(value="seven")},
    steps={
        "start": Start(title=TITLE, next="fork"),
        "fork": Parallel(title=TITLE, branches=("a", "b"), next="end"),
        "a": Wait(title=TITLE, owner="duty", length=timedelta(minutes=1)),
        "b": Wait(title=TITLE, length=timedelta(minutes=1), timeout=timedelta(hours=1)),
        "end": End(title=TITLE),
    },
)


def test_a_new_run_stands_at_its_first_step() -> None:
    incident = made_up_incident(PLAN, NOW)

    board = begin_run(PLAN, run_id="r", incident=incident, sha256="x", now=NOW, drill=True)

    assert (board.run.incident, board.run.state, board.run.drill) == (incident.id, "running", True)
    assert [(row.name, row.state, row.wake_at) for row in board.new] == [("start#1", "ready", NOW)]
    assert board.changed == []


def test_only_what_moved_is_written() -> None:
    row = begin_run(PLAN, run_id="r", incident=None, sha256="x", now=NOW).rows["start", 1]
    board = Board(begin_run(PLAN, run_id="r", incident=None, sha256="x", now=NOW).run, PLAN, [row])
    assert (board.new, board.changed) == ([], [])

    board.put(replace(row, state="done"))
    board.enter("fork", "", NOW)

    assert [each.step for each in board.changed] == ["start"]
    assert [each.step for each in board.new] == ["fork"]


def test_a_step_is_visited_again_under_a_new_number() -> None:
    board = begin_run(PLAN, run_id="r", incident=None, sha256="x", now=NOW)

    board.enter("b", "fork#1", NOW)
    board.enter("b", "fork#1", NOW + timedelta(hours=2))

    assert board.visits("b") == 2
    assert board.rows["b", 2].deadline == NOW + timedelta(hours=3)
    assert board.rows["b", 1].parent == "fork#1"


def test_what_is_open_below_a_branching_step_is_found_at_every_depth() -> None:
    board = begin_run(PLAN, run_id="r", incident=None, sha256="x", now=NOW)
    board.enter("fork", "", NOW)
    board.enter("fork", "fork#1", NOW)
    board.enter("a", "fork#2", NOW)
    board.enter("b", "fork#1", NOW)
    over: StepRow = board.rows["b", 1]
    board.put(replace(over, state="done"))

    assert {row.name for row in board.below("fork#1")} == {"fork#2", "a#1"}


def test_conditions_see_the_incident_the_variables_and_the_run() -> None:
    board = begin_run(PLAN, run_id="r", incident=made_up_incident(PLAN, NOW), sha256="x", now=NOW)

    assert board.scope["vars"] == {"n": "seven"}
    assert board.scope["incident"]["class"] == "NAWEBMOD"
    assert board.scope["run"] == {"id": "r", "plan": "p", "drill": False, "level": "IV"}
    assert begin_run(PLAN, run_id="r", incident=None, sha256="x", now=NOW).scope["incident"] == {}
