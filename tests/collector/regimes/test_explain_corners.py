"""Odd corners of the contract (product, section 5) and of the law's table, written from their text.

Each line: what is laid over a city's portal in Tianjin, when it is asked, what is owed and how it stands.
"""

from typing import Any, NamedTuple

import pytest

from .conftest import Ask, Described, applies, filed, filing, laid, obligations

NOW = "2026-03-02T10:00:00+08:00"
FIRST = "cn-cac-2025/first"
III: Described = {"incident": {"facts": {"portal_down_minutes": 130}}}
II: Described = {"incident": {"facts": {"portal_down_minutes": 400}}}
IV: Described = {"incident": {"facts": {"loss_yuan": 0}}}
CII: Described = {"asset": {"cii": True}}


def unit(**values: Any) -> Described:  # noqa: ANN401 - any field
    return {"unit": values}


def facts(**values: Any) -> Described:  # noqa: ANN401 - any field
    return {"incident": {"facts": values}}


def times(**values: Any) -> Described:  # noqa: ANN401 - any field
    return {"incident": {"times": values}}


def germany(**more: Any) -> Described:  # noqa: ANN401 - any field
    return unit(region="DE", timezone="Europe/Berlin", **more)


class Corner(NamedTuple):
    """What is owed in a case: state, due time, and what is missing."""

    name: str
    above: Described
    obligation: str
    state: str | None  # None: not owed
    due: str | None = None
    missing: list[str] | None = None
    at: str = NOW


DUE = "2026-03-02T13:10:00+08:00"
AFTER = "2026-03-02T13:10:01+08:00"
SIGNIFICANT = laid(germany(), facts(significant=True))
BELIEVED = laid(unit(region="US", timezone="America/New_York"), {"regimes": ["us-circia"]})
BANK = laid(germany(sector="finance"), facts(major=True))
AU = laid(unit(region="AU"), CII)
HK = laid(unit(region="HK"), CII)
PRODUCT = laid(
    germany(), {"asset": {"role": "product"}}, times(aware="2026-10-05T09:10:00+08:00")
)  # in force by then


def notified(at: str, **more: Any) -> Described:  # noqa: ANN401 - of a filing
    return laid(SIGNIFICANT, filed(filing("eu-nis2/notification", at, **more)))


