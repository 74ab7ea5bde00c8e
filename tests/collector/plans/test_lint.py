"""The lint: names that lead nowhere, graphs that cannot end, people who are not there."""

from pathlib import Path

import pytest

from collector.plans.lint import Finding, check
from collector.plans.load import read_plan

PLAYBOOKS = sorted((Path(__file__).parents[3] / "playbooks").glob("*.yaml"))
HEAD = "id: p\nname: {zh: 一, en: one}\nvariables: {n: {type: number, value: 1}}\nsteps:\n"
WAIT = "kind: wait, owner: duty, for: 1m, title: {zh: 等, en: wait}"


def findings(steps: str, head: str = HEAD, **context: object) -> list[Finding]:
    plan, tree = read_plan(head + steps, "p.yaml")
    return check(plan, tree, **context)  # type: ignore[arg-type]


def told(steps: str, head: str = HEAD, **context: object) -> list[str]:
    return [f"{each.mistake.line}: {each.mistake.sentence}" for each in findings(steps, head, **context)]


@pytest.mark.parametrize("path", PLAYBOOKS, ids=lambda path: path.stem)
def test_the_shipped_plans_are_without_a_finding(path: Path) -> None:
    plan, tree = read_plan(path.read_text(), str(path))

    assert check(plan, tree, plans=[]) == []
    assert plan.id == path.stem


@pytest.mark.parametrize(
    ("steps", "line"),
    [
        (f"  - {{id: a, {WAIT}, next: b}}\n", "5: steps.a.next: found the step 'b'"),
        (f"  - {{id: a, {WAIT}, on_failure: b}}\n", "5: steps.a.on_failure: found the step 'b'"),
        (f"  - {{id: a, {WAIT}, undo: b}}\n", "5: steps.a.undo: found the step 'b'"),
        ("  - {id: a, kind: wait, for: 1m, title: {zh: 等, en: w}}\n", "5: steps.a.owner: found nothing"),
        ("  - {id: a, kind: wait, owner: dutty, for: 1m, title: {zh: 等, en: w}}\n", "did you mean 'duty'?"),
        (f"  - {{id: continue, {WAIT}}}\n", "5: steps.continue: found the id 'continue'"),
        (
            (
                "  - {id: a, kind: manual, owner: duty, timeout: 1h, title: {zh: 办, en: d}, "
                "form: {a b: {title: {zh: 甲, en: a}}}}\n"
            ),
            "5: steps.a.form.a b: found the name 'a b'",
        ),
        (f"  - {{id: a, {WAIT}, out: {{m: receipt_at}}}}\n", "found the variable 'm', which is not declared"),
        (f"  - {{id: a, {WAIT}, out: {{n: cause}}}}\n", "5: steps.a.out.n: found the result 'cause'"),
        (
            "  - {id: a, kind: wait, owner: duty, for: 1m, title: {zh: '{vars.x}', en: w}}\n",
            "5: steps.a.title: found the variable 'x'",
        ),
        (
            (
                "  - {id: a, kind: order_agent, owner: duty, timeout: 1m, order: collect_evidence, "
                "title: {zh: 令, en: o}, params: {items: [memory]}}\n"
            ),
            "5: steps.a.params.items: found the name 'memory', expected one of processes, routes, sockets",
        ),
        (
            (
                "  - {id: a, kind: order_agent, owner: duty, timeout: 1m, order: collect_evidence, "
                "title: {zh: 令, en: o}, params: {itmes: [], logs: auth}}\n"
            ),
            "5: steps.a.params.itmes: found the parameter 'itmes', expected one of items, logs",
        ),
        (
            "  - {id: a, kind: order_agent, owner: duty, order: collect_evidence, title: {zh: 令, en: o}}\n",
            "5: steps.a.timeout: found nothing, expected the order's deadline",
        ),
        (
            (
                f"  - id: a\n    kind: if-condition\n    condition: 'true'\n    title: {{zh: 若, en: i}}\n"
                f"    then: [{{id: b, {WAIT}}}]\n"
            ),
            "5: steps.a.owner: found nothing, expected a role that decides",
        ),
        (
            "  - {id: a, kind: playbook-action, plan: pagetampering, title: {zh: 调, en: c}}\n",
            "5: steps.a.plan: found the plan 'pagetampering'",
        ),
    ],
)
def test_a_mistake_is_told_with_its_line(steps: str, line: str) -> None:
    assert any(line in each for each in told(steps, plans=["page-tampering"])), told(steps)


