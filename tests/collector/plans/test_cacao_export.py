"""Our plans as playbooks: valid by the schemas of CACAO 2.0, and read back to the same plan."""

import json
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest
from jsonschema import Draft7Validator
from referencing import Registry, Resource

from collector.plans import Plan, examine
from collector.plans.cacao import EXTENSION, identifier
from collector.plans.cacao_export import export_plan, stamp, switch_out
from collector.plans.cacao_import import import_playbook

ROOT = Path(__file__).parents[3]
SCHEMAS = ROOT / "tests" / "golden" / "cacao" / "schemas"
NOW = datetime(2026, 3, 2, tzinfo=UTC)
BY = identifier("identity", "unit")
EVERYTHING = """
id: everything
name: {zh: 全部, en: everything}
may_start: {I: leader}
classes: [SHEVULN]
warnings: [orange, red]
raised: [{id: more, kind: notify, owner: duty, to: leader, title: {zh: 升, en: raised}}]
lowered: [{id: less, kind: notify, owner: duty, to: leader, title: {zh: 降, en: lowered}}]
variables: {n: {type: number, value: 3}, yes: {type: bool, value: true}, c: {value: 'x', constant: true}}
steps:
  - id: side-by-side
    kind: parallel
    title: {zh: 并行, en: parallel}
    on_branch_failure: cancel
    branches:
      - - {id: call, kind: http_request, owner: duty, url: "https://a.gov.example/x",
           body: {k: v}, title: {zh: 调, en: c}}
      - - {id: deny, kind: http_request, owner: duty, url: "https://a.gov.example/openc2",
           body: {action: deny, target: {ipv4_net: 198.51.100.7}}, title: {zh: 封, en: deny}}
  - {id: ok, kind: approve, owner: leader, deputy: superior, quorum: 2, four_eyes: true, timeout: 1h,
     title: {zh: 批, en: ok}}
  - id: loop
    kind: while-condition
    owner: duty
    condition: vars.n > 5
    at_most: 3
    title: {zh: 环, en: loop}
    do: [{id: do, kind: manual, owner: duty, timeout: 1h, on_timeout: stay, undo: undo,
          title: {zh: 办, en: do},
          form: {n: {type: number, title: {zh: 数, en: n}}}, out: {n: n}}]
  - id: which
    kind: switch-condition
    owner: duty
    value: vars.c
    title: {zh: 选, en: which}
    cases: {x: [{id: w, kind: wait, owner: duty, for: 90s, title: {zh: 等, en: w}}]}
    default: [{id: v, kind: wait, owner: duty, incident: contained, title: {zh: 等, en: v}}]
  - id: whether
    kind: if-condition
    owner: duty
    condition: vars.yes && vars.n < 9
    title: {zh: 否, en: whether}
    then: [{id: called, kind: playbook-action, plan: page-tampering, title: {zh: 另案, en: called}}]
  - {id: report, kind: file_report, owner: duty, obligation: cn-informatization/report,
     title: {zh: 报, en: r}, due: {obligation: cn-informatization/report, ahead: 10m}, on_failure: continue}
  - {id: by-noon, kind: manual, owner: duty, title: {zh: 午, en: n},
     due: {at: "2026-03-02T12:00:00+08:00", ahead: 5m},
     undo: [{id: take-back, kind: manual, owner: duty, timeout: 1h, title: {zh: 撤, en: back}}]}
  - {id: look, kind: regrade, owner: leader, decide: owner, title: {zh: 级, en: level},
     raised: [{id: up, kind: wait, owner: duty, for: 1m, title: {zh: 升, en: up}}]}
  - {id: finish, kind: end, title: {zh: 完, en: end}}
  - {id: undo, kind: manual, owner: duty, timeout: 1h, title: {zh: 撤销, en: undo}}
"""
TEXTS = {path.stem: path.read_text() for path in sorted((ROOT / "playbooks").glob("*.yaml"))} | {
    "everything": EVERYTHING
}


@cache
def validator() -> Draft7Validator:
    contents = [json.loads(path.read_text()) for path in SCHEMAS.rglob("*.json")]
    registry = Registry().with_resources([(each["$id"], Resource.from_contents(each)) for each in contents])
    return Draft7Validator(json.loads((SCHEMAS / "playbook.json").read_text()), registry=registry)


def read(text: str) -> Plan:
    examined = examine(text, "p.yaml")
    assert examined.plan is not None, examined.findings
    return examined.plan


@pytest.mark.parametrize("name", TEXTS)
def test_a_plan_is_exported_by_the_schemas_and_read_back_to_itself(name: str) -> None:
    plan = read(TEXTS[name])

    document = export_plan(plan, created_by=BY, created=NOW, modified=NOW)

    assert [error.message for error in validator().iter_errors(document)] == []
    again = import_playbook(json.dumps(document), "p.json")
    assert again.findings == []
    assert again.plan == plan


def test_other_tools_find_the_graph_and_the_people_in_cacaos_own_words() -> None:
    plan = read(TEXTS["page-tampering"])
    document = export_plan(plan, created_by=BY, created=NOW, modified=NOW)
    by_name = {step.get("name"): step for step in document["workflow"].values()}

    parallel = by_name["先期处置与报告"]
    assert len(parallel["next_steps"]) == 4
    restore = by_name["从签名备份恢复页面"]
    assert document["agent_definitions"][restore["agent"]] == {"type": "group", "name": "网站管理员"}
    assert "timeout" not in restore, "a step that stays open does not fail by its timeout"
    assert restore["step_extensions"][EXTENSION]["timeout"] == "4h"


def test_what_another_tool_changed_counts() -> None:
    plan = read(TEXTS["page-tampering"])
    document = export_plan(plan, created_by=BY, created=NOW, modified=NOW)
    name, step = next(
        (name, step) for name, step in document["workflow"].items() if step.get("name") == "填写原因与整改"
    )
    document["workflow"][name] = {**step, "name": "总结", "timeout": 60_000}

    changed = import_playbook(json.dumps(document), "p.json").plan

    assert changed is not None
    cause = changed.steps["cause"]
    assert (cause.title.zh, cause.title.en, cause.on_timeout) == ("总结", "总结", "fail")
    assert cause.timeout is not None
    assert cause.timeout.total_seconds() == 60


def test_small_things_are_written_as_cacao_writes_them() -> None:
    assert stamp(NOW) == "2026-03-02T00:00:00.000Z"
    assert switch_out("vars.finding") == "__finding__:value"
    assert switch_out("incident.level") == "incident.level"