CORNERS = [
    # what lies later than now has not happened
    Corner("a receipt still to come", laid(III, filed(filing(FIRST, NOW, "2026-03-02T10:30:00+08:00"))), FIRST, "open", DUE),
    Corner("a filing still to come", laid(III, filed(filing(FIRST, "2026-03-02T11:00:00+08:00", "2026-03-02T11:00:00+08:00"))), FIRST, "open", DUE),
    Corner("handled tomorrow", laid(III, times(handled="2026-03-03T09:00:00+08:00")), "cn-cac-2025/summary", "not_yet"),
    Corner("handled an hour ago", laid(III, times(handled="2026-03-02T09:30:00+08:00")), "cn-cac-2025/summary", "open", "2026-04-01T09:30:00+08:00"),
    Corner("paid tomorrow", laid(BELIEVED, times(paid="2026-03-03T00:00:00-05:00")), "us-circia/ransom", "not_yet"),
    Corner("requested tomorrow", laid(SIGNIFICANT, facts(intermediate_requested="2026-03-03T00:00:00+01:00")), "eu-nis2/intermediate", "not_yet"),
    Corner("an outage that begins tomorrow", facts(loss_yuan=0, portal_down_since="2026-03-03T00:00:00+08:00"), FIRST, None),
    Corner("a patch of tomorrow", laid(PRODUCT, {"incident": {"kind": "vulnerability"}}, times(patch_available="2026-10-06T00:00:00+02:00")), "eu-cra/final", "not_yet", at="2026-10-05T10:00:00+08:00"),
    # exactly due, and before the anchor
    Corner("exactly due", III, FIRST, "open", DUE, at=DUE),
    Corner("a second past due", III, FIRST, "overdue", DUE, at=AFTER),
    Corner("before awareness", III, FIRST, "open", DUE, at="2026-03-02T08:00:00+08:00"),
    # met needs a receipt; in time is judged by the filing
    Corner("filed without receipt, past due", laid(III, filed(filing(FIRST, NOW))), FIRST, "overdue", DUE, at=AFTER),
    Corner("filed exactly due, receipt a day later", laid(III, filed(filing(FIRST, DUE, "2026-03-03T13:10:00+08:00"))), FIRST, "met", DUE, at="2026-03-04T00:00:00+08:00"),
    Corner("filed a second late", laid(III, filed(filing(FIRST, AFTER, AFTER))), FIRST, "met_late", DUE, at="2026-03-04T00:00:00+08:00"),
    Corner("early without receipt, late with one", laid(III, filed(filing(FIRST, NOW), filing(FIRST, AFTER, AFTER))), FIRST, "met_late", DUE, at="2026-03-04T00:00:00+08:00"),
    Corner("a receipt exactly now", laid(III, filed(filing(FIRST, NOW, NOW))), FIRST, "met", DUE),
    Corner("filed before awareness", laid(III, filed(filing(FIRST, "2026-03-02T09:00:00+08:00", NOW))), FIRST, "met", DUE),
    # supplement
    Corner("nothing filed yet", III, "cn-cac-2025/supplement", "not_yet"),
    Corner("filed completely", laid(III, filed(filing(FIRST, NOW, complete=True))), "cn-cac-2025/supplement", "not_yet"),
    Corner("filed, whether completely is not known", laid(III, filed(filing(FIRST, NOW))), "cn-cac-2025/supplement", "not_yet"),
    Corner("items left open, no receipt", laid(III, filed(filing(FIRST, NOW, complete=False))), "cn-cac-2025/supplement", "no_number"),
    Corner("supplement with receipt", laid(III, filed(filing(FIRST, "2026-03-02T09:30:00+08:00", complete=False), filing("cn-cac-2025/supplement", NOW, NOW))), "cn-cac-2025/supplement", "met"),
    # who owes what in China
    Corner("CII and central organ: protection department", laid(III, CII, unit(kind="central_organ")), f"{FIRST}/cii_protection_department", "open", "2026-03-02T10:10:00+08:00"),
    Corner("CII and central organ: police", laid(III, CII, unit(kind="central_organ")), f"{FIRST}/police", "open", "2026-03-02T10:10:00+08:00"),
    Corner("CII and central organ: own office", laid(III, CII, unit(kind="central_organ")), f"{FIRST}/own_cac_office", "open", "2026-03-02T11:10:00+08:00"),
    Corner("CII and central organ: not the province", laid(III, CII, unit(kind="central_organ")), f"{FIRST}/provincial_cac", None),
    Corner("CII operator by its kind", laid(III, unit(kind="cii_operator")), f"{FIRST}/police", "open", "2026-03-02T10:10:00+08:00"),
    Corner("one recipient has no suffix", laid(III, unit(kind="central_organ")), FIRST, "open", "2026-03-02T11:10:00+08:00"),
    Corner("crime at IV", laid(IV, {"incident": {"crime_suspected": True}}), "cn-cac-2025/crime", "no_number"),
    Corner("crime at IV: no first report", laid(IV, {"incident": {"crime_suspected": True}}), FIRST, None),
    Corner("crime at IV: no summary", laid(IV, {"incident": {"crime_suspected": True}}), "cn-cac-2025/summary", None),
    Corner("no crime", III, "cn-cac-2025/crime", None),
    Corner("level IV owes the informatization authority", IV, "cn-informatization/report", "no_number"),
    Corner("classified owes nothing", laid(III, {"asset": {"classified": True}}), "cn-informatization/report", None),
    Corner("onward from the protection department: national", laid(II, unit(kind="cii_protection_department"), times(received=NOW)), "cn-cac-2025/onward/national_cac", "open", "2026-03-02T10:30:00+08:00"),
    Corner("onward from the protection department: police", laid(II, unit(kind="cii_protection_department"), times(received=NOW)), "cn-cac-2025/onward/police", "open", "2026-03-02T10:30:00+08:00"),
    Corner("onward from a department's office", laid(II, unit(kind="own_cac_office"), times(received=NOW)), "cn-cac-2025/onward", "open", "2026-03-02T11:00:00+08:00"),
    Corner("onward at III", laid(III, unit(kind="provincial_cac"), times(received=NOW)), "cn-cac-2025/onward", None),
    Corner("a receiving body reports no crime", laid(II, unit(kind="provincial_cac"), times(received=NOW), {"incident": {"crime_suspected": True}}), "cn-cac-2025/crime", None),
    Corner("Hong Kong as CN-HK", laid(III, unit(region="CN-HK")), FIRST, None),
    Corner("Macao as CN-MO", laid(III, unit(region="CN-MO")), "cn-informatization/report", None),
    Corner("Taiwan as CN-TW", unit(region="CN-TW", timezone="Asia/Taipei"), "tw-cyber/first", "open", "2026-03-02T10:10:00+08:00"),
    # choices that hang on what is not known
    Corner("AU: significance not known", AU, "au-soci/first", "open", "2026-03-02T21:10:00+08:00", ["facts.significant"]),
    Corner("AU: significance not known, relevance denied", laid(AU, facts(relevant=False)), "au-soci/first", "open", "2026-03-02T21:10:00+08:00", ["facts.significant"]),
    Corner("AU: not significant, relevant", laid(AU, facts(significant=False, relevant=True)), "au-soci/first", "open", "2026-03-05T09:10:00+08:00"),
    Corner("AU: neither", laid(AU, facts(significant=False, relevant=False)), "au-soci/first", None),
    Corner("AU: significant needs it in writing", laid(AU, facts(significant=True)), "au-soci/written", "open", "2026-03-05T21:10:00+08:00"),
    Corner("AU: not significant, nothing in writing", laid(AU, facts(significant=False)), "au-soci/written", None),
    Corner("HK: disruption not known", HK, "hk-cap653/first", "open", "2026-03-02T21:10:00+08:00", ["facts.core_function_disrupted"]),
    Corner("HK: disrupted", laid(HK, facts(core_function_disrupted=True)), "hk-cap653/first", "open", "2026-03-02T21:10:00+08:00"),
    Corner("HK: not disrupted", laid(HK, facts(core_function_disrupted=False)), "hk-cap653/first", "open", "2026-03-04T09:10:00+08:00"),
    # DORA and NIS2
    Corner("DORA graded exactly a day after awareness", laid(BANK, times(graded="2026-03-03T09:10:00+08:00")), "eu-dora/initial", "open", "2026-03-03T02:10:00+01:00", at="2026-03-03T09:10:00+08:00"),
    Corner("DORA graded a second later", laid(BANK, times(graded="2026-03-03T09:10:01+08:00")), "eu-dora/initial", "open", "2026-03-03T06:10:01+01:00", at="2026-03-03T09:10:01+08:00"),
    Corner("DORA graded after 21 hours", laid(BANK, times(graded="2026-03-03T06:10:00+08:00")), "eu-dora/initial", "open", "2026-03-03T02:10:00+01:00", at="2026-03-03T07:00:00+08:00"),
    Corner("DORA graded at once", laid(BANK, times(graded="2026-03-02T09:10:00+08:00")), "eu-dora/initial", "open", "2026-03-02T06:10:00+01:00"),
    Corner("DORA never graded, past the day", BANK, "eu-dora/initial", "overdue", "2026-03-03T02:10:00+01:00", at="2026-03-03T10:00:00+08:00"),
    Corner("DORA in place of NIS2", laid(BANK, facts(significant=True)), "eu-nis2/early_warning", None),
    Corner("NIS2 while nobody knows of DORA", laid(germany(sector="finance"), facts(significant=True)), "eu-nis2/early_warning", "open", "2026-03-03T02:10:00+01:00"),
    Corner("DORA is for finance", laid(germany(), facts(major=True)), "eu-dora/initial", None),
    # a month keeps day and wall-clock time
    Corner("31 January", notified("2026-01-31T18:00:00+01:00"), "eu-nis2/final", "overdue", "2026-02-28T18:00:00+01:00"),
    Corner("31 January of a leap year", laid(notified("2028-01-31T18:00:00+01:00"), times(aware="2028-01-30T18:00:00+01:00")), "eu-nis2/final", "open", "2028-02-29T18:00:00+01:00", at="2028-02-01T00:00:00+01:00"),
    Corner("into summer time", notified("2026-03-15T12:00:00+01:00"), "eu-nis2/final", "open", "2026-04-15T12:00:00+02:00", at="2026-03-16T12:00:00+01:00"),
    Corner("into the hour that is skipped", laid(notified("2027-02-28T02:30:00+01:00"), times(aware="2027-02-27T02:30:00+01:00")), "eu-nis2/final", "open", "2027-03-28T03:30:00+02:00", at="2027-03-01T00:00:00+01:00"),
    Corner("into the hour that comes twice: the first", laid(notified("2026-09-25T02:30:00+02:00"), times(aware="2026-09-24T02:30:00+02:00")), "eu-nis2/final", "open", "2026-10-25T02:30:00+02:00", at="2026-09-26T00:00:00+02:00"),
    Corner("over the year's end", laid(notified("2026-12-31T08:00:00+01:00"), times(aware="2026-12-30T08:00:00+01:00")), "eu-nis2/final", "open", "2027-01-31T08:00:00+01:00", at="2027-01-01T00:00:00+01:00"),
    Corner("the unit's zone tells the day", laid(notified("2026-01-31T23:30:00+00:00")), "eu-nis2/final", "overdue", "2026-03-01T00:30:00+01:00"),
    Corner("without a zone the anchor's offset", laid(notified("2026-01-31T23:30:00-05:00"), unit(timezone=...)), "eu-nis2/final", "overdue", "2026-02-28T23:30:00-05:00"),
    Corner("a day of 24 hours over the clock change", laid(SIGNIFICANT, times(aware="2026-03-28T12:00:00+01:00")), "eu-nis2/early_warning", "open", "2026-03-29T13:00:00+02:00", at="2026-03-28T13:00:00+01:00"),
    Corner("what runs from a filing runs receipt or not", notified("2026-03-02T02:30:00+01:00"), "eu-nis2/final", "open", "2026-04-02T02:30:00+02:00"),
    # anchors that are not known
    Corner("awareness not known", laid(III, times(aware=...)), FIRST, "cannot_compute", None, ["times.aware"]),
    Corner("Korea, awareness not known", laid(unit(region="KR"), times(aware=...)), "kr-network/first", "cannot_compute", None, ["times.aware"]),
    Corner("belief not known", BELIEVED, "us-circia/incident", "cannot_compute", None, ["times.believed"]),
    Corner("belief, not awareness", laid(BELIEVED, times(believed="2026-03-01T12:00:00-05:00")), "us-circia/incident", "open", "2026-03-04T12:00:00-05:00"),
    Corner("onward, reception not known", laid(II, unit(kind="provincial_cac")), "cn-cac-2025/onward", "cannot_compute", None, ["times.received"]),
    Corner("CRA kind not known: the stricter final", laid(PRODUCT, {"incident": {"kind": ...}}, times(patch_available="2026-10-05T09:30:00+08:00")), "eu-cra/final", "open", "2026-10-19T03:30:00+02:00", ["incident.kind"], at="2026-10-05T10:00:00+08:00"),
    # the others by their table
    Corner("Singapore, other than CII", unit(region="SG"), "sg-cii/first", None),
    Corner("Singapore", laid(unit(region="SG", timezone="Asia/Singapore"), CII), "sg-cii/final", "open", "2026-04-01T09:10:00+08:00"),
    Corner("India", unit(region="IN-DL", timezone="Asia/Kolkata"), "in-certin/first", "open", "2026-03-02T12:40:00+05:30"),
    Corner("Virginia is the US", unit(region="US-VA", kind="central_organ", timezone="America/New_York"), "us-fisma/first", "open", "2026-03-01T21:10:00-05:00"),
    Corner("a city of the US is no agency", unit(region="US-VA"), "us-fisma/first", None),
    Corner("no major incident, no Congress", laid(unit(region="US", kind="central_organ"), facts(major=False)), "us-fisma/congress", None),
    Corner("Norway is not in the EU", laid(unit(region="NO"), facts(significant=True)), "eu-nis2/early_warning", None),
    Corner("Greece is GR", laid(unit(region="GR", timezone="Europe/Athens"), facts(significant=True)), "eu-nis2/early_warning", "open", "2026-03-03T03:10:00+02:00"),
    Corner("Britain has its own", laid(unit(region="GB", timezone="Europe/London"), facts(significant=True)), "uk-nis/first", "open", "2026-03-05T01:10:00+00:00"),
    Corner("Britain is not in the EU", laid(unit(region="GB"), facts(significant=True)), "eu-nis2/early_warning", None),
    Corner("no personal record, whether personal data is not known", laid(germany(), facts(personal_records=0)), "eu-gdpr/notification", None),
    Corner("one personal record", laid(germany(), facts(personal_records=1)), "eu-gdpr/notification", "open", "2026-03-05T02:10:00+01:00"),
]  # fmt: skip


