"""The annex, line by line: thresholds include the number itself, the highest satisfied line wins."""

import json
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.regimes import GRADED_BY, Answer, Regime, explain, read_case
from collector.regimes.grading import rank

from .conftest import Ask, Described, laid

HOUR = 60
PROVINCE = {"unit": {"level": "provincial"}}
CITY: Described = {}
DISTRICT = {"unit": {"level": "district"}}
OFFICE = {"unit": {"kind": "enterprise", "level": "district"}}
CENTRAL = {"unit": {"kind": "central_organ", "level": ...}}
OTHER = {"asset": {"role": "business_system"}}
NEWS = {"asset": {"role": "news_site"}}


def facts(**told: object) -> Described:
    return {"incident": {"facts": told}}


# (who and what, the fact, the level just below its figure, the figure, the level from there on)
LINES = [
    (PROVINCE, "portal_down_minutes", "III", 6 * HOUR, "II"),
    (PROVINCE, "portal_down_minutes", "II", 24 * HOUR, "I"),
    (CENTRAL, "portal_down_minutes", "II", 24 * HOUR, "I"),
    (CITY, "portal_down_minutes", "IV", 2 * HOUR, "III"),
    (CITY, "portal_down_minutes", "III", 6 * HOUR, "II"),
    (OFFICE, "portal_down_minutes", "IV", 2 * HOUR, "III"),
    (
        {"asset": {"role": "news_site"}, "unit": {"level": "national"}},
        "portal_down_minutes",
        "II",
        24 * HOUR,
        "I",
    ),
    (
        {"asset": {"role": "news_site"}, "unit": {"level": "provincial"}},
        "portal_down_minutes",
        "IV",
        6 * HOUR,
        "II",
    ),
    (OTHER, "cii_whole_down_minutes", "IV", 10, "III"),
    (OTHER, "cii_whole_down_minutes", "III", HOUR, "II"),
    (OTHER, "cii_whole_down_minutes", "II", 6 * HOUR, "I"),
    (OTHER, "cii_main_down_minutes", "IV", 30, "III"),
    (OTHER, "cii_main_down_minutes", "III", 24 * HOUR, "I"),
    (OTHER, "people_affected", "IV", 100_000, "III"),
    (OTHER, "people_affected", "III", 1_000_000, "II"),
    (OTHER, "people_affected", "II", 10_000_000, "I"),
    (OTHER, "personal_records", "IV", 1_000_000, "III"),
    (OTHER, "personal_records", "III", 10_000_000, "II"),
    (OTHER, "personal_records", "II", 100_000_000, "I"),
    (OTHER, "loss_yuan", "IV", 5_000_000, "III"),
    (OTHER, "loss_yuan", "III", 20_000_000, "II"),
    (OTHER, "loss_yuan", "II", 100_000_000, "I"),
    (PROVINCE, "homepage_tampered_minutes", "II", 6 * HOUR, "I"),
    (CITY, "homepage_tampered_minutes", "III", 2 * HOUR, "II"),
    (DISTRICT, "homepage_tampered_minutes", "IV", 30, "III"),
    (PROVINCE, "page_tampered_minutes", "II", 24 * HOUR, "I"),
    (CITY, "page_tampered_minutes", "III", 12 * HOUR, "II"),
    (DISTRICT, "page_tampered_minutes", "IV", 2 * HOUR, "III"),
    (PROVINCE, "reposts", "II", 100_000, "I"),
    (CITY, "reposts", "III", 10_000, "II"),
    (DISTRICT, "reposts", "IV", 1_000, "III"),
    (PROVINCE, "views", "II", 1_000_000, "I"),
    (CITY, "views", "III", 100_000, "II"),
    (DISTRICT, "views", "IV", 10_000, "III"),
    ({"asset": {"role": "platform"}, **DISTRICT}, "homepage_tampered_minutes", "II", 6 * HOUR, "I"),
]


@pytest.mark.parametrize("line", LINES)
def test_a_line_is_satisfied_from_its_figure_on(ask: Ask, line: tuple[Described, str, str, int, str]) -> None:
    who, fact, below, figure, level = line
    assert ask(laid(who, facts(**{fact: figure - 1})))["level"] == below
    assert ask(laid(who, facts(**{fact: figure})))["level"] == level


@pytest.mark.parametrize(
    ("told", "level"),
    [
        ({"province_population_share": 0.5}, "I"),
        ({"province_population_share": 0.4999}, "IV"),
        ({"prefecture_population_share": 0.5}, "II"),
        ({"prefecture_population_share": 0.3}, "III"),
        ({"prefecture_population_share": 0.2999}, "IV"),
        ({"prefecture_population_share": 1}, "II"),
        ({"data_threat": "especially_serious"}, "I"),
        ({"data_threat": "serious"}, "II"),
        ({"data_threat": "fairly_serious"}, "III"),
        ({"data_threat": "none"}, "IV"),
        ({"declared_level": "I"}, "I"),
        ({"declared_level": "II"}, "II"),
        ({"declared_level": "III"}, "III"),
        ({"declared_level": "IV"}, "IV"),
    ],
)
def test_shares_threats_and_declarations_grade(ask: Ask, told: Described, level: str) -> None:
    assert ask(facts(**told))["level"] == level


