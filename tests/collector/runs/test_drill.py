"""Drills: the same transitions, no effects, a clock that jumps."""

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from collector.plans import Plan, examine, pin, unpin
from collector.runs.course import cancel
from collector.runs.drill import Drilled, drill, made_up_incident, still_open
from wire.vocabulary import Level

NOW = datetime(2026, 9, 25, 9, 40, tzinfo=UTC)
PLAYBOOKS = {path.stem: path.read_text() for path in (Path(__file__).parents[3] / "playbooks").glob("*.yaml")}


def read(text: str) -> Plan:
    examined = examine(text, "p.yaml")
    assert examined.plan is not None, examined.findings
    return examined.plan


async def drilled(plan: Plan, *, confirm_all: bool = True) -> Drilled:
    body, sha256 = pin(plan, {})
    return await drill(unpin(body), sha256, NOW, confirm_all=confirm_all)


@pytest.mark.parametrize("name", PLAYBOOKS)
async def test_a_shipped_plan_is_drilled_to_its_end_in_well_under_a_second(name: str) -> None:
    begun = time.perf_counter()
    result = await drilled(read(PLAYBOOKS[name]))

    document = result.document()
    assert time.perf_counter() - begun < 0.5
    assert (document["ok"], document["drill"], document["end"]) == (True, True, "end")
    assert {step["state"] for step in document["steps"]} == {"done"}
    assert set(document["steps"][0]) >= {"id", "type", "state", "started", "ended", "out"}
    json.dumps(document)


@pytest.mark.parametrize("name", PLAYBOOKS)
async def test_without_people_the_automatic_steps_are_done_and_the_rest_is_named(name: str) -> None:
    result = await drilled(read(PLAYBOOKS[name]), confirm_all=False)

    states = {step["id"]: step["state"] for step in result.document()["steps"]}
    assert not result.ok
    assert {states.get(step, "done") for step in ("tell-duty", "report", "receipt")} == {"done"}
    left = still_open(result)
    assert left
    assert {(row.state, row.why) for row in left} == {("waiting", "late")}


@pytest.mark.parametrize("name", PLAYBOOKS)
@pytest.mark.parametrize("level", ["I", "II", "III"])
async def test_a_shipped_plan_comes_to_its_end_at_every_graver_level_too(name: str, level: Level) -> None:
    result = await drilled(replace(read(PLAYBOOKS[name]), levels=(level,)))

    states = {step["id"]: step["state"] for step in result.document()["steps"]}
    assert result.ok
    assert set(states.values()) == {"done"}
    assert ("first-report" in states) is ("grave" in states)
    if "grave" in states:  # it is asked for at once, and not only when the first hour's work is done
        begun = {step["id"]: step["started"] for step in result.document()["steps"]}
        assert begun["grave"] == begun["keep-evidence"]


RESTRICTS = {
    "credential-compromise": {"disable"},
    "data-leak": {"stop-leak"},
    "denial-of-service": {"confirm", "carrier"},
    "equipment-failure": {"protect"},
    "illegal-external-connection": {"cut"},
    "major-event-guard": {"staff", "reduce"},
    "malware-outbreak": {"isolate", "cut-segment"},
    "page-tampering": {"static-notice"},
    "portal-outage": {"verify"},
    "ransomware": {"stop-the-loss", "protect-backups"},
}


@pytest.mark.parametrize("name", RESTRICTS)
async def test_giving_up_a_shipped_plan_proposes_to_take_back_what_restricts_people(name: str) -> None:
    board = (await drilled(read(PLAYBOOKS[name]))).board
    board.run = replace(board.run, state="running")  # as it stood before its last step

    proposed = cancel(board, "false alarm", NOW, "person:li")

    asked = {row.step: (row.out or {}) for row in board.rows.values() if row.state == "waiting"}
    assert {out["takes_back"].split("#")[0] for out in asked.values()} == RESTRICTS[name]
    assert set(asked) == set(proposed)


@pytest.mark.parametrize(
    ("name", "step"),
    [
        ("equipment-failure", "switch"),
        ("illegal-external-connection", "cut-until-approved"),
        ("supply-chain-warning", "mitigate"),
    ],
)
def test_what_restricts_people_in_a_branch_that_a_drill_leaves_out_can_be_taken_back_too(
    name: str, step: str
) -> None:
    assert read(PLAYBOOKS[name]).steps[step].undo is not None


async def test_the_simulated_clock_jumps_to_what_comes_next() -> None:
    result = await drilled(
        read(
            "id: p\nname: {zh: 一, en: one}\nsteps:\n"
            "  - {id: a, kind: wait, owner: duty, for: 30d, title: {zh: 等, en: wait}}\n"
            "  - {id: b, kind: wait, owner: duty, title: {zh: 等, en: w},\n"
            "     until: 2027-01-01T00:00:00+08:00}\n"
        )
    )

    assert result.ok
    assert result.ended == datetime(2026, 12, 31, 16, 0, tzinfo=UTC)
    assert result.board.rows["a", 1].ended_at == NOW + timedelta(days=30)


async def test_every_choice_is_taken_for_the_people_and_a_loop_is_left() -> None:
    plan = read(
        """
id: p
name: {zh: 一, en: one}
steps:
  - {id: ok, kind: approve, owner: leader, quorum: 2, timeout: 1h, title: {zh: 批, en: ok}}
  - id: which
    kind: switch-condition
    owner: duty
    value: as somebody says
    title: {zh: 选, en: which}
    cases: {b: [{id: b, kind: wait, owner: duty, for: 1m, title: {zh: 等, en: w}}]}
  - id: loop
    kind: while-condition
    owner: duty
    condition: while somebody says
    title: {zh: 环, en: loop}
    do: [{id: c, kind: wait, owner: duty, for: 1m, title: {zh: 等, en: w}}]
  - {id: call, kind: http_request, owner: duty, url: "http://a/b", title: {zh: 调, en: call}}
"""
    )

    states = {step["id"]: step["out"] for step in (await drilled(plan)).document()["steps"]}

    assert states["which"] == {"branch": "b"}
    assert "c" not in states
    assert states["ok"]["by"] == ["person:drill-1", "person:drill-2"]


async def test_a_plan_that_fails_says_so() -> None:
    plan = read(
        "id: p\nname: {zh: 一, en: one}\nsteps:\n"
        "  - {id: a, kind: manual, owner: duty, timeout: 1h, title: {zh: 办, en: do}}\n"
    )

    document = (await drilled(plan, confirm_all=False)).document()

    assert (document["ok"], document["state"], document["end"]) == (False, "failed", None)
    assert "not over by its deadline" in document["steps"][-1]["why"]


def test_the_made_up_incident_is_of_the_plans_class_and_marked() -> None:
    plan = read(PLAYBOOKS["page-tampering"])

    incident = made_up_incident(plan, NOW)

    assert (incident.klass, incident.level, incident.drill) == ("NAWEBMOD", "IV", True)
    assert incident.title.startswith("【演练】")