@pytest.mark.parametrize("corner", CORNERS, ids=lambda corner: corner.name)
def test_a_corner_is_answered_as_the_contract_says(ask: Ask, corner: Corner) -> None:
    owed = obligations(ask(corner.above, corner.at)).get(corner.obligation)

    if corner.state is None:
        assert owed is None
        return
    assert owed is not None, "not owed"
    assert (owed["state"], owed["due_at"], owed.get("missing")) == (corner.state, corner.due, corner.missing)


@pytest.mark.parametrize(
    ("above", "level"),
    [
        (facts(personal_records=999_999), "IV"),
        (facts(personal_records=1_000_000), "III"),
        (facts(personal_records=10_000_000), "II"),
        (facts(personal_records=100_000_000), "I"),
        (facts(loss_yuan=4_999_999), "IV"),
        (facts(loss_yuan=5_000_000), "III"),
        (facts(loss_yuan=20_000_000), "II"),
        (facts(loss_yuan=100_000_000), "I"),
        (facts(province_population_share=0.5), "I"),
        (facts(province_population_share=0.4999), "IV"),
        (facts(prefecture_population_share=0.5), "II"),
        (facts(prefecture_population_share=0.3), "III"),
        (facts(portal_down_minutes=119), "IV"),
        (facts(portal_down_minutes=120), "III"),
        (facts(portal_down_minutes=359, loss_yuan=0), "III"),
        (facts(portal_down_minutes=360), "II"),
        (laid(unit(level="provincial"), facts(portal_down_minutes=1440)), "I"),
        (laid(unit(level="prefecture"), facts(portal_down_minutes=1440)), "II"),
        (laid(unit(level="district"), facts(portal_down_minutes=1440)), "IV"),
        (laid(CII, facts(cii_whole_down_minutes=10)), "III"),
        (laid(CII, facts(cii_whole_down_minutes=60)), "II"),
        (laid(CII, facts(cii_whole_down_minutes=360)), "I"),
        (facts(data_threat="especially_serious"), "I"),
        (facts(portal_down_since="2026-03-02T08:00:00+08:00"), "III"),
        (facts(portal_down_since="2026-03-02T08:00:01+08:00"), "IV"),
    ],
)  # fmt: skip
def test_a_figure_includes_the_number_itself(ask: Ask, above: Described, level: str) -> None:
    assert ask(above)["level"] == level


