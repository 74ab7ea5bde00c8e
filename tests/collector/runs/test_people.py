"""What people do to a run: forms, approvals, decisions, skips, giving up."""

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from collector.errors import PermanentError
from collector.plans.model import Field, Manual, Text
from collector.runs.people import (
    StepRefusedError,
    act_on_run,
    complete_step,
    filled_form,
    give_up,
    skip_step,
)

if TYPE_CHECKING:
    from tests.collector.runs.conftest import PlanRoom

TITLE = Text(zh="一", en="the cause")
APPROVAL = """
id: asks
name: {zh: 批, en: asks}
classes: [NAWEBMOD]
steps:
  - {id: first, kind: manual, owner: duty, timeout: 1h, undo: back, title: {zh: 办, en: do}}
  - id: allow
    kind: approve
    owner: leader
    quorum: 2
    four_eyes: true
    timeout: 1h
    on_failure: stopped
    title: {zh: 批准, en: approve}
  - {id: rest, kind: wait, owner: duty, for: 1m, title: {zh: 等, en: wait}, next: end}
  - {id: stopped, kind: wait, owner: duty, for: 1m, title: {zh: 停, en: stopped}, next: end}
  - {id: back, kind: manual, owner: duty, timeout: 1h, title: {zh: 撤销, en: undo}}
"""
DECISION = """
id: decides
name: {zh: 定, en: decides}
classes: [NAWEBMOD]
steps:
  - id: which
    kind: if-condition
    owner: duty
    condition: Operator input to proceed
    title: {zh: 若, en: if}
    then: [{id: yes, kind: wait, owner: duty, for: 1m, title: {zh: 等, en: wait}}]
"""


async def asking(room: "PlanRoom", text: str) -> tuple[str, str]:
    room.put(text)
    incident = await room.open()
    await room.work()
    return incident, (await room.run_of(incident)).id


DUTY, LEADER = frozenset({"duty"}), frozenset({"duty", "leader"})


async def say(
    room: "PlanRoom",
    run: str,
    step: str,
    actor: str,
    roles: frozenset[str] = LEADER,
    **out: Any,  # noqa: ANN401 - a form
) -> None:
    async with room.store.write() as conn:
        await complete_step(conn, run, step, actor, out, room.now, roles)


async def do(room: "PlanRoom", run: str, deed: str, **more: Any) -> None:  # noqa: ANN401 - what a deed needs
    asked = {"reason": "because", "actor": "person:zhao", "roles": LEADER, "now": room.now} | more
    async with room.store.write() as conn:
        await act_on_run(conn, run, deed, **asked)


async def test_a_form_is_told_every_mistake_at_once() -> None:
    step = Manual(
        title=TITLE,
        form={
            "cause": Field(title=TITLE),
            "when": Field(title=TITLE, type="time", required=False),
            "kind": Field(title=TITLE, type="choice", choices={"a": TITLE, "b": TITLE}),
        },
    )

    with pytest.raises(StepRefusedError) as caught:
        filled_form(step, {"when": "noon", "kind": "c", "stranger": 1})

    assert str(caught.value) == (
        "stranger: found an unknown field, expected one of cause, when, kind or comment; "
        "cause: found nothing, expected the cause; "
        "when: found 'noon', expected a time with offset such as 2026-03-02T09:10:00+08:00; "
        "kind: found 'c', expected one of a, b"
    )
    assert filled_form(step, {"cause": "x", "kind": "b", "comment": " seen "}) == {
        "cause": "x",
        "kind": "b",
        "comment": "seen",
    }


async def test_words_that_no_database_holds_are_kept_without_them(room: "PlanRoom") -> None:
    incident = await room.open()
    await room.work()

    await room.complete(incident, "static-notice", confirmed="true", comment="seen\x00 \ud800here\n")

    assert ((await room.steps(incident))["static-notice"].out or {})["comment"] == "seen here"
    with pytest.raises(StepRefusedError, match="found 20000 characters"):
        filled_form(Manual(title=TITLE, form={"cause": Field(title=TITLE)}), {"cause": "x" * 20_000})


async def test_a_step_that_does_not_wait_for_a_person_refuses_a_word(small_room: "PlanRoom") -> None:
    incident = await small_room.open()
    await small_room.work()
    run = (await small_room.run_of(incident)).id

    for step, why in [
        ("receipt", "does not wait for a person"),
        ("tell-duty", "is not open"),
        ("x", "is not open"),
    ]:
        with pytest.raises(StepRefusedError, match=why):
            await say(small_room, run, step, "person:wang")
    with pytest.raises(PermanentError, match="was never there"):
        await say(small_room, "no-run", "x", "person:wang")