def test_a_name_that_is_nearly_right_is_proposed() -> None:
    (only,) = told(f"  - {{id: first, {WAIT}, next: frist}}\n  - {{id: last, {WAIT}}}\n")

    assert only.endswith("(did you mean 'first'?)")


def test_a_step_that_nothing_leads_to_is_told() -> None:
    steps = f"  - {{id: a, {WAIT}, next: c}}\n  - {{id: b, {WAIT}}}\n  - {{id: c, {WAIT}}}\n"

    assert told(steps) == [
        "6: steps.b: found a step that no run reaches, expected a step that something leads to"
    ]


def test_a_circle_that_nothing_leaves_is_told_for_each_of_its_steps() -> None:
    steps = f"  - {{id: a, {WAIT}}}\n  - {{id: b, {WAIT}, next: a}}\n"

    lines = [each for each in told(steps) if "circle" in each]

    assert [each.split(":")[0] for each in lines] == ["5", "6"]


def test_a_circle_with_a_way_out_is_none() -> None:
    steps = f"  - {{id: a, {WAIT}}}\n  - {{id: b, {WAIT}, next: a, on_failure: c}}\n  - {{id: c, {WAIT}}}\n"

    assert told(steps) == []


def test_a_branch_that_runs_into_the_main_line_is_told() -> None:
    steps = (
        f"  - id: f\n    kind: parallel\n    title: {{zh: 并, en: p}}\n"
        f"    branches:\n      - [{{id: a, {WAIT}, next: b}}]\n  - {{id: b, {WAIT}}}\n"
    )

    assert any("a step of the main line inside a branch of 'f'" in each for each in told(steps))


def test_a_step_of_two_branching_steps_is_warned_of() -> None:
    fork = "kind: parallel, title: {zh: 并, en: p}"
    graph = (
        "  start: {kind: start, title: {zh: 始, en: s}, next: f}\n"
        f"  f: {{{fork}, branches: [a], next: g}}\n  g: {{{fork}, branches: [a], next: end}}\n"
        f"  a: {{{WAIT}}}\n  end: {{kind: end, title: {{zh: 终, en: e}}}}\n"
    )

    assert [each.severity for each in findings(graph)] == ["warning"]


def test_a_graph_needs_a_start_and_an_end() -> None:
    lines = told(f"  a: {{{WAIT}, next: b}}\n  b: {{{WAIT}}}\n", HEAD.replace("steps:", "first: a\nsteps:"))

    assert [each.split(": ", 1)[1] for each in lines] == [
        "first: found a step of kind wait, expected a step of kind start",
        "steps: found no end, expected a step of kind end",
        "steps: found no start, expected a step of kind start",
    ]


def test_nothing_comes_behind_an_end() -> None:
    end = "kind: end, title: {zh: 终, en: e}"

    assert any("an end that something follows" in each for each in told(f"  - {{id: e, {end}, next: e}}\n"))


def test_a_constant_is_not_written_and_a_variable_needs_a_value_or_a_writer() -> None:
    head = HEAD.replace("value: 1}", "value: 1, constant: true}, m: {type: number}")
    form = "form: {n: {title: {zh: 数, en: n}}}"
    manual = f"kind: manual, owner: duty, timeout: 1h, title: {{zh: 办, en: do}}, {form}"

    lines = told(f"  - {{id: a, {manual}, out: {{n: n}}}}\n", head)

    assert any("the constant 'n'" in each for each in lines)
    assert any("variables.m: found neither a value nor a step that writes it" in each for each in lines)