@pytest.mark.parametrize(
    ("above", "regime", "expected", "missing"),
    [
        ({"incident": {"crime_suspected": True}}, "cn-cac-2025", True, None),
        ({"incident": {"crime_suspected": False}}, "cn-cac-2025", "unknown", None),
        (laid(germany(), facts(personal_records=0)), "eu-gdpr", "unknown", ["facts.personal_data"]),
        (laid(germany(), facts(personal_records=0, personal_data=False)), "eu-gdpr", False, None),
        (laid(germany(), facts(personal_data=True)), "eu-gdpr", True, None),
        (germany(sector="finance"), "eu-dora", "unknown", ["facts.major"]),
        (germany(), "eu-nis2", "unknown", ["facts.significant"]),
        (laid(unit(region="SG"), {"asset": {"cii": ...}}), "sg-cii", "unknown", ["asset.cii"]),
        (unit(region=...), "tw-cyber", "unknown", ["unit.region"]),
        (laid(III, {"asset": {"classified": ...}}), "cn-cac-2025", "unknown", ["asset.classified"]),
        (laid(III, {"asset": {"classified": True}}), "cn-cac-2025", False, None),
    ],
)
def test_a_regime_that_cannot_tell_says_what_is_missing(
    ask: Ask, above: Described, regime: str, expected: object, missing: list[str] | None
) -> None:
    answer = ask(above)

    assert applies(answer, regime) == expected
    if missing is not None:
        looked = next(one for one in answer["regimes"] if one["id"] == regime)
        assert looked["missing"] == missing


def test_a_crime_with_nothing_else_known_is_level_four_and_owes_the_crime_alone(ask: Ask) -> None:
    answer = ask({"incident": {"crime_suspected": True}})

    assert answer["level"] == "IV"
    assert answer["could_rise"] != []
    assert set(obligations(answer, "cn-cac")) == {"cn-cac-2025/crime"}


def test_a_regime_that_does_not_apply_is_listed_all_the_same(ask: Ask) -> None:
    answer = ask(laid(germany(), {"regimes": ["cn-cac-2025"]}))

    assert answer["regimes"] == [{"id": "cn-cac-2025", "applies": False}]
    assert answer["obligations"] == []
