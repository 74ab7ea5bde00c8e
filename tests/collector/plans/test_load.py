"""From a list that people write to the graph that a run walks, and to the content a run keeps."""

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from collector import yaml_marks
from collector.plans.load import MAX_PINNED_STEPS, pin, read_plan, typed, unfold, unpin
from collector.plans.model import REGRADE, Plan, PlaybookAction, Text
from collector.yaml_marks import Mistakes

PLAYBOOKS = sorted((Path(__file__).parents[3] / "playbooks").glob("*.yaml"))
HEAD = "id: p\nname: {zh: 一, en: one}\n"


def plan_of(steps: str, head: str = HEAD) -> Plan:
    return read_plan(head + "steps:\n" + steps, "p.yaml")[0]


def wait(name: str, more: str = "") -> str:
    return f"{{id: {name}, kind: wait, owner: duty, for: 1m, title: {{zh: 等, en: {name}}}{more}}}"


def links(plan: Plan) -> dict[str, str | None]:
    return {name: step.next for name, step in plan.steps.items()}


def test_a_list_goes_on_downwards_between_a_start_and_an_end_of_its_own() -> None:
    plan = plan_of(f"  - {wait('a')}\n  - {wait('b')}\n")

    assert links(plan) == {"start": "a", "a": "b", "b": "end", "end": None}
    assert plan.first == "start"


def test_a_branch_ends_where_its_list_ends_and_steps_stand_in_the_order_of_the_file() -> None:
    plan = plan_of(
        f"""
  - id: fork
    kind: parallel
    title: {{zh: 并, en: fork}}
    branches:
      - [{wait("a")}, {wait("b")}]
      - [{wait("c")}]
  - id: if
    kind: if-condition
    owner: duty
    condition: "true"
    title: {{zh: 若, en: if}}
    then: [{wait("d")}]
    else: [{wait("e")}]
  - id: loop
    kind: while-condition
    owner: duty
    condition: "false"
    title: {{zh: 环, en: loop}}
    do: [{wait("f")}]
  - id: which
    kind: switch-condition
    owner: duty
    value: incident.level
    title: {{zh: 选, en: which}}
    cases:
      I: [{wait("g")}]
    default: [{wait("h")}]
"""
    )

    assert list(plan.steps) == ["start", "fork", *"abc", "if", *"de", "loop", "f", "which", *"gh", "end"]
    nexts = links(plan)
    assert nexts["fork"] == "if"
    assert nexts["a"] == "b"
    assert nexts["b"] is nexts["c"] is nexts["h"] is None


def test_next_and_an_own_start_and_end_are_kept() -> None:
    title = "title: {zh: 一, en: one}"
    plan = plan_of(
        f"  - {{id: go, kind: start, {title}}}\n  - {wait('a', ', next: c')}\n  - {wait('b')}\n"
        f"  - {wait('c', ', next: b')}\n  - {{id: stop, kind: end, {title}}}\n"
    )

    assert links(plan) == {"go": "a", "a": "c", "b": "c", "c": "b", "stop": None}
    assert plan.first == "go"


def test_a_graph_is_read_as_it_stands() -> None:
    plan = plan_of(
        "  start: {kind: start, title: {zh: 始, en: s}, next: end}\n"
        "  end: {kind: end, title: {zh: 终, en: e}}\n"
    )

    assert links(plan) == {"start": "end", "end": None}


def test_every_mistake_is_told_at_its_own_line() -> None:
    with pytest.raises(Mistakes) as caught:
        plan_of(
            f"  - {wait('a')}\n  - {wait('a')}\n  - kind: wait\n  - just text\n"
            "  - {id: x, kind: if-condition, condition: '1', title: {zh: 若}, then: []}\n"
        )

    assert [(mistake.line, mistake.path) for mistake in caught.value.mistakes] == [
        (5, "steps.id"),
        (6, "steps[2]"),
        (7, "steps[3]"),
        (8, "steps.x.title.en"),
        (8, "steps.then"),
    ]


