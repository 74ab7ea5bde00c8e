"""The terms of a case: what is not told is not there, and what goes on grows with time."""

from datetime import datetime

import pytest

from collector.regimes import terms
from collector.regimes.case import read_case

NOW = datetime.fromisoformat("2026-03-02T12:00:00+08:00")


def known(text: str) -> dict[str, object]:
    return terms.values(read_case(text, "case.yaml"), NOW)


def test_of_an_empty_description_nothing_is_known() -> None:
    assert known("unit: {}\n") == {}


def test_what_is_told_is_known_and_what_follows_from_it() -> None:
    assert known(
        """
        unit: {kind: provincial_cac, region: CN-HK, targets: {cn-informatization/report: 30m}}
        asset: {cii: false}
        incident: {class: NAWEBMOD, facts: {reposts: 0}, times: {aware: 2026-03-02T12:00:00+08:00}}
        """
    ) == {
        "unit.kind": "provincial_cac",
        "unit.receives": True,
        "unit.region": "CN-HK",
        "unit.country": "HK",
        "unit.eu": False,
        "asset.cii": False,
        "incident.class": "NAWEBMOD",
        "facts.reposts": 0,
    }


@pytest.mark.parametrize(
    ("facts", "minutes"),
    [
        ("portal_down_minutes: 130", 130),
        ("portal_down_since: 2026-03-02T09:50:00+08:00", 130),
        ("portal_down_since: 2026-03-02T01:50:00Z", 130),
        # What lies later than now has not happened.
        ("portal_down_since: 2026-03-02T12:00:01+08:00", None),
        # Down for an hour in the morning and down again: the longer counts.
        ("{portal_down_minutes: 60, portal_down_since: 2026-03-02T11:50:00+08:00}", 60),
        ("{portal_down_minutes: 60, portal_down_since: 2026-03-02T09:50:00+08:00}", 130),
        ("portal_down_since: 2026-03-02T12:00:00+08:00", 0),
    ],
)
def test_an_outage_that_goes_on_lasts_until_now(facts: str, minutes: int | None) -> None:
    text = facts if facts.startswith("{") else f"{{{facts}}}"

    assert known(f"incident: {{facts: {text}}}").get("facts.portal_down_minutes") == minutes


def test_a_missing_term_is_named_by_what_a_person_would_tell() -> None:
    assert [
        terms.origin(name) for name in ("unit.eu", "unit.receives", "facts.portal_down_minutes", "asset.cii")
    ] == [
        "unit.region",
        "unit.kind",
        "facts.portal_down",
        "asset.cii",
    ]


def test_a_misspelt_term_is_recognised() -> None:
    assert terms.nearest("facts.repost") == " (did you mean 'facts.reposts'?)"
    assert terms.nearest("zzz") == ""


def test_every_fact_of_a_case_has_a_term() -> None:
    fields = {
        name.removesuffix("_since").removesuffix("_minutes") for name in terms.forms.Facts.__struct_fields__
    }
    named = {terms.origin(name).removeprefix("facts.") for name in terms.TERMS if name.startswith("facts.")}

    assert fields - named == {"intermediate_requested"}
