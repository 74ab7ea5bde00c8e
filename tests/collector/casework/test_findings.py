from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from collector.casework.dossier import Dossier
from collector.casework.findings import matters, new_incident, tell_facts, text, times_of

if TYPE_CHECKING:
    from tests.conftest import Office

NINE = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


def test_an_incident_is_aware_of_itself_when_its_report_was_received(office: "Office") -> None:
    received = NINE + timedelta(minutes=3)
    incident = new_incident(office.finding(NINE), received, received + timedelta(minutes=1))

    assert times_of(incident) == {"occurred": NINE, "detected": NINE, "aware": received}
    assert (incident.state, incident.level, incident.count) == ("open", None, 1)


@pytest.mark.parametrize(
    ("changes", "ago", "matter"),
    [
        ({}, timedelta(0), False),
        ({"count": 40, "evidence": ({"path": "/index.html"},)}, timedelta(0), False),
        ({"facts": {"views": 7}}, timedelta(0), True),
        ({"times": {"occurred": NINE - timedelta(hours=1)}}, timedelta(0), True),
        ({}, timedelta(seconds=1), True),
        ({}, -timedelta(hours=1), False),
    ],
)
def test_only_facts_earlier_times_and_reopening_are_worth_grading_anew(
    office: "Office",
    changes: dict[str, object],
    ago: timedelta,
    matter: bool,  # noqa: FBT001 - a table's column
) -> None:
    held = new_incident(office.finding(NINE), NINE, NINE)

    assert matters(held, office.finding(NINE, **changes), NINE - ago) is matter
    assert matters(replace(held, state="handled"), office.finding(NINE, **changes), NINE - ago)


def test_the_journal_says_which_fact_changed_from_what_to_what(office: "Office") -> None:
    held = new_incident(office.finding(NINE, facts={"views": 7, "reposts": 1}), NINE, NINE)
    dossier = Dossier(held)
    dossier.change(
        facts={"views": 9, "moon": "full"}, times=held.times | {"aware": text(NINE - timedelta(1))}
    )
    tell_facts(dossier, held, "user:wang", "counted again")
    (entry,) = dossier.entries

    assert entry.actor == "user:wang"
    assert entry.detail == {
        "facts": {"moon": [None, "full"], "reposts": [1, None], "views": [7, 9]},
        "times": {"aware": ["2026-03-02T01:00:00Z", "2026-03-01T01:00:00Z"]},
        "reason": "counted again",
        "unreadable_facts": ["moon"],
    }
