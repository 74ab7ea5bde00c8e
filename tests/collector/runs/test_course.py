"""What becomes of a whole run; pure."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from collector.actions.port import Done, Failed
from collector.plans import Plan, unpin
from collector.plans.load import joined, pin
from collector.plans.model import (
    REGRADE,
    Due,
    End,
    Manual,
    Parallel,
    Regrade,
    Start,
    Step,
    Text,
    Wait,
)
from collector.runs.board import SIDE, Board, begin_run
from collector.runs.course import NotPossibleError, cancel, follow_level, pause, resume, retry, set_level
from collector.runs.drill import made_up_incident
from collector.runs.machine import Ask, Begin, chosen, flow_event, transition

NOW = datetime(2026, 3, 2, 1, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)
TITLE = Text(zh="一", en="one")
END = End(title=TITLE)
WHO = "person:wang"


def do(**more: object) -> Manual:
    return Manual(title=TITLE, owner="duty", timeout=HOUR, **more)  # type: ignore[arg-type]


def board_of(level: str = "IV", **steps: Step) -> Board:
    """A run that stands at its first real step, about an incident of this level."""
    first = next(iter(steps))
    plan = Plan(id="p", name=TITLE, steps={"start": Start(title=TITLE, next=first), **steps, "end": END})
    body, sha256 = pin(plan, {})
    incident = replace(made_up_incident(plan, NOW), level=level)  # type: ignore[arg-type]
    board = begin_run(unpin(body), run_id="r", incident=incident, sha256=sha256, now=NOW)
    settle(board)
    return board


def settle(board: Board) -> None:
    """Let what only steers steer; what people do stays ready."""
    while steering := [
        row
        for row in board.rows.values()
        if row.state == "ready" and not isinstance(board.step_of(row), Manual | Wait)
    ]:
        transition(board, steering[0].key, flow_event(board, steering[0].key), NOW)


def states(board: Board) -> dict[str, str]:
    return {row.name: row.state for row in board.rows.values() if row.step not in {"start", "end"}}


def test_giving_up_a_run_of_which_nothing_can_be_taken_back_ends_it() -> None:
    board = board_of(a=do(next="end"))

    assert cancel(board, "false alarm", NOW, WHO) == []

    assert (board.run.state, board.run.ended_at) == ("cancelled", NOW)
    assert states(board) == {"a#1": "cancelled"}
    with pytest.raises(NotPossibleError, match="is cancelled, not running or paused"):
        cancel(board, "again", NOW, WHO)


def test_the_newest_deed_is_the_first_to_be_taken_back() -> None:
    board = board_of(
        a=do(undo="un-a", next="b"),
        b=do(undo="un-b", next="c"),
        c=do(next="end"),
        **{"un-a": do(), "un-b": do()},
    )
    for minutes, name in enumerate("ab"):
        transition(board, (name, 1), Done(), NOW + timedelta(minutes=minutes), WHO)

    assert cancel(board, "false alarm", NOW + HOUR, WHO) == ["un-b", "un-a"]

    transition(board, ("un-b", 1), Begin(), NOW + HOUR, WHO)
    assert board.rows["un-b", 1].deadline == NOW + 2 * HOUR, "its time begins with the word"
    transition(board, ("un-b", 1), Done(), NOW + HOUR, WHO)
    assert board.run.state == "cancelling"
    transition(board, ("un-a", 1), Done(), NOW + HOUR, WHO)
    assert board.run.state == "cancelled"


def test_a_pause_moves_the_plans_own_deadlines_and_not_the_laws() -> None:
    board = board_of(a=do(next="b", due=Due(obligation="o")), b=do(next="end"))
    board.limits = {"o": NOW + 2 * HOUR}
    for length, expected in ((HOUR / 2, 1.5), (HOUR, 2.0)):
        pause(board, NOW + 5 * HOUR, "why", NOW, WHO)
        assert board.rows["a", 1].wake_at == NOW + 5 * HOUR
        resume(board, NOW + length, WHO)
        assert board.rows["a", 1].deadline == NOW + expected * HOUR


def test_a_branch_that_failed_is_tried_again_inside_the_steps_above_it() -> None:
    board = board_of(
        fork=Parallel(title=TITLE, branches=("a", "b"), next="end", timeout=HOUR), a=do(), b=do()
    )
    transition(board, ("a", 1), Failed("broken"), NOW)
    transition(board, ("b", 1), Done(), NOW)
    assert board.run.state == "failed"

    later = NOW + 3 * HOUR
    assert retry(board, ("a", 1), "mended", later, WHO) == ("a", 2)

    assert states(board) == {"fork#1": "waiting", "a#1": "failed", "b#1": "done", "a#2": "ready"}
    assert board.rows["fork", 1].deadline == later + HOUR
    transition(board, ("a", 2), Done(), later)
    settle(board)
    assert (board.run.state, states(board)["fork#1"]) == ("done", "done")


def test_a_step_whose_failure_the_plan_has_answered_is_not_tried_again() -> None:
    board = board_of(a=do(on_failure="b", next="end"), b=do(next="end"))
    transition(board, ("a", 1), Failed("broken"), NOW)

    with pytest.raises(NotPossibleError, match="gone on from a#1"):
        retry(board, ("a", 1), "why", NOW, WHO)


def test_a_graver_incident_raises_the_level_at_once_and_takes_what_the_plan_adds() -> None:
    plan_steps: dict[str, Step] = {"a": do(next="end"), "more": do(), "less": do()}
    watching = Regrade(title=TITLE, owner="leader", raised="more", lowered="less")
    board = board_of("III", **plan_steps, **{REGRADE: watching})

    board.incident = replace(board.incident, level="II")  # type: ignore[type-var]
    follow_level(board, NOW)
    settle(board)

    assert (board.run.level, states(board)["more#1"]) == ("II", "ready")
    transition(board, ("a", 1), Done(), NOW)
    settle(board)
    assert board.run.state == "running", "what the level asks for is still open"
    transition(board, ("more", 1), Done(), NOW)
    assert board.run.state == "done"


def test_a_less_grave_incident_lowers_the_level_on_a_persons_word_alone() -> None:
    board = board_of("II", a=do(next="end"))
    board.incident = replace(board.incident, level="IV")  # type: ignore[type-var]
    follow_level(board, NOW)
    event = flow_event(board, (REGRADE, 1))
    assert event == Ask("the incident's level is IV now, less grave than the response level II", ("II", "IV"))
    transition(board, (REGRADE, 1), event, NOW)
    follow_level(board, NOW)
    assert board.visits(REGRADE) == 1, "it asks once"

    transition(board, (REGRADE, 1), chosen(board, (REGRADE, 1), "II"), NOW, WHO)
    follow_level(board, NOW)

    assert (board.run.level, board.visits(REGRADE)) == ("II", 1), "a kept level is not asked about again"


def test_a_plan_asks_its_owner_for_the_level_where_it_says_so() -> None:
    board = board_of(
        look=Regrade(title=TITLE, owner="leader", decide="owner", lowered="less", next="end"), less=do()
    )
    transition(board, ("look", 1), flow_event(board, ("look", 1)), NOW)
    assert board.rows["look", 1].asks

    board.run = replace(board.run, level="I")
    transition(board, ("look", 1), chosen(board, ("look", 1), "III"), NOW, WHO)

    assert (board.run.level, states(board)["less#1"]) == ("III", "ready")


def test_a_level_that_stands_is_not_set_again() -> None:
    board = board_of("II", a=do(next="end"))
    with pytest.raises(NotPossibleError, match="level is II already"):
        set_level(board, "II", "why", NOW, WHO)


def test_a_line_aside_that_fails_is_told_and_the_main_line_goes_on() -> None:
    board = board_of(a=do(next="end"), other=do())
    board.enter("other", SIDE, NOW)

    transition(board, ("other", 1), Failed("broken"), NOW)

    assert (board.run.state, states(board)) == ("running", {"a#1": "ready", "other#1": "failed"})


@given(
    st.lists(st.sampled_from(["done", "fail", "pause", "resume", "cancel", "retry", "I", "IV"]), max_size=25)
)
def test_whatever_is_done_to_a_run_it_stands_somewhere_or_is_over(deeds: list[str]) -> None:
    """No order of deeds leaves a run that is open with nothing open in it, or over with something open."""
    board = board_of(
        fork=Parallel(title=TITLE, branches=("a", "b"), next="c"),
        a=do(undo="un"),
        b=do(),
        c=do(next="end"),
        un=do(),
    )
    for deed in deeds:
        still = next((row for row in board.rows.values() if row.open and row.kind == "manual"), None)
        failed = next((row for row in board.rows.values() if row.state == "failed"), None)
        try:
            if deed in {"done", "fail"} and still is not None:
                transition(board, still.key, Done() if deed == "done" else Failed("broken"), NOW)
            elif deed == "retry" and failed is not None:
                retry(board, failed.key, "why", NOW, WHO)
            elif deed in {"I", "IV"}:
                set_level(board, deed, "why", NOW, WHO)  # type: ignore[arg-type]
            elif deed == "pause":
                pause(board, NOW + HOUR, "why", NOW, WHO)
            elif deed == "resume":
                resume(board, NOW, WHO)
            elif deed == "cancel":
                cancel(board, "why", NOW, WHO)
        except NotPossibleError:
            pass
        if board.run.state in {"running", "cancelling"}:
            settle(board)
        is_open = any(row.open for row in board.rows.values())
        assert is_open == (board.run.ended_at is None), (deed, board.run.state, states(board))


def test_a_plan_that_joins_brings_its_steps_under_its_own_name() -> None:
    first = board_of(a=do(next="end")).plan
    other = replace(board_of(b=do(next="end"), c=do()).plan, id="other")

    both = joined(first, other)

    assert both.steps["other/start"].next == "other/b"
    assert both.steps["other"].kind == "playbook-action"
    with pytest.raises(ValueError, match="without a step called 'other'"):
        joined(both, other)