async def test_an_approval_takes_as_many_people_as_it_asks_for_and_other_eyes(small_room: "PlanRoom") -> None:
    incident, run = await asking(small_room, APPROVAL)
    await say(small_room, run, "first", "person:wang")
    await small_room.work()

    with pytest.raises(StepRefusedError, match="four eyes"):
        await say(small_room, run, "allow", "person:wang", decision="approve")
    with pytest.raises(StepRefusedError, match="expected approve or refuse"):
        await say(small_room, run, "allow", "person:zhao", decision="maybe")
    await say(small_room, run, "allow", "person:zhao", decision="approve", comment="go")
    with pytest.raises(StepRefusedError, match="has spoken already"):
        await say(small_room, run, "allow", "person:zhao", decision="approve")
    assert (await small_room.states(incident))["allow"] == "waiting"
    await say(small_room, run, "allow", "person:li", decision="approve")
    await small_room.work()

    steps = await small_room.steps(incident)
    assert (steps["allow"].state, steps["rest"].state) == ("done", "waiting")
    assert (steps["allow"].out or {})["by"] == ["person:zhao", "person:li"]


async def test_one_refusal_ends_an_approval(small_room: "PlanRoom") -> None:
    incident, run = await asking(small_room, APPROVAL)
    await say(small_room, run, "first", "person:wang")
    await small_room.work()

    await say(small_room, run, "allow", "person:zhao", decision="refuse", comment="too early")
    await small_room.work()

    steps = await small_room.steps(incident)
    assert (steps["allow"].state, steps["allow"].why) == ("failed", "refused by person:zhao: too early")
    assert "stopped" in steps


@pytest.mark.parametrize(("decision", "taken"), [("true", True), ("FALSE", False)])
async def test_a_person_decides_what_a_condition_cannot(
    small_room: "PlanRoom",
    decision: str,
    taken: bool,  # noqa: FBT001 - the expected answer
) -> None:
    incident, run = await asking(small_room, DECISION)
    with pytest.raises(StepRefusedError, match="expected one of true, false"):
        await say(small_room, run, "which", "person:wang", decision="perhaps")

    await say(small_room, run, "which", "person:wang", decision=decision)
    await small_room.work()

    assert ("yes" in await small_room.steps(incident)) == taken
    assert (await small_room.run_of(incident)).state == ("running" if taken else "done")


async def test_a_step_is_skipped_for_a_reason_alone(small_room: "PlanRoom") -> None:
    incident, run = await asking(small_room, APPROVAL)
    async with small_room.store.write() as conn:
        with pytest.raises(StepRefusedError, match="reason"):
            await skip_step(conn, run, "first", actor="person:wang", reason=" ", now=small_room.now)
        await skip_step(conn, run, "first", actor="person:wang", reason="not needed", now=small_room.now)
    await small_room.work()

    step = (await small_room.steps(incident))["first"]
    assert (step.state, step.why, step.actor) == ("skipped", "not needed", "person:wang")


async def given_up(room: "PlanRoom") -> tuple[str, str, list[str]]:
    incident, run = await asking(room, APPROVAL)
    await say(room, run, "first", "person:wang")
    await room.work()
    async with room.store.write() as conn:
        return incident, run, await give_up(conn, run, "person:zhao", "false alarm", room.now)


async def test_a_run_that_is_given_up_waits_for_a_word_on_what_takes_its_steps_back(
    room: "PlanRoom",
) -> None:
    incident, run, undo = await given_up(room)
    await room.work(timedelta(hours=3))

    step = (await room.steps(incident))["back"]
    assert undo == ["back"]
    assert (step.state, step.out) == ("waiting", {"choices": ["undo", "leave"], "takes_back": "first#1"})
    assert (await room.run_of(incident)).state == "cancelling", "nothing is taken back by itself"

    await say(room, run, "back", "person:zhao", decision="undo")
    await room.work()
    assert (await room.states(incident))["back"] == "waiting", "now it is a step like any other"
    await say(room, run, "back", "person:wang")
    await room.work()

    assert (await room.run_of(incident)).state == "cancelled"
    assert [entry["state"] for entry in await room.told("run.ended")] == ["cancelled"]
    assert [entry["why"] for entry in await room.told("run.cancelled")] == ["false alarm"]


async def test_what_was_done_may_be_left_as_it_is(small_room: "PlanRoom") -> None:
    incident, run, _ = await given_up(small_room)

    await say(small_room, run, "back", "person:zhao", decision="leave", comment="harmless")
    await small_room.work()

    assert (await small_room.run_of(incident)).state == "cancelled"
    assert (await small_room.steps(incident))["back"].why == "harmless"
    assert await small_room.work() == 0


