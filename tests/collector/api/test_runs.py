from collections.abc import Awaitable, Callable
from typing import Any

from tests.browser.watch_room import Room

Ask = Callable[..., Awaitable[tuple[int, Any]]]


async def test_a_manual_step_is_done_once(room: Room, ask: Ask) -> None:
    incident = await room.open()
    await room.runner.work()
    _, found = await ask(f"/api/v1/runs?incident={incident}")
    [run] = found["items"]
    path = f"/api/v1/runs/{run['id']}"

    bad, problem = await ask(f"{path}/steps/static-notice", "POST", json={"out": {"confirmed": "perhaps"}})
    status, told = await ask(f"{path}/steps/static-notice", "POST", json={"out": {"confirmed": True}})
    again, _ = await ask(f"{path}/steps/static-notice", "POST", json={"out": {"confirmed": True}})

    assert (bad, status, again) == (409, 200, 409)
    assert "confirmed" in problem["detail"]
    [step] = [one for one in told["steps"] if one["step"] == "static-notice"]
    assert (step["state"], step["out"]["confirmed"]) == ("done", True)
    assert step["actor"].startswith("token:")


async def test_a_run_is_paused_resumed_and_given_up_with_reasons(room: Room, ask: Ask) -> None:
    incident = await room.open()
    await room.runner.work()
    _, found = await ask(f"/api/v1/runs?incident={incident}")
    path = f"/api/v1/runs/{found['items'][0]['id']}/deeds"

    status, paused = await ask(path, "POST", json={"deed": "pause", "reason": "wait for the vendor"})
    bare, problem = await ask(path, "POST", json={"deed": "cancel"})
    _, resumed = await ask(path, "POST", json={"deed": "resume"})
    _, skipped = await ask(path, "POST", json={"deed": "skip", "step": "static-notice", "reason": "no page"})
    unlawful, told = await ask(path, "POST", json={"deed": "level", "level": "I", "reason": "press"})
    _, over = await ask(path, "POST", json={"deed": "cancel", "reason": "false alarm"})

    assert (status, paused["state"], resumed["state"], over["state"]) == (
        200,
        "paused",
        "running",
        "cancelled",
    )
    assert paused["resume_at"] is not None
    assert (bare, problem["detail"]) == (409, "reason: found nothing, expected why")
    assert {step["step"]: step["state"] for step in skipped["steps"]}["static-notice"] == "skipped"
    assert (unlawful, "started by the role 'leader', found duty" in told["detail"]) == (409, True)


async def test_a_plan_is_started_by_hand_for_a_unit_or_an_incident(room: Room, ask: Ask) -> None:
    incident = await room.open()
    guard = {"plan": "major-event-guard", "reason": "a congress"}

    status, begun = await ask("/api/v1/runs", "POST", json={**guard, "unit": "district"})
    _, aside = await ask("/api/v1/runs", "POST", json={**guard, "incident": incident})
    neither, _ = await ask("/api/v1/runs", "POST", json=guard)
    unknown, _ = await ask("/api/v1/runs", "POST", json={**guard, "unit": "atlantis"})
    nothing, told = await ask("/api/v1/runs", "POST", json={**guard, "plan": "none", "unit": "district"})

    assert (status, begun["unit"], begun["incident"], begun["cause"]["reason"]) == (
        200,
        "district",
        None,
        "a congress",
    )
    assert aside["incident"] == incident
    assert (neither, unknown, nothing) == (400, 404, 409)
    assert "expected one of" in told["detail"]


async def test_a_warning_from_above_begins_the_plan_that_is_for_it_once(ask: Ask) -> None:
    warning = {"id": "cnvd-1", "colour": "red", "class": "SHEVULN", "title": "高危漏洞"}
    asked = {"unit": "district", "warning": warning}

    status, begun = await ask("/api/v1/runs", "POST", json=asked)
    _, again = await ask("/api/v1/runs", "POST", json=asked)
    none, told = await ask("/api/v1/runs", "POST", json={**asked, "warning": {**warning, "colour": "blue"}})
    wrong, _ = await ask("/api/v1/runs", "POST", json={**asked, "plan": "data-leak"})
    unknown, _ = await ask("/api/v1/runs", "POST", json={**asked, "unit": "atlantis"})

    assert (status, begun["plan"], begun["level"]) == (200, "supply-chain-warning", "I")
    assert (begun["cause"]["by"], again["id"]) == ("warning", begun["id"])
    assert (none, wrong, unknown) == (409, 400, 404)
    assert "no plan is for a blue warning of class SHEVULN" in told["detail"]
