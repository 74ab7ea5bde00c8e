"""The transition function: branches side by side, joins, failures, loops, deadlines; pure."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from collector.actions.port import Done, Failed, Skipped, Waiting
from collector.plans.model import (
    Due,
    End,
    If,
    Manual,
    Parallel,
    Plan,
    PlaybookAction,
    Start,
    Step,
    Switch,
    Text,
    Variable,
    Wait,
    While,
)
from collector.runs.board import Board, begin_run
from collector.runs.machine import (
    LATE,
    MAX_VISITS,
    Ask,
    Late,
    Take,
    as_case,
    chosen,
    flow_event,
    transition,
)

NOW = datetime(2026, 3, 2, 1, 10, tzinfo=UTC)
TITLE = Text(zh="一", en="one")
END = End(title=TITLE)


def act(**more: Any) -> Wait:  # noqa: ANN401 - fields of a step
    return Wait(title=TITLE, length=timedelta(minutes=1), **more)


def board_of(variables: dict[str, Variable] | None = None, **steps: Step) -> Board:
    """A run of a plan that starts with the first step given."""
    first = next(iter(steps))
    plan = Plan(
        id="p",
        name=TITLE,
        variables=variables or {},
        steps={"start": Start(title=TITLE, next=first), **steps, "end": END},
    )
    board = begin_run(plan, run_id="r", incident=None, sha256="", now=NOW)
    steer(board)
    return board


def steer(board: Board) -> None:
    """Move everything that only steers."""
    while ready := [
        row for row in board.rows.values() if row.state == "ready" and row.kind not in {"wait", "manual"}
    ]:
        for row in ready:
            transition(board, row.key, flow_event(board, row.key), NOW)


def happen(board: Board, step: str, event: Any = None) -> None:  # noqa: ANN401 - any event
    """Something becomes of a step's open visit, then all that steers moves."""
    key = max((row.key for row in board.rows.values() if row.step == step), key=lambda key: key[1])
    transition(board, key, event if event is not None else Done(), NOW)
    steer(board)


def states(board: Board) -> dict[str, str]:
    return {row.step: row.state for row in board.rows.values() if row.step not in {"start", "end"}}


def fork(**more: Any) -> dict[str, Step]:  # noqa: ANN401 - fields of a step
    return {
        "fork": Parallel(title=TITLE, branches=("a", "b"), next="after", **more),
        "a": act(next="a2"),
        "a2": act(),
        "b": act(),
        "after": act(next="end"),
    }


def test_branches_run_side_by_side_and_join_when_all_have_ended() -> None:
    board = board_of(**fork())
    assert states(board) == {"fork": "waiting", "a": "ready", "b": "ready"}

    happen(board, "a")
    happen(board, "b")
    assert "after" not in states(board)
    happen(board, "a2")

    assert states(board)["fork"] == "done"
    assert states(board)["after"] == "ready"
    happen(board, "after")
    assert board.run.state == "done"


def test_an_end_inside_a_branch_returns_to_the_branching_step() -> None:
    board = board_of(
        fork=Parallel(title=TITLE, branches=("a", "b"), next="after"),
        a=act(next="stop"),
        stop=END,
        b=act(),
        after=act(next="end"),
    )

    happen(board, "a")
    assert board.run.state == "running"
    happen(board, "b")

    assert states(board)["after"] == "ready"


def test_a_failed_branch_lets_the_others_end_then_fails_the_run() -> None:
    board = board_of(**fork())

    happen(board, "b", Failed("no answer"))
    assert states(board)["fork"] == "waiting"
    happen(board, "a")
    happen(board, "a2")

    assert (states(board)["fork"], board.run.state) == ("failed", "failed")
    assert board.rows["fork", 1].why == "no answer"


def test_a_failed_branch_may_end_the_others_at_once() -> None:
    board = board_of(**fork(on_branch_failure="cancel"))

    happen(board, "b", Failed("no answer"))

    assert states(board) == {"fork": "failed", "a": "cancelled", "b": "failed"}
    assert board.run.state == "failed"


