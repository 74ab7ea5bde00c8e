"""How a run stands, as other CACAO tools read it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec import Struct

from collector.plans import Plan
from collector.plans.cacao import identifier
from collector.plans.cacao_export import export_plan
from collector.plans.cacao_status import execution_status
from collector.plans.model import End, Field, Manual, Start, Text, Variable, Wait

NOW = datetime(2026, 3, 2, 1, 10, tzinfo=UTC)
TITLE = Text(zh="一", en="one")
PLAN = Plan(
    id="p",
    name=TITLE,
    variables={"cause": Variable()},
    steps={
        "start": Start(title=TITLE, next="ask"),
        "ask": Manual(title=TITLE, form={"cause": Field(title=TITLE)}, out={"cause": "cause"}, next="rest"),
        "rest": Wait(title=TITLE, length=timedelta(minutes=1), next="end"),
        "end": End(title=TITLE),
    },
)


class Seen(Struct, frozen=True, kw_only=True):
    """A visit."""

    step: str
    visit: int = 1
    state: str = "done"
    out: Any = None
    why: str | None = None
    actor: str | None = None
    ready_at: datetime = NOW
    ended_at: datetime | None = NOW


class Run(Struct, frozen=True, kw_only=True):
    """A run."""

    id: str = "r"
    state: str = "running"
    started_at: datetime = NOW
    ended_at: datetime | None = None


def told(*visits: Seen, run: Run | None = None) -> dict[str, Any]:
    return execution_status(run or Run(), PLAN, visits)


def test_steps_stand_under_the_ids_of_the_export_with_the_newest_visit() -> None:
    document = told(
        Seen(step="start"), Seen(step="ask", visit=2, state="waiting", ended_at=None), Seen(step="ask")
    )
    exported = export_plan(PLAN, created_by=identifier("identity", "u"), created=NOW, modified=NOW)

    assert document["playbook_id"] == exported["id"]
    assert set(document["step_results"]) <= set(exported["workflow"])
    assert (document["status"], document["type"]) == ("await_user_input", "execution-status")
    assert document["started"] == "2026-03-02T01:10:00.000Z"
    assert "ended" not in document


def test_what_a_step_gave_and_who_did_it_is_told() -> None:
    ask = Seen(step="ask", out={"cause": "an old plugin"}, actor="person:wang")
    (result,) = told(ask)["step_results"].values()

    assert result["variables"]["__cause__"]["value"] == "an old plugin"
    assert (result["executed_by"], result["automated_execution"]) == ("person:wang", False)


def test_a_failure_says_whether_time_ran_out() -> None:
    over = Run(state="failed", ended_at=NOW)
    late = told(Seen(step="rest", state="failed", why=f"not over by its deadline {NOW}"), run=over)
    broken = told(Seen(step="rest", state="failed", why="refused"), run=over)

    assert [each["status"] for each in late["step_results"].values()] == ["timeout_error"]
    assert [each["status"] for each in broken["step_results"].values()] == ["failed"]
    assert (broken["status"], broken["errors"]) == ("failed", ["refused"])


def test_every_state_has_a_word_of_the_form() -> None:
    words = {"successfully_executed", "failed", "ongoing", "timeout_error", "await_user_input"}
    for state in ("ready", "waiting", "done", "failed", "skipped", "cancelled"):
        assert {
            each["status"] for each in told(Seen(step="rest", state=state))["step_results"].values()
        } <= words
    for state in ("running", "paused", "cancelling", "done", "failed", "cancelled"):
        assert told(run=Run(state=state))["status"] in words
    asks = Seen(step="rest", state="waiting", out={"choices": ["undo", "leave"]})
    assert told(asks)["status"] == "await_user_input"
