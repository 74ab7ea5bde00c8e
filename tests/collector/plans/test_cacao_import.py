"""Playbooks as plans: public ones run or say why; what nobody changed goes out as it came in."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.plans import examine
from collector.plans.cacao import identifier
from collector.plans.cacao_import import Imported, import_playbook, playbook_of
from collector.plans.model import If, Manual, PlaybookAction, Switch, Wait, While

ROOT = Path(__file__).parents[3]
GOLDEN = ROOT / "tests" / "golden" / "cacao"
NOW = datetime(2026, 3, 2, tzinfo=UTC)
BY = identifier("identity", "unit")
S, A, B, C, E, F = (
    identifier(kind, name)
    for kind, name in [
        ("start", "s"),
        ("action", "a"),
        ("action", "b"),
        ("if-condition", "c"),
        ("end", "e"),
        ("end", "f"),
    ]
)


def action(after: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - fields of a step
    commands = [{"type": "manual", "command": "look"}]
    return {"type": "action", "name": "look", "on_completion": after, "commands": commands, **more}


def playbook(workflow: dict[str, Any], **more: Any) -> dict[str, Any]:  # noqa: ANN401 - fields of a playbook
    steps = {S: {"type": "start", "on_completion": next(iter(workflow))}, **workflow, E: {"type": "end"}}
    return {
        "type": "playbook",
        "spec_version": "cacao-2.0",
        "id": identifier("playbook", "p"),
        "name": "p",
        "created_by": BY,
        "created": "2026-01-01T00:00:00.000Z",
        "modified": "2026-01-01T00:00:00.000Z",
        "workflow_start": S,
        "workflow": steps,
        **more,
    }


def imported(document: dict[str, Any]) -> Imported:
    return import_playbook(json.dumps(document), "p.json")


def errors(found: Imported) -> list[str]:
    return [str(each.mistake) for each in found.findings if each.severity == "error"]


@pytest.mark.parametrize("path", sorted((GOLDEN / "playbooks").glob("*.json")), ids=lambda path: path.stem)
def test_a_public_playbook_runs_and_goes_out_as_it_came(path: Path) -> None:
    found = import_playbook(path.read_text(), str(path))

    assert found.plan is not None, found.findings
    assert examine(found.yaml, "p.yaml").plan == found.plan
    again = playbook_of(found.plan, created_by=BY, now=NOW)
    assert json.dumps(again) == json.dumps(json.loads(path.read_text()))


@pytest.mark.parametrize("path", sorted((GOLDEN / "refused").glob("*.json")), ids=lambda path: path.stem)
def test_a_public_playbook_that_cannot_run_says_why_with_a_json_path(path: Path) -> None:
    found = import_playbook(path.read_text(), str(path))

    assert found.plan is None
    assert all(": $" in each for each in errors(found))


def test_a_condition_in_prose_is_a_persons_decision() -> None:
    step = {
        "type": "if-condition",
        "condition": "Operator input to proceed",
        "on_true": A,
        "on_completion": E,
    }

    found = imported(playbook({C: step, A: action(F), F: {"type": "end"}}))

    assert found.plan is not None
    branch = found.plan.steps[C]
    assert isinstance(branch, If)
    assert (branch.condition, branch.owner) == ("stix: Operator input to proceed", "duty")
    warned = [str(each.mistake) for each in found.findings if "condition" in each.mistake.path]
    assert "a person decides" in warned[0]
    assert f"$.workflow['{C}'].condition" in warned[0]


def test_all_branching_steps_are_read() -> None:
    loop, switch, call = (
        identifier(kind, "x") for kind in ("while-condition", "switch-condition", "playbook-action")
    )
    other = identifier("playbook", "other")
    found = imported(
        playbook(
            {
                loop: {
                    "type": "while-condition",
                    "condition": "__n__:value < 3",
                    "on_true": A,
                    "on_completion": switch,
                },
                A: action(loop),
                switch: {
                    "type": "switch-condition",
                    "switch": "__n__:value",
                    "cases": {"1": B, "default": F},
                    "on_success": call,
                },
                B: action(F, timeout=1500),
                F: {"type": "end"},
                call: {"type": "playbook-action", "playbook_id": other, "on_completion": E},
            },
            playbook_variables={"__n__": {"type": "integer", "value": "1", "constant": False}},
        )
    )

    assert found.plan is not None, found.findings
    steps = found.plan.steps
    assert isinstance(steps[loop], While)
    assert steps[A].next is None
    assert isinstance(taken := steps[switch], Switch)
    assert (taken.value, taken.cases, taken.default) == ("vars.n", {"1": B}, F)
    assert isinstance(called := steps[call], PlaybookAction)
    assert called.plan == other
    assert steps[B].timeout == timedelta(seconds=2)
    assert found.plan.variables["n"].value == 1


def test_a_delay_is_a_wait_before_the_step() -> None:
    found = imported(playbook({A: action(E, delay=5_000)}))

    assert found.plan is not None
    waits = found.plan.steps[A]
    assert isinstance(waits, Wait)
    assert waits.length == timedelta(seconds=5)
    assert isinstance(found.plan.steps[waits.next or ""], Manual)
    assert playbook_of(found.plan, created_by=BY, now=NOW)["workflow"][A]["delay"] == 5_000


def test_what_fails_on_the_main_line_goes_to_the_workflows_exception() -> None:
    found = imported(playbook({A: action(E), B: action(E)}, workflow_exception=B))

    assert found.plan is not None, found.findings
    assert (found.plan.steps[A].on_failure, found.plan.steps[B].on_failure) == (B, None)


def test_an_exception_that_is_not_there_is_a_warning() -> None:
    found = imported(playbook({A: action(E)}, workflow_exception=F))

    assert found.plan is not None
    assert "$.workflow_exception" in str(found.findings[-1])


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({"spec_version": "1.1"}, "$.spec_version: found '1.1', expected 'cacao-2.0'"),
        ({"workflow": []}, "$.workflow: found a list, expected an object"),
        ({"workflow_start": "start--1"}, "$.workflow_start: found the step 'start--1'"),
        ({"playbook_variables": {"__a__": 7}}, "$.playbook_variables.__a__: found a int, expected an object"),
    ],
)
def test_a_playbook_of_bad_form_is_told_by_its_path(change: dict[str, Any], wrong: str) -> None:
    assert wrong in errors(imported(playbook({A: action(E)}) | change))[0]


@pytest.mark.parametrize(
    ("step", "wrong"),
    [
        ({**action(E), "type": "action-now"}, ".type: found 'action-now'"),
        (action(E, timeout="soon"), ".timeout: found 'soon', expected milliseconds"),
        (action(B), ".on_completion: found the step"),
        (action(A), "a circle that nothing leaves"),
    ],
)
def test_a_step_of_bad_form_is_told_by_its_path(step: dict[str, Any], wrong: str) -> None:
    told = errors(imported(playbook({A: step})))

    assert any(f"$.workflow['{A}']" in each and wrong in each for each in told), told


def test_what_was_changed_since_goes_out_anew_over_what_came() -> None:
    document = playbook({A: action(E, external_references=[{"name": "x"}])}, x_unit="kept")
    found = imported(document)
    assert found.plan is not None
    changed = examine(found.yaml.replace("text:\n      zh: look", "text:\n      zh: 查看"), "p.yaml").plan
    assert changed is not None
    assert changed != found.plan

    again = playbook_of(changed, created_by=BY, now=NOW)

    assert again["x_unit"] == "kept"
    assert again["workflow"][A]["external_references"] == [{"name": "x"}]
    assert again["workflow"][A]["description"] == "查看"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
FIELDS = (
    *("type", "name", "on_completion", "on_success", "on_failure", "commands", "agent", "targets", "timeout"),
    *(
        "delay",
        "out_args",
        "step_variables",
        "step_extensions",
        "condition",
        "on_true",
        "next_steps",
        "cases",
    ),
    *("cases", "description"),
)
HEADS = (
    *("playbook_variables", "workflow_exception", "workflow_start", "agent_definitions"),
    *("playbook_extensions", "id", "name"),
)


@given(
    st.sampled_from(["action", "parallel", "if-condition", "switch-condition", "playbook-action"]),
    st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=4),
    st.dictionaries(st.sampled_from(HEADS), JSON, max_size=2),
)
def test_whatever_a_playbook_says_there_is_an_answer(
    kind: str, step: dict[str, Any], more: dict[str, Any]
) -> None:
    found = imported(playbook({A: {"type": kind, "on_completion": E, **step}}) | more)

    assert (found.plan is None) is bool(errors(found))