def test_a_failed_branch_may_be_borne() -> None:
    board = board_of(**fork(on_branch_failure="continue"))

    happen(board, "b", Failed("no answer"))
    happen(board, "a")
    happen(board, "a2")

    assert (states(board)["fork"], states(board)["after"]) == ("done", "ready")
    assert board.rows["fork", 1].out == {"failures": ["no answer"]}


def test_a_failure_goes_where_the_step_says() -> None:
    to_step = board_of(a=act(next="b", on_failure="c"), b=act(next="end"), c=act(next="end"))
    happen(to_step, "a", Failed("x"))
    assert set(states(to_step)) == {"a", "c"}

    going_on = board_of(a=act(next="b", on_failure="continue"), b=act(next="end"))
    happen(going_on, "a", Failed("x"))
    assert states(going_on) == {"a": "failed", "b": "ready"}

    nowhere = board_of(a=act(next="b"), b=act(next="end"))
    happen(nowhere, "a", Failed("x"))
    assert (states(nowhere), nowhere.run.state) == ({"a": "failed"}, "failed")


@pytest.mark.parametrize(("value", "branch"), [(1, "yes"), (2, "no")])
def test_a_condition_that_is_known_takes_its_branch_and_returns(value: int, branch: str) -> None:
    board = board_of(
        {"n": Variable(type="number", value=value)},
        fork=If(title=TITLE, condition="vars.n == 1", then="yes", otherwise="no", next="after"),
        yes=act(),
        no=act(),
        after=act(next="end"),
    )
    assert states(board) == {"fork": "waiting", branch: "ready"}

    happen(board, branch)

    assert states(board)["after"] == "ready"
    assert board.rows["fork", 1].out == {"branch": "true" if branch == "yes" else "false"}


def test_a_condition_that_is_unknown_waits_for_a_person_and_nothing_is_dropped() -> None:
    board = board_of(
        fork=If(title=TITLE, condition="Operator input to proceed", then="yes", next="after", owner="duty"),
        yes=act(),
        after=act(next="end"),
    )
    row = board.rows["fork", 1]
    assert (row.state, row.out) == ("waiting", {"choices": ["true", "false"]})
    assert "Operator input" in (row.why or "")

    transition(board, row.key, chosen(board, row.key, "false"), NOW, "person:wang")

    assert states(board) == {"fork": "done", "after": "ready"}
    assert board.rows["fork", 1].actor == "person:wang"


def test_a_switch_takes_the_case_its_default_or_none() -> None:
    def board(value: object, default: str | None) -> Board:
        return board_of(
            {"n": Variable(value=value)},
            fork=Switch(title=TITLE, value="vars.n", cases={"a": "one", "true": "two"}, default=default),
            one=act(),
            two=act(),
            other=act(),
        )

    assert states(board("a", None))["one"] == "ready"
    assert states(board(True, None))["two"] == "ready"
    assert states(board("z", "other"))["other"] == "ready"
    assert states(board("z", None)) == {"fork": "done"}
    unknown = board(None, "other").rows["fork", 1]
    assert unknown.out == {"choices": ["a", "true", "default"]}
    assert (as_case(True), as_case(3), as_case("a")) == ("true", "3", "a")


def test_a_loop_goes_round_while_its_condition_holds_with_a_new_visit_each() -> None:
    board = board_of(
        {"more": Variable(type="bool", value=True)},
        loop=While(title=TITLE, condition="vars.more", do="a", next="after"),
        a=Manual(title=TITLE, out={"more": "more"}),
        after=act(next="end"),
    )

    happen(board, "a", Done({"more": True}))
    happen(board, "a", Done({"more": False}))

    assert [row.visit for row in board.rows.values() if row.step == "a"] == [1, 2]
    assert states(board)["after"] == "ready"
    assert board.rows["loop", 1].out == {"branch": "false", "rounds": 2}