async def test_a_paused_run_begins_nothing_and_goes_on_by_itself(room: "PlanRoom") -> None:
    incident, run = await asking(room, APPROVAL)
    before = (await room.steps(incident))["first"].deadline
    assert before is not None
    await do(room, run, "pause", until=room.now + timedelta(hours=2))

    with pytest.raises(StepRefusedError, match="paused; resume it first"):
        await say(room, run, "first", "person:wang")
    assert await room.work(timedelta(minutes=90)) == 0, "its deadline of an hour does not pass meanwhile"
    await room.work(timedelta(minutes=30))

    assert (await room.run_of(incident)).state == "running"
    assert (await room.steps(incident))["first"].deadline == before + timedelta(hours=2)
    await say(room, run, "first", "person:wang")
    told = [(await room.told(action))[0] for action in ("run.paused", "run.resumed")]
    assert [told[0]["why"], told[1]["paused_for"]] == ["because", 7200.0]


async def test_a_person_resumes_a_run_before_its_time(small_room: "PlanRoom") -> None:
    incident, run = await asking(small_room, APPROVAL)
    await do(small_room, run, "pause")
    small_room.now += timedelta(minutes=10)
    await do(small_room, run, "resume")

    assert (await small_room.run_of(incident)).state == "running"
    with pytest.raises(StepRefusedError, match="is running, not paused"):
        await do(small_room, run, "resume")
    with pytest.raises(StepRefusedError, match="within the next 7 days"):
        await do(small_room, run, "pause", until=small_room.now + timedelta(days=8))
    with pytest.raises(StepRefusedError, match="expected one of pause, resume"):
        await do(small_room, run, "explode")
    with pytest.raises(StepRefusedError, match="expected one of I, II"):
        await do(small_room, run, "level", level="V")


async def test_a_failed_step_is_tried_again_and_the_run_goes_on(room: "PlanRoom") -> None:
    incident, run = await asking(room, APPROVAL)
    await room.work(timedelta(hours=2))
    assert (await room.run_of(incident)).state == "failed"

    await do(room, run, "retry", step="first")
    await room.work()
    await say(room, run, "first", "person:wang")
    await room.work()

    steps = await room.steps(incident)
    assert (await room.run_of(incident)).state == "running"
    assert (steps["first"].visit, steps["first"].state, steps["allow"].state) == (2, "done", "waiting")
    with pytest.raises(StepRefusedError, match="first#2 is done"):
        await do(room, run, "retry", step="first")
    with pytest.raises(StepRefusedError, match="was never there"):
        await do(room, run, "retry", step="rest")


async def test_an_approval_counts_only_from_who_bears_its_role(small_room: "PlanRoom") -> None:
    _, run = await asking(small_room, APPROVAL)
    await say(small_room, run, "first", "person:wang", DUTY)
    await small_room.work()

    with pytest.raises(StepRefusedError, match="approved by the role leader, found duty"):
        await say(small_room, run, "allow", "person:li", DUTY, decision="approve")
    with pytest.raises(StepRefusedError, match="found no role"):
        await say(small_room, run, "allow", "user:admin", frozenset(), decision="approve")


async def test_a_leader_sets_the_response_level_as_a_step_of_its_own(small_room: "PlanRoom") -> None:
    plan = APPROVAL.replace("steps:", "may_start: {I: leader, II: leader}\nsteps:", 1)
    incident, run = await asking(small_room, plan)

    with pytest.raises(StepRefusedError, match="started by the role 'leader', found duty"):
        await do(small_room, run, "level", level="II", roles=DUTY)
    await do(small_room, run, "level", level="II", reason="press is at the door")
    await small_room.work()

    step = (await small_room.steps(incident))["response-level"]
    assert (await small_room.run_of(incident)).level == "II"
    assert (step.state, step.why, step.actor) == ("done", "press is at the door", "person:zhao")
    assert {**(step.out or {})} == {"incident": "IV", "from": "IV", "to": "II"}
    await small_room.work(timedelta(minutes=1))
    assert (await small_room.run_of(incident)).level == "II", "the incident's level did not change meanwhile"


async def test_two_people_ending_two_branches_at_once_join_them(room: "PlanRoom") -> None:
    room.put(
        """
id: joins
name: {zh: 并, en: joins}
classes: [NAWEBMOD]
steps:
  - id: fork
    kind: parallel
    title: {zh: 并, en: fork}
    branches:
      - [{id: a, kind: manual, owner: duty, timeout: 1h, title: {zh: 甲, en: a}}]
      - [{id: b, kind: manual, owner: duty, timeout: 1h, title: {zh: 乙, en: b}}]
"""
    )
    incident = await room.open()
    await room.work()
    run = (await room.run_of(incident)).id

    await asyncio.gather(say(room, run, "a", "person:wang"), say(room, run, "b", "person:li"))
    await room.work()

    assert (await room.run_of(incident)).state == "done"