@pytest.mark.parametrize(
    ("kind", "given", "value"),
    [
        ("text", "true", "true"),
        ("bool", "true", True),
        ("bool", False, False),
        ("number", "3", 3),
        ("number", "2.5", 2.5),
        ("number", 7, 7),
        ("time", "2026-03-02T09:10:00+08:00", "2026-03-02T09:10:00+08:00"),
        ("choice", "a", "a"),
        ("text", None, None),
    ],
)
def test_a_value_is_read_as_its_type(kind: str, given: object, value: object) -> None:
    assert typed(given, kind) == value  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("bool", "yes"),
        ("number", "lots"),
        ("number", "inf"),
        ("number", True),
        ("number", "9" * 50),
        ("number", []),
        ("time", "noon"),
        ("time", "2026-03-02T09:10:00"),
        ("text", 3),
        ("time", 3),
    ],
)
def test_a_value_of_another_type_is_refused(kind: str, given: object) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        typed(given, kind)  # type: ignore[arg-type]


def test_a_variables_value_is_checked_where_it_stands() -> None:
    with pytest.raises(Mistakes) as caught:
        plan_of(f"  - {wait('a')}\n", HEAD + "variables:\n  n: {type: number, value: lots}\n")

    assert str(caught.value) == "p.yaml:4:28: variables.n.value: found 'lots', expected a number"


@pytest.mark.parametrize("path", PLAYBOOKS, ids=lambda path: path.stem)
def test_a_pinned_plan_is_the_plan(path: Path) -> None:
    plan, _ = read_plan(path.read_text(), str(path))

    body, sha256 = pin(plan, {})

    whole = unpin(body)
    assert whole == replace(plan, steps=plan.steps | {REGRADE: whole.steps[REGRADE]})
    assert pin(unpin(body), {})[1] == sha256


def test_a_called_plan_is_put_in_with_its_links_under_the_calling_step() -> None:
    inner = plan_of(f"  - {wait('a', ', on_failure: continue')}\n")
    title = Text(zh="调", en="call")
    outer = plan_of(f"  - {wait('before')}\n")
    call = PlaybookAction(title=title, owner="duty", plan="p", next="end")
    outer = Plan(id="outer", name=title, steps={**outer.steps, "call": call})

    pinned = unpin(pin(outer, {"p": inner})[0])

    assert pinned.steps["call"].first == "call/start"  # type: ignore[union-attr]
    assert pinned.steps["call/start"].next == "call/a"
    assert (pinned.steps["call/a"].next, pinned.steps["call/a"].on_failure) == ("call/end", "continue")


def test_plans_that_call_each_other_in_a_circle_are_refused() -> None:
    title = Text(zh="调", en="call")
    steps = {"start": PlaybookAction(title=title, owner="duty", plan="b")}
    plans = {
        "a": Plan(id="a", name=title, steps={"start": PlaybookAction(title=title, owner="duty", plan="b")}),
        "b": Plan(id="b", name=title, steps={"start": PlaybookAction(title=title, owner="duty", plan="a")}),
    }

    with pytest.raises(ValueError, match=r"circle \(a -> b\)"):
        pin(plans["a"], plans)
    with pytest.raises(ValueError, match="not 'b'"):
        pin(Plan(id="c", name=title, steps=steps), {})


def test_plans_that_double_by_calling_are_stopped() -> None:
    title = Text(zh="调", en="call")
    plans: dict[str, Plan] = {"p0": plan_of(f"  - {wait('a')}\n")}
    for level in range(1, 30):
        calls = {
            f"s{index}": PlaybookAction(title=title, owner="duty", plan=f"p{level - 1}") for index in range(2)
        }
        plans[f"p{level}"] = Plan(id=f"p{level}", name=title, first="s0", steps=calls)

    with pytest.raises(ValueError, match=f"at most {MAX_PINNED_STEPS}"):
        pin(plans["p29"], plans)


@given(st.text(max_size=300))
def test_no_text_makes_reading_fail_but_by_its_mistakes(text: str) -> None:
    with contextlib.suppress(Mistakes):
        read_plan(text, "p.yaml")


_NAMES = st.sampled_from(
    ["id", "kind", "steps", "then", "do", "branches", "cases", "next", "title", "default"]
)
_NODES = st.recursive(
    st.sampled_from(["a", "wait", "parallel", "if-condition", "end", "", "[]"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(_NAMES, _NODES, max_size=5))
def test_unfolding_takes_any_shape(shape: object) -> None:
    tree, _ = unfold(yaml_marks.read(str(shape), "p.yaml"))

    assert tree.mark.line == 1