def test_a_loop_ends_after_its_limit() -> None:
    board = board_of(loop=While(title=TITLE, condition="true", do="a", at_most=3, next="end"), a=act())

    for _ in range(3):
        happen(board, "a")

    assert (states(board)["loop"], board.run.state) == ("failed", "failed")
    assert "after 3 rounds" in (board.rows["loop", 1].why or "")


def test_a_called_plan_is_a_branch() -> None:
    board = board_of(
        call=PlaybookAction(title=TITLE, plan="q", first="call/a", next="after"),
        after=act(next="end"),
        **{"call/a": act()},
    )
    happen(board, "call/a")

    assert states(board)["after"] == "ready"


def test_variables_are_written_through_out_args_alone() -> None:
    board = board_of(
        {"cause": Variable(), "other": Variable(value="as it was")},
        a=Manual(title=TITLE, out={"cause": "what"}, next="end"),
    )

    happen(board, "a", Done({"what": "weak password", "other": "not taken"}))

    assert board.run.variables == {"cause": "weak password", "other": "as it was"}


def test_a_skipped_step_is_gone_past() -> None:
    board = board_of(a=act(next="b"), b=act(next="end"))

    happen(board, "a", Skipped("not owed"))

    assert states(board) == {"a": "skipped", "b": "ready"}
    assert board.rows["a", 1].why == "not owed"


@pytest.mark.parametrize(
    ("on_timeout", "a", "run"),
    [("fail", "failed", "failed"), ("stay", "waiting", "running"), ("continue", "done", "running")],
)
def test_a_deadline_does_what_the_step_says(on_timeout: Any, a: str, run: str) -> None:  # noqa: ANN401 - a literal
    board = board_of(a=act(next="b", timeout=timedelta(minutes=5), on_timeout=on_timeout), b=act(next="end"))
    assert board.rows["a", 1].deadline == NOW + timedelta(minutes=5)

    happen(board, "a", Late())

    assert (states(board)["a"], board.run.state) == (a, run)
    assert ("b" in states(board)) == (on_timeout == "continue")


def test_a_step_that_was_late_and_then_done_is_done() -> None:
    board = board_of(a=act(next="end", timeout=timedelta(minutes=5), on_timeout="stay"))
    happen(board, "a", Late())
    assert board.rows["a", 1].why == LATE

    happen(board, "a")

    assert (board.rows["a", 1].why, board.run.state) == (None, "done")


def test_a_branching_step_out_of_time_ends_what_is_below_it_at_every_depth() -> None:
    board = board_of(
        outer=Parallel(title=TITLE, branches=("inner", "c"), timeout=timedelta(hours=1), next="end"),
        inner=Parallel(title=TITLE, branches=("a", "b")),
        a=act(),
        b=act(),
        c=act(),
    )

    happen(board, "outer", Late())

    assert states(board) == {"outer": "failed", **dict.fromkeys(["inner", "a", "b", "c"], "cancelled")}
    assert not [row for row in board.rows.values() if row.open]


def test_a_deadline_that_hangs_on_the_law_is_the_earlier_one() -> None:
    due = Due(obligation="cn-cac-2025/first", ahead=timedelta(minutes=10))
    plan = Plan(
        id="p",
        name=TITLE,
        first="a",
        steps={"a": act(due=due, timeout=timedelta(hours=3), next="end"), "end": END},
    )
    run = begin_run(plan, run_id="r", incident=None, sha256="", now=NOW).run

    board = Board(run, plan, [], limits={"cn-cac-2025/first": NOW + timedelta(hours=1)})
    board.enter("a", "", NOW)

    assert board.rows["a", 1].deadline == NOW + timedelta(minutes=50)


def test_whoever_comes_late_changes_nothing() -> None:
    board = board_of(a=act(next="b"), b=act(next="end"))
    happen(board, "a")
    before = dict(board.rows)

    for event in (Done({"x": 1}), Failed("x"), Skipped("x"), Waiting(NOW), Late(), Take(("b",)), Ask("", ())):
        transition(board, ("a", 1), event, NOW)

    assert board.rows == before


