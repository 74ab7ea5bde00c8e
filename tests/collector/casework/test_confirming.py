from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from collector.casework.confirming import NotAPersonError, confirm_level, confirm_missed
from collector.casework.dossier import Cause, Dossier
from collector.casework.findings import new_incident
from collector.casework.texts import Jump
from collector.incident import IllegalMoveError

if TYPE_CHECKING:
    from tests.conftest import Office

NINE = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
WANG = Cause(actor="person:wang", reason="as I saw it")


@pytest.fixture
def dossier(office: "Office") -> Dossier:
    incident = new_incident(office.finding(NINE), NINE, NINE)
    return Dossier(replace(incident, level="III", level_by="cn-cac-2025", proposed=True))


def test_a_confirmed_level_is_final_and_the_journal_says_by_whom(dossier: Dossier) -> None:
    confirm_level(dossier, "III", WANG, NINE)

    held = dossier.incident
    assert (held.proposed, held.confirmed_level, held.confirmed_by) == (False, "III", "person:wang")
    (entry,) = dossier.entries
    assert (entry.actor, entry.action, entry.detail["reason"]) == (
        "person:wang",
        "incident.graded",
        "as I saw it",
    )


def test_a_level_that_rose_meanwhile_is_not_confirmed_unseen(dossier: Dossier) -> None:
    with pytest.raises(IllegalMoveError, match="III is proposed by now"):
        confirm_level(dossier, "IV", WANG, NINE)


@pytest.mark.parametrize("actor", ["system", "token:1", "node:2"])
def test_only_a_named_persons_word_counts(dossier: Dossier, actor: str) -> None:
    with pytest.raises(NotAPersonError, match=actor):
        confirm_level(dossier, "III", Cause(actor=actor), NINE)


def test_a_clock_that_is_in_no_doubt_is_not_confirmed(dossier: Dossier) -> None:
    with pytest.raises(IllegalMoveError, match="not this incident's"):
        confirm_missed(dossier, "c", WANG)


def test_what_was_jumped_over_ends_with_the_moment_reached() -> None:
    jump = Jump(began=NINE, ended=NINE + timedelta(hours=1))

    assert [jump.covers(NINE + timedelta(minutes=m)) for m in (0, 1, 60, 61)] == [False, True, True, False]
