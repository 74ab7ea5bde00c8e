"""What a plan would do from a moment on, and whom it would wake."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from collector.plans import examine, pin, unpin
from collector.runs.simulate import Simulation, simulate

AT = datetime.fromisoformat("2026-09-25T17:40:00+08:00")
PLAYBOOK = Path(__file__).parents[3] / "playbooks" / "page-tampering.yaml"
PEOPLE = {"duty": ("李娜",), "leader": ("周强",)}


def people(role: str, at: datetime) -> Sequence[str]:
    assert at >= AT
    return PEOPLE.get(role, ())


async def simulated(*, confirm_all: bool) -> Simulation:
    plan = examine(PLAYBOOK.read_text(), str(PLAYBOOK)).plan
    assert plan is not None
    body, sha256 = pin(plan, {})
    return await simulate(unpin(body), sha256, AT, people, confirm_all=confirm_all)


async def test_if_nobody_does_anything_the_leader_is_told_when_the_time_is_over() -> None:
    document = (await simulated(confirm_all=False)).document(AT)

    woken = [each for each in document["moments"] if each["what"] in {"wakes", "overdue"}]
    assert [(each["at"], each["what"], each["step"], each["people"]) for each in woken] == [
        ("2026-09-25T17:40:00+08:00", "wakes", "tell-duty", ["李娜"]),
        ("2026-09-25T18:10:00+08:00", "overdue", "static-notice", ["周强"]),
    ]
    assert document["state"] == "running"


async def test_a_role_that_nobody_bears_falls_to_the_leader() -> None:
    document = (await simulated(confirm_all=True)).document(AT)

    asked = {each["step"]: each["people"] for each in document["moments"] if each["what"] == "asks"}
    assert asked == {"static-notice": ["周强"], "restore": ["周强"], "cause": ["李娜"]}
    assert document["state"] == "done"
    assert [each["at"] for each in document["moments"]] == sorted(each["at"] for each in document["moments"])