@pytest.mark.parametrize("who", [OTHER, DISTRICT, NEWS])
def test_an_outage_of_a_site_that_the_annex_does_not_name_grades_nothing(ask: Ask, who: Described) -> None:
    assert ask(laid(who, facts(portal_down_minutes=48 * HOUR)))["level"] == "IV"


def test_the_hours_that_no_source_gives_are_no_figure(ask: Ask, law: tuple[Regime, ...]) -> None:
    annex = next(regime for regime in law if regime.id == GRADED_BY)
    line = next(criterion for criterion in annex.criteria if criterion.id == "cii_main_down.II")

    assert (line.figure, line.verified) == (None, False)
    assert ask(facts(cii_main_down_minutes=23 * HOUR))["level"] == "III"


VERIFIED = {
    "portal_down.I",
    "cii_whole_down.I",
    "cii_main_down.I",
    "province_population.I",
    "people.I",
    "data_threat.I",
    "data_threat.III",
    "personal_records.I",
    "personal_records.II",
    "personal_records.III",
    "homepage_tampered.I",
    "page_tampered.I",
    "reposts.I",
    "views.I",
    "declared.I",
    "loss.I",
}


def test_only_lines_read_in_the_official_text_are_verified(law: tuple[Regime, ...]) -> None:
    annex = next(regime for regime in law if regime.id == GRADED_BY)

    assert {criterion.id for criterion in annex.criteria if criterion.verified} == VERIFIED


def test_every_satisfied_line_is_a_reason_with_figure_and_source_the_gravest_first(ask: Ask) -> None:
    reasons = ask(facts(loss_yuan=20_000_000, personal_records=1_000_000))["reasons"]

    assert [(reason["criterion"], reason["level"], reason["verified"]) for reason in reasons] == [
        ("loss.II", "II", False),
        ("personal_records.III", "III", True),
        ("loss.III", "III", False),
    ]
    assert (reasons[0]["figure"], reasons[0]["unit"]) == (20_000_000, "yuan")
    assert reasons[0]["source"] == "annex, 重大 (secondary source)"
    assert reasons[0]["text"] == "direct economic loss of 20 million yuan or more"


def test_a_level_on_unverified_lines_alone_is_proposed_and_its_clocks_run(ask: Ask) -> None:
    proposed = ask(facts(loss_yuan=20_000_000))
    certain = ask(facts(loss_yuan=20_000_000, personal_records=10_000_000))

    assert (proposed["level"], proposed["proposed"]) == ("II", True)
    assert (certain["level"], certain["proposed"]) == ("II", False)
    assert [duty["state"] for duty in proposed["obligations"][:1]] == ["open"]


def test_a_level_that_nothing_raised_is_not_proposed(ask: Ask) -> None:
    assert ask(facts(loss_yuan=0))["proposed"] is False


def test_with_no_line_satisfied_it_is_level_four_and_the_unknown_facts_are_named(ask: Ask) -> None:
    answer = ask(laid(OTHER, facts(loss_yuan=0, reposts=0, people_affected=0)))

    assert (answer["level"], answer["reasons"]) == ("IV", [])
    assert set(answer["could_rise"]) == {
        "cii_whole_down",
        "cii_main_down",
        "province_population_share",
        "prefecture_population_share",
        "data_threat",
        "personal_records",
        "homepage_tampered",
        "page_tampered",
        "views",
        "declared_level",
    }


def test_what_else_must_be_known_is_named_beside_the_facts(ask: Ask) -> None:
    answer = ask({"asset": {"role": ...}, **facts(portal_down_minutes=3 * HOUR)})

    assert answer["level"] == "IV"
    assert "asset.role" in answer["could_rise"]


def test_at_the_highest_level_nothing_can_rise(ask: Ask) -> None:
    answer = ask(facts(loss_yuan=100_000_000, homepage_tampered_since="2026-03-02T09:00:00+08:00"))

    assert (answer["could_rise"], answer["next_level"]) == ([], None)


SINCE = "2026-03-02T09:00:00+08:00"


@pytest.mark.parametrize(
    ("at", "level", "rise"),
    [
        ("09:00:00", "IV", ("III", "09:30:00", "homepage_tampered.III")),
        ("09:29:59", "IV", ("III", "09:30:00", "homepage_tampered.III")),
        ("09:30:00", "III", ("II", "11:00:00", "homepage_tampered.II")),
        ("10:59:59", "III", ("II", "11:00:00", "homepage_tampered.II")),
        ("11:00:00", "II", ("I", "15:00:00", "homepage_tampered.I")),
        ("15:00:00", "I", None),
    ],
)
def test_a_tampering_that_goes_on_tells_when_its_level_will_rise(
    ask: Ask, at: str, level: str, rise: tuple[str, str, str] | None
) -> None:
    answer = ask(laid(PROVINCE, facts(homepage_tampered_since=SINCE)), f"2026-03-02T{at}+08:00")

    assert answer["level"] == level
    expected = {"level": rise[0], "at": f"2026-03-02T{rise[1]}+08:00", "criterion": rise[2]} if rise else None
    assert answer["next_level"] == expected