def test_a_time_that_is_past_already_is_looked_at_again_and_does_not_spin() -> None:
    board = board_of(a=act(next="end"))

    happen(board, "a", Waiting(NOW - timedelta(hours=1)))

    assert board.rows["a", 1].wake_at == NOW + timedelta(seconds=1)


def test_a_plan_in_a_circle_comes_to_an_end() -> None:
    board = board_of(a=act(next="a"))

    for _ in range(MAX_VISITS):
        happen_quickly(board)

    assert board.run.state == "failed"


def happen_quickly(board: Board) -> None:
    key = ("a", board.visits("a"))
    if key in board.rows:
        transition(board, key, Done(), NOW)


def test_a_step_that_does_something_does_not_steer() -> None:
    board = board_of(a=act(next="end"))

    with pytest.raises(TypeError, match="does not steer"):
        flow_event(board, ("a", 1))


# --- whatever the plan, whatever happens: a run ends, and nothing is left open ---------------------------

_POLICIES = st.sampled_from(["wait", "cancel", "continue"])
_SHAPES: st.SearchStrategy[Any] = st.recursive(
    st.just("act"),
    lambda inner: st.one_of(
        st.tuples(st.just("chain"), st.lists(inner, min_size=1, max_size=3)),
        st.tuples(st.just("fork"), st.lists(inner, min_size=1, max_size=3), _POLICIES),
        st.tuples(st.just("if"), inner),
        st.tuples(st.just("loop"), inner),
    ),
    max_leaves=10,
)


def grow(shape: Any, steps: dict[str, Step], following: str | None) -> str:  # noqa: ANN401 - a shape's tree
    """Add the steps of a shape; returns its first."""
    name = f"s{len(steps)}"
    steps[name] = END  # holds the place
    if shape == "act":
        steps[name] = act(next=following)
    elif shape[0] == "chain":
        after = following
        for part in reversed(shape[1]):
            after = grow(part, steps, after)
        steps[name] = If(title=TITLE, condition="false", then=after or name, next=after)
    elif shape[0] == "fork":
        branches = tuple(grow(part, steps, None) for part in shape[1])
        steps[name] = Parallel(title=TITLE, branches=branches, on_branch_failure=shape[2], next=following)
    elif shape[0] == "if":
        steps[name] = If(title=TITLE, condition="true", then=grow(shape[1], steps, None), next=following)
    else:
        body = grow(shape[1], steps, None)
        steps[name] = While(title=TITLE, condition="vars.more", do=body, next=following, at_most=4)
    return name


@given(
    _SHAPES, st.lists(st.sampled_from(["done", "done", "done", "failed", "skipped"]), max_size=40), st.data()
)
def test_every_run_ends_whatever_becomes_of_its_steps(
    shape: Any,  # noqa: ANN401 - a shape's tree
    outcomes: list[str],
    data: st.DataObject,
) -> None:
    steps: dict[str, Step] = {}
    first = grow(shape, steps, "end")
    plan = Plan(
        id="p",
        name=TITLE,
        variables={"more": Variable(type="bool", value=True)},
        first=first,
        steps={**steps, "end": END},
    )
    board = begin_run(plan, run_id="r", incident=None, sha256="", now=NOW)
    events: dict[str, Any] = {
        "done": Done(),
        "failed": Failed("x"),
        "skipped": Skipped("x"),
    }
    for moves in range(2000):
        steer(board)
        open_steps = [row for row in board.rows.values() if row.open and row.kind == "wait"]
        if moves == 60:
            board.run = replace(board.run, variables={"more": False})
        if not open_steps:
            break
        row = data.draw(st.sampled_from(open_steps)) if moves < 60 else open_steps[0]
        transition(board, row.key, events[outcomes.pop() if outcomes else "done"], NOW)

    assert board.run.state in {"done", "failed"}
    assert not [row for row in board.rows.values() if row.open]
    assert len({(row.step, row.visit) for row in board.rows.values()}) == len(board.rows)
