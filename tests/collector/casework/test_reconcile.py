from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from collector.casework.dossier import Cause, Dossier
from collector.casework.reconcile import later, proof_of, reconcile
from collector.regimes import Obligation
from collector.store.clocks import Clock
from collector.store.proofs import Proof

if TYPE_CHECKING:
    from tests.conftest import Office

NINE = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
PERSON = Cause(actor="person:wang", reason="a wrong time was entered")


def owed(**changes: object) -> Obligation:
    values: dict[str, object] = {
        "id": "law/first",
        "regime": "law",
        "stage": "first",
        "recipient": "police",
        "anchor": "aware",
        "anchor_at": NINE,
        "due_at": NINE + 4 * HOUR,
        "target_at": None,
        "state": "open",
        "content": ("what happened",),
        "source": "Art. 4",
        "verified": True,
    }
    return Obligation(**values | changes)  # type: ignore[arg-type]


class Case:
    """A dossier whose clocks are made to follow what is owed."""

    def __init__(self, dossier: Dossier) -> None:
        self.dossier = dossier

    def follow(
        self,
        *obligations: Obligation,
        cause: Cause | None = None,
        proofs: Sequence[Proof] = (),
        now: datetime = NINE,
    ) -> None:
        self.dossier.entries.clear()
        reconcile(self.dossier, obligations, proofs, cause or Cause(), now)

    @property
    def clock(self) -> Clock:
        (clock,) = self.dossier.clocks.values()
        return clock

    @property
    def told(self) -> list[str]:
        return [entry.action for entry in self.dossier.entries]

    @property
    def armed(self) -> list[tuple[str, int]]:
        alarms = sorted(self.dossier.armed.values(), key=lambda alarm: alarm.at)
        return [(alarm.kind, alarm.generation) for alarm in alarms if alarm.clock]


@pytest.fixture
def case(opened: Callable[..., Dossier], office: "Office") -> Case:
    del office
    return Case(Dossier(opened().incident))


def test_what_is_owed_becomes_a_clock_with_alarms(case: Case) -> None:
    case.follow(owed())

    assert (case.clock.due_at, case.clock.generation, case.clock.content) == (
        NINE + 4 * HOUR,
        1,
        ["what happened"],
    )
    assert case.armed == [("half", 1), ("four_fifths", 1), ("due", 1)]
    assert case.told == ["clock.opened"]


def test_the_same_answer_again_changes_nothing(case: Case) -> None:
    case.follow(owed())
    before = case.clock
    case.follow(owed())

    assert (case.clock, case.told) == (before, [])


def test_an_earlier_time_is_taken_with_new_alarms(case: Case) -> None:
    case.follow(owed())
    case.follow(owed(due_at=NINE + HOUR))

    assert (case.clock.due_at, case.clock.generation) == (NINE + HOUR, 2)
    assert case.armed == [("half", 2), ("four_fifths", 2), ("due", 2)]
    assert case.told == ["clock.moved"]


@pytest.mark.parametrize(
    "slack",
    [
        {"due_at": NINE + 5 * HOUR},
        {"due_at": None, "state": "no_number"},
        {"due_at": None, "anchor_at": None, "state": "not_yet"},
        {"due_at": None, "anchor_at": None, "state": "cannot_compute"},
    ],
)
def test_more_time_needs_a_named_person_with_a_reason(case: Case, slack: dict[str, object]) -> None:
    case.follow(owed())
    case.follow(owed(**slack), cause=Cause(actor="system", reason="time passed"))
    case.follow(owed(**slack), cause=Cause(actor="person:wang", reason=" "))
    assert (case.clock.due_at, case.clock.state, case.told) == (NINE + 4 * HOUR, "open", [])

    case.follow(owed(**slack), cause=PERSON)
    assert (case.clock.due_at, case.clock.state) == (slack["due_at"], slack.get("state", "open"))
    assert case.dossier.entries[0].detail["reason"] == PERSON.reason


def test_what_is_owed_no_more_stays_until_a_person_withdraws_it(case: Case) -> None:
    case.follow(owed())
    case.follow()
    assert case.clock.state == "open"

    case.follow(cause=PERSON)
    assert (case.clock.state, case.armed) == ("withdrawn", [])


def test_a_withdrawn_clock_runs_again_when_it_is_owed_again(case: Case) -> None:
    case.follow(owed())
    case.follow(cause=PERSON)
    case.follow(owed())

    assert (case.clock.state, case.clock.generation) == ("open", 2)
    assert case.armed == [("half", 2), ("four_fifths", 2), ("due", 2)]


def test_a_receipt_ends_the_alarms_and_is_remembered(case: Case) -> None:
    case.follow(owed())
    proof = Proof(id="f", clock=case.clock.id, at=NINE, receipt_at=NINE + HOUR, complete=True)
    case.follow(owed(state="met"), proofs=[proof], now=NINE + HOUR)

    assert (case.clock.state, case.clock.met_by, case.clock.met_at) == ("met", "f", NINE + HOUR)
    assert case.armed == []
    assert case.told == ["clock.met"]
    case.follow(owed(state="met"), proofs=[proof], now=NINE + 2 * HOUR)
    assert case.told == []


def test_a_clock_met_too_late_says_by_how_much(case: Case) -> None:
    case.follow(owed())
    at = NINE + 5 * HOUR
    proof = Proof(id="f", clock=case.clock.id, at=at, receipt_at=at, complete=True)
    case.follow(owed(state="met_late"), proofs=[proof], now=at)

    assert case.dossier.entries[-1].detail["late_by_seconds"] == 3600


def test_an_obligation_keeps_its_clock_when_its_id_gains_the_recipient(case: Case) -> None:
    case.follow(owed())
    before = case.clock.id
    case.follow(owed(id="law/first/police"))

    assert (case.clock.id, case.clock.obligation) == (before, "law/first/police")
    assert case.told == []


def test_a_clock_that_is_triggered_begins_to_run(case: Case) -> None:
    case.follow(owed(due_at=None, anchor_at=None, state="not_yet"))
    assert case.armed == []

    case.follow(owed())
    assert case.armed == [("half", 2), ("four_fifths", 2), ("due", 2)]


def test_a_house_target_does_not_slip_by_itself_either(case: Case) -> None:
    target = {"due_at": None, "state": "no_number"}
    case.follow(owed(**target, target_at=NINE + HOUR))
    case.follow(owed(**target, target_at=NINE + 2 * HOUR))

    assert case.clock.target_at == NINE + HOUR


def test_a_number_by_law_takes_the_place_of_a_target_even_if_it_is_later(case: Case) -> None:
    case.follow(owed(due_at=None, target_at=NINE + HOUR, state="no_number"))
    case.follow(owed())

    assert (case.clock.due_at, case.clock.target_at) == (NINE + 4 * HOUR, None)


def test_the_earliest_filing_that_arrived_meets_the_clock(case: Case) -> None:
    case.follow(owed())
    proofs = [
        Proof(id=name, clock=case.clock.id, at=at, receipt_at=receipt, complete=True)
        for name, at, receipt in (
            ("lost", NINE, None),
            ("second", NINE + 2 * HOUR, NINE + 2 * HOUR),
            ("first", NINE + HOUR, NINE + 3 * HOUR),
        )
    ]

    found = proof_of(case.clock, proofs)
    assert found is not None
    assert found.id == "first"


def test_a_clock_that_is_met_cannot_slip(case: Case) -> None:
    case.follow(owed())
    met = replace(case.clock, state="met")

    assert not later(met, replace(met, due_at=None))