def test_the_next_level_is_the_first_that_any_growing_fact_reaches(ask: Ask) -> None:
    told = facts(homepage_tampered_since=SINCE, portal_down_since="2026-03-02T07:20:00+08:00")
    rises = [ask(told, f"2026-03-02T09:{minute}:00+08:00")["next_level"] for minute in ("00", "20", "30")]

    assert [(rise["level"], rise["at"][11:16], rise["criterion"]) for rise in rises] == [
        ("III", "09:20", "portal_down.III"),
        ("II", "11:00", "homepage_tampered.II"),
        ("II", "11:00", "homepage_tampered.II"),
    ]


def test_what_is_over_grows_no_more(ask: Ask) -> None:
    assert ask(facts(homepage_tampered_minutes=29))["next_level"] is None


def test_what_begins_later_than_now_has_not_happened(ask: Ask) -> None:
    answer = ask(facts(homepage_tampered_since="2026-03-02T10:00:01+08:00"))

    assert (answer["level"], answer["next_level"]) == ("IV", None)
    assert "homepage_tampered" in answer["could_rise"]


def test_the_next_level_prints_in_the_zone_of_the_unit(ask: Ask) -> None:
    told = facts(homepage_tampered_since="2026-03-02T01:00:00Z")

    assert ask(told, "2026-03-02T01:00:00+00:00")["next_level"]["at"] == "2026-03-02T09:30:00+08:00"
    without = laid(told, {"unit": {"timezone": ...}})
    assert ask(without, "2026-03-02T01:00:00+00:00")["next_level"]["at"] == "2026-03-02T01:30:00+00:00"


known_harm = st.fixed_dictionaries(
    {},
    optional={
        "portal_down_minutes": st.sampled_from([0, 119, 120, 360, 1440]),
        "cii_whole_down_minutes": st.sampled_from([0, 10, 60, 360]),
        "homepage_tampered_minutes": st.sampled_from([0, 30, 120, 360]),
        "reposts": st.sampled_from([0, 1000, 10_000, 100_000]),
        "loss_yuan": st.sampled_from([0, 5_000_000, 20_000_000, 100_000_000]),
        "data_threat": st.sampled_from(["none", "fairly_serious", "serious", "especially_serious"]),
        "declared_level": st.sampled_from(["I", "II", "III", "IV"]),
        "prefecture_population_share": st.sampled_from([0, 0.3, 0.5]),
    },
)
known_asset = st.fixed_dictionaries(
    {}, optional={"role": st.sampled_from(["portal", "news_site", "platform", "data"]), "cii": st.booleans()}
)


def grade(
    law: tuple[Regime, ...], asset: Described, harm: Described, later: timedelta = timedelta(0)
) -> Answer:
    case = {
        "unit": {"region": "CN-12", "kind": "local_government"},
        "asset": asset,
        "incident": {"facts": harm},
    }
    now = datetime.fromisoformat("2026-03-02T10:00:00+08:00") + later
    return explain(read_case(json.dumps(case), "case.yaml"), law, now)


@given(known_asset, known_harm, known_asset, known_harm)
def test_more_facts_never_lower_a_level_and_only_facts_named_can_raise_it(
    law: tuple[Regime, ...], asset: Described, harm: Described, more_asset: Described, more_harm: Described
) -> None:
    before = grade(law, asset, harm)
    after = grade(law, more_asset | asset, more_harm | harm)

    assert rank(after.level) >= rank(before.level)
    learned = {name.removesuffix("_minutes") for name in more_harm.keys() - harm.keys()}
    learned |= {f"asset.{name}" for name in more_asset.keys() - asset.keys()}
    if after.level != before.level:
        assert learned & set(before.could_rise)


@given(
    st.dictionaries(
        st.sampled_from(
            ["portal_down", "cii_whole_down", "cii_main_down", "homepage_tampered", "page_tampered"]
        ),
        st.integers(0, 2000),
        min_size=1,
    ),
    st.sampled_from(["national", "prefecture", "district"]),
)
def test_the_next_level_is_reached_exactly_when_it_was_foretold(
    law: tuple[Regime, ...], lasting: dict[str, int], unit_level: str
) -> None:
    now = datetime.fromisoformat("2026-03-02T10:00:00+08:00")
    harm = {f"{name}_since": (now - timedelta(minutes=past)).isoformat() for name, past in lasting.items()}
    unit = {"region": "CN", "kind": "local_government", "level": unit_level}
    case = read_case(
        json.dumps({"unit": unit, "asset": {"role": "portal"}, "incident": {"facts": harm}}), "case.yaml"
    )
    foretold = explain(case, law, now)
    if foretold.next_level is None:
        assert explain(case, law, now + timedelta(days=30)).level == foretold.level
    else:
        at = foretold.next_level.at
        assert explain(case, law, at).level == foretold.next_level.level
        assert explain(case, law, at - timedelta(microseconds=1)).level == foretold.level