def test_a_condition_in_prose_is_a_warning_for_a_person_decides() -> None:
    steps = (
        "  - id: a\n    kind: if-condition\n    owner: duty\n    condition: Operator input to proceed\n"
        f"    title: {{zh: 若, en: i}}\n    then: [{{id: b, {WAIT}}}]\n"
    )

    (only,) = findings(steps)

    assert (only.severity, "a person decides" in only.mistake.expected) == ("warning", True)
    assert str(only).endswith("(warning)")


def test_a_step_for_people_without_a_time_is_a_warning() -> None:
    (only,) = findings("  - {id: a, kind: manual, owner: duty, title: {zh: 办, en: do}}\n")

    assert (only.severity, only.mistake.path) == ("warning", "steps.a.timeout")


def test_a_quorum_larger_than_the_role_is_told() -> None:
    steps = "  - {id: a, kind: approve, owner: leader, timeout: 1h, quorum: 3, title: {zh: 批, en: ok}}\n"

    assert told(steps) == []
    assert told(steps, role_sizes={"leader": 2}) == [
        "5: steps.a.quorum: found 3 of 2 people, expected no more people than bear the role"
    ]


def test_an_obligation_that_no_step_files_is_a_warning() -> None:
    head = HEAD.replace("steps:", "classes: [NAWEBMOD]\nsteps:")
    report = "kind: file_report, owner: duty, obligation: cn-informatization/report, title: {zh: 报, en: r}"
    owed = {"NAWEBMOD": frozenset({"cn-informatization/report", "cn-cac-2025/first"})}

    lines = told(f"  - {{id: a, {report}}}\n", head, owed=owed)

    assert lines == ["4: classes: found NAWEBMOD owes cn-cac-2025/first, expected a step that files it"]


def test_levels_and_roles_of_who_may_start_it_are_checked() -> None:
    head = HEAD.replace("steps:", "may_start: {V: duty, I: boss}\nsteps:")

    lines = told(f"  - {{id: a, {WAIT}}}\n", head)

    assert [each.split(", expected")[0] for each in lines] == [
        "4: may_start.V: found the level 'V'",
        "4: may_start.I: found the role 'boss'",
    ]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("url", '"https://a.gov.example/{vars.page}"'),
        ("body", '{list: [{deep: "{vars.page}"}]}'),
        ("text", '{zh: "{vars.page}", en: x}'),
    ],
)
def test_what_an_address_a_body_or_a_text_names_has_to_be_declared(field: str, value: str) -> None:
    given = {"url": '"https://a.gov.example/x"', field: value}
    fields = ", ".join(f"{name}: {each}" for name, each in given.items())
    lines = told(f"  - {{id: a, kind: http_request, owner: duty, title: {{zh: 调, en: call}}, {fields}}}\n")

    assert any(f"steps.a.{field}: found the variable 'page'" in each for each in lines), lines


def test_steps_for_a_changed_level_are_reached_and_have_an_owner() -> None:
    head = HEAD.replace("steps:", f"raised:\n  - {{id: more, {WAIT}}}\nlowered: nowhere\nsteps:")
    lines = told("  - {id: look, kind: regrade, title: {zh: 级, en: level}}\n", head)

    assert any("lowered: found the step 'nowhere'" in each for each in lines), lines
    assert any("steps.look.owner: found nothing" in each for each in lines)
    assert not any("steps.more" in each for each in lines)


def test_warnings_start_only_a_plan_that_has_classes() -> None:
    lines = told(f"  - {{id: a, {WAIT}}}\n", HEAD.replace("steps:", "warnings: [red]\nsteps:"))
    assert any("warnings: found no classes" in each for each in lines)
