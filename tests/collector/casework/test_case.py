from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from collector.casework.case import case_of, ended, key_of, read_form, unreadable
from collector.casework.dossier import Dossier
from collector.regimes import Asset, Facts, Unit
from collector.store.proofs import Proof

if TYPE_CHECKING:
    from tests.conftest import Office

NINE = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


def test_unit_and_asset_come_from_the_register(opened: Callable[..., Dossier], office: "Office") -> None:
    case = case_of(opened().incident, office.registry, (), {})

    assert (case.unit.kind, case.unit.region, case.unit.timezone) == (
        "local_government",
        "CN-12",
        "Asia/Shanghai",
    )
    assert (case.asset.role, case.asset.mlps_grade, case.asset.classified) == ("portal", 3, False)


def test_what_the_register_does_not_list_is_neither_classified_nor_critical(
    opened: Callable[..., Dossier], office: "Office"
) -> None:
    incident = opened(unit="gone", asset="gone").incident

    case = case_of(incident, office.registry, (), {})
    assert (case.unit, case.asset) == (Unit(), Asset(classified=False, cii=False))


def test_filings_count_under_the_name_the_answer_has_for_their_clock(
    opened: Callable[..., Dossier], office: "Office"
) -> None:
    dossier = opened()
    (clock,) = dossier.clocks.values()
    proof = Proof(id="f", clock=clock.id, at=NINE, receipt_at=None, complete=False)
    stray = Proof(id="g", clock="gone", at=NINE, receipt_at=None, complete=True)
    case = case_of(dossier.incident, office.registry, [proof, stray], {clock.id: "a/b/c"})

    assert [(filing.obligation, filing.complete) for filing in case.incident.filings] == [("a/b/c", False)]
    assert key_of(clock) == ("cn-informatization", "report", "informatization_authority")


def test_a_suspected_crime_stands_beside_the_facts(opened: Callable[..., Dossier], office: "Office") -> None:
    case = case_of(opened(facts={"crime_suspected": True}).incident, office.registry, (), {})

    assert case.incident.crime_suspected is True


@pytest.mark.parametrize("value", ["many", -1, 1.5, None, "2026-03-02T09:00:00", ["x"]], ids=repr)
def test_what_cannot_be_read_is_not_known_and_is_named(value: object) -> None:
    facts = {"views": value, "portal_down_since": value, "reposts": 3}

    assert read_form(facts, Facts) == Facts(reposts=3)
    assert unreadable(facts) == ([] if value is None else ["views", "portal_down_since"])


def test_a_fact_that_no_regime_asks_for_is_named() -> None:
    assert unreadable({"phase_of_the_moon": "full", "crime_suspected": True}) == ["phase_of_the_moon"]


def test_what_is_over_has_lasted_its_whole_minutes() -> None:
    facts = {"portal_down_since": NINE.isoformat(), "portal_down_minutes": 90, "page_tampered_since": "?"}

    assert ended(facts, NINE + timedelta(minutes=61)) == {
        "portal_down_minutes": 90,
        "page_tampered_since": "?",
    }


@pytest.mark.parametrize(("value", "kind"), [("vulnerability", "vulnerability"), ("bug", None), (3, None)])
def test_whether_it_is_an_incident_or_a_vulnerability_stands_beside_the_facts(
    opened: Callable[..., Dossier], office: "Office", value: object, kind: str | None
) -> None:
    case = case_of(opened(facts={"kind": value}).incident, office.registry, (), {})

    assert case.incident.kind == kind
