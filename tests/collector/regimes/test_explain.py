"""The whole answer: which regimes are looked at, who applies, and the golden cases written from the law."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from collector.regimes import Case, Regime, explain, read_case

from .conftest import Ask, Described, applies, laid, merged, obligations

GOLDEN = sorted((Path(__file__).parents[2] / "golden" / "duty").glob("*.yaml"))
LEVEL_III = {"incident": {"facts": {"personal_records": 1_000_000}}}
ENABLED = {
    "au-soci", "cn-cac-2025", "cn-informatization", "eu-cra", "eu-dora", "eu-gdpr", "eu-nis2", "hk-cap653",
    "in-certin", "kr-network", "sg-cii", "tw-cyber", "uk-nis", "us-fisma",
}  # fmt: skip


def within(expected: object, said: object, path: str = "$") -> list[str]:
    """Where an answer differs from what is expected; lists agree in length, mappings may say more."""
    if isinstance(expected, dict) and isinstance(said, dict):
        return [
            difference
            for name, value in expected.items()
            for difference in (
                within(value, said[name], f"{path}.{name}") if name in said else [f"{path}.{name}: absent"]
            )
        ]
    if isinstance(expected, list) and isinstance(said, list):
        if len(expected) != len(said):
            return [f"{path}: {len(said)} items, expected {len(expected)}: {said}"]
        return [
            difference
            for index, (one, other) in enumerate(zip(expected, said, strict=True))
            for difference in within(one, other, f"{path}[{index}]")
        ]
    return [] if expected == said else [f"{path}: {said!r}, expected {expected!r}"]


@pytest.mark.parametrize("file", GOLDEN, ids=lambda file: file.stem)
def test_a_golden_case_is_answered_as_the_law_reads(file: Path, law: tuple[Regime, ...]) -> None:
    case = read_case(file.read_text("utf-8"), file.name)
    assert case.at is not None
    said = json.loads(explain(case, law, case.at).to_json())
    expected = json.loads(file.with_suffix(".json").read_text("utf-8"))

    assert within(expected, said) == []


def test_there_are_golden_cases() -> None:
    assert len(GOLDEN) >= 10


def test_every_enabled_regime_is_looked_at_where_the_case_names_none(ask: Ask) -> None:
    assert {looked["id"] for looked in ask(LEVEL_III)["regimes"]} == ENABLED


def test_a_regime_named_is_looked_at_even_if_it_is_disabled(ask: Ask) -> None:
    answer = ask({"unit": {"region": "US"}, "regimes": ["us-circia", "eu-nis2", "us-circia"]})

    assert answer["regimes"] == [{"id": "us-circia", "applies": True}, {"id": "eu-nis2", "applies": False}]


@pytest.mark.parametrize(
    ("region", "chinese"),
    [
        ("CN", True),
        ("CN-12", True),
        ("CN-HK", False),
        ("CN-MO", False),
        ("CN-TW", False),
        ("HK", False),
        ("US", False),
    ],
)
def test_chinese_law_concerns_the_mainland(ask: Ask, region: str, chinese: object) -> None:
    answer = ask(laid(LEVEL_III, {"unit": {"region": region}}))

    assert (applies(answer, "cn-cac-2025"), applies(answer, "cn-informatization")) == (chinese, chinese)


def test_of_a_classified_system_no_chinese_regime_applies_and_the_level_is_null(ask: Ask) -> None:
    answer = ask(laid(LEVEL_III, {"asset": {"classified": True}, "incident": {"crime_suspected": True}}))

    assert (answer["level"], answer["level_by"], answer["reasons"]) == (None, None, [])
    assert (answer["could_rise"], answer["next_level"], answer["proposed"]) == ([], None, False)
    assert (applies(answer, "cn-cac-2025"), applies(answer, "cn-informatization")) == (False, False)
    assert answer["obligations"] == []


def test_with_no_fact_known_nobody_can_tell_whether_the_measures_apply(ask: Ask) -> None:
    answer = ask({"incident": {"facts": {}}})
    looked = next(one for one in answer["regimes"] if one["id"] == "cn-cac-2025")

    assert answer["level"] == "IV"
    assert looked["applies"] == "unknown"
    assert {"facts.cii_whole_down", "facts.personal_records", "facts.declared_level"} <= set(
        looked["missing"]
    )
    assert obligations(answer, "cn-cac") == {}


def test_with_a_fact_known_and_no_line_satisfied_the_measures_do_not_apply(ask: Ask) -> None:
    answer = ask({"incident": {"facts": {"loss_yuan": 0}}})

    assert (answer["level"], applies(answer, "cn-cac-2025")) == ("IV", False)
    assert applies(answer, "cn-informatization") is True
    assert answer["could_rise"]


@pytest.mark.parametrize(
    ("told", "regime", "missing"),
    [
        ({"unit": {"region": ...}}, "cn-informatization", ["unit.region"]),
        ({"unit": {"region": ...}}, "in-certin", ["unit.region"]),
        ({"asset": {"classified": ...}}, "cn-informatization", ["asset.classified"]),
        ({"unit": {"region": "FR"}}, "eu-nis2", ["facts.significant"]),
        ({"unit": {"region": "FR"}}, "eu-gdpr", ["facts.personal_records", "facts.personal_data"]),
        ({"unit": {"region": "FR", "sector": "finance"}}, "eu-dora", ["facts.major"]),
        ({"unit": {"region": "SG"}, "asset": {"cii": ...}}, "sg-cii", ["asset.cii"]),
        ({"unit": {"region": "GB"}}, "uk-nis", ["facts.significant"]),
    ],
)
def test_a_regime_that_cannot_tell_says_so_and_what_is_missing(
    ask: Ask, told: Described, regime: str, missing: list[str]
) -> None:
    answer = ask(told)

    assert {"id": regime, "applies": "unknown", "missing": missing} in answer["regimes"]
    assert obligations(answer, regime) == {}


def test_of_an_empty_description_every_regime_is_unknown_or_not_in_force(law: tuple[Regime, ...]) -> None:
    answer = explain(Case(), law, datetime(2027, 1, 1, tzinfo=UTC))

    assert {looked.applies for looked in answer.regimes} == {"unknown"}
    assert answer.obligations == ()
    assert answer.level == "IV"


@pytest.mark.parametrize(
    ("aware", "now", "force"),
    [
        ("2025-10-31T23:59:59+08:00", "2026-03-02T10:00:00+08:00", False),
        ("2025-11-01T00:00:00+08:00", "2026-03-02T10:00:00+08:00", True),
        (None, "2025-10-31T23:59:59+08:00", False),
        (None, "2025-11-01T00:00:00+08:00", True),
    ],
)
def test_a_law_is_in_force_or_not_at_awareness(ask: Ask, aware: str | None, now: str, force: object) -> None:
    told = laid(LEVEL_III, {"incident": {"times": {"aware": aware or ...}}})

    assert applies(ask(told, now), "cn-cac-2025") is force


@pytest.mark.parametrize(
    ("regime", "region", "first_day"),
    [
        ("hk-cap653", "HK", "2026-01-01T00:00:00+08:00"),
        ("eu-cra", "DE", "2026-09-11T00:00:00+02:00"),
        ("kr-network", "KR", "2024-08-14T00:00:00+09:00"),
        ("sg-cii", "SG", "2025-10-31T00:00:00+08:00"),
    ],
)
def test_a_law_begins_on_its_day(ask: Ask, regime: str, region: str, first_day: str) -> None:
    begin = datetime.fromisoformat(first_day)
    said = [
        applies(
            ask(
                {
                    "unit": {"region": region},
                    "asset": {"cii": True, "role": "product"},
                    "incident": {"times": {"aware": aware.isoformat()}},
                }
            ),
            regime,
        )
        for aware in (begin - timedelta(seconds=1), begin)
    ]

    assert said == [False, True]


def test_nis2_is_not_owed_where_dora_applies(ask: Ask) -> None:
    bank = {"unit": {"region": "FR", "sector": "finance"}}
    known = ask(laid(bank, {"incident": {"facts": {"significant": True, "major": True}}}))
    minor = ask(laid(bank, {"incident": {"facts": {"significant": True, "major": False}}}))
    untold = ask(laid(bank, {"incident": {"facts": {"significant": True}}}))

    assert (applies(known, "eu-dora"), applies(known, "eu-nis2")) == (True, False)
    assert (applies(minor, "eu-dora"), applies(minor, "eu-nis2")) == (False, True)
    # A duty is not dropped for a fact that nobody has told yet.
    assert (applies(untold, "eu-dora"), applies(untold, "eu-nis2")) == ("unknown", True)


def test_the_level_is_that_of_the_chinese_annex_wherever_the_unit_is(ask: Ask) -> None:
    answer = ask(laid(LEVEL_III, {"unit": {"region": "FR"}, "regimes": ["eu-gdpr"]}))

    assert (answer["level"], answer["level_by"]) == ("III", "cn-cac-2025")


def test_without_the_annex_there_is_no_level(law: tuple[Regime, ...], described: Described) -> None:
    case = read_case(json.dumps(described), "case.yaml")
    others = [regime for regime in law if regime.id != "cn-cac-2025"]
    answer = explain(case, others, datetime(2026, 3, 2, tzinfo=UTC))

    assert (answer.level, answer.level_by) == (None, None)


@pytest.mark.parametrize(
    ("zone", "aware", "due"),
    [
        ("Asia/Shanghai", "2026-03-02T01:10:00+00:00", "2026-03-02T13:10:00+08:00"),
        (..., "2026-03-02T01:10:00+00:00", "2026-03-02T05:10:00+00:00"),
        (..., "2026-03-02T06:40:00+05:30", "2026-03-02T10:40:00+05:30"),
    ],
)
def test_times_print_in_the_unit_s_zone_or_at_the_offset_of_the_anchor(
    ask: Ask, zone: object, aware: str, due: str
) -> None:
    told = laid(LEVEL_III, {"unit": {"timezone": zone}, "incident": {"times": {"aware": aware}}})

    assert obligations(ask(told))["cn-cac-2025/first"]["due_at"] == due


@given(
    st.datetimes(datetime(2025, 11, 2), datetime(2060, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - bounds
    st.sampled_from(["Asia/Shanghai", "Asia/Urumqi", "Europe/Berlin", "America/New_York"]),
    st.integers(-14, 14),
)
def test_in_any_zone_and_at_any_offset_a_report_is_due_at_the_same_instant(
    law: tuple[Regime, ...], described: Described, aware: datetime, zone: str, hours: int
) -> None:
    moment = aware.astimezone(ZoneInfo("UTC")).isoformat()
    shifted = (aware + timedelta(hours=hours)).replace(tzinfo=None).isoformat() + f"{hours:+03d}:00"
    dues = set()
    for time, name in ((moment, zone), (shifted, zone), (moment, ...), (shifted, ...)):
        told = laid(LEVEL_III, {"unit": {"timezone": name}, "incident": {"times": {"aware": time}}})
        case = read_case(json.dumps(merged(described, told)), "case.yaml")
        answer = explain(case, law, aware)
        dues.add(next(duty.due_at for duty in answer.obligations if duty.id == "cn-cac-2025/first"))

    assert dues == {aware + timedelta(hours=4)}


def test_the_answer_has_the_form_of_the_contract(ask: Ask) -> None:
    growing = {"incident": {"facts": {"homepage_tampered_since": "2026-03-02T09:50:00+08:00"}}}
    answer = ask(laid(LEVEL_III, growing))

    assert {
        "level", "level_by", "proposed", "reasons", "could_rise", "next_level", "standard", "regimes",
        "obligations",
    } == set(answer)  # fmt: skip
    assert {"criterion", "level", "verified", "figure", "unit", "source", "text"} == set(answer["reasons"][0])
    assert {"level", "at", "criterion"} == set(answer["next_level"])
    assert {
        "id", "regime", "stage", "recipient", "anchor", "anchor_at", "due_at", "target_at", "state",
        "content", "source", "verified",
    } == set(answer["obligations"][0])  # fmt: skip


def test_texts_come_in_both_languages(ask: Ask) -> None:
    told = {"incident": {"facts": {"portal_down_minutes": 120}}}

    assert ask(told, language="zh")["reasons"][0]["text"].startswith(
        "地市级以上党政机关、企事业单位门户网站："
    )
    assert ask(told)["reasons"][0]["text"].endswith(": down through attack or fault for 2 hours or more")


def test_an_operator_who_disables_dora_still_owes_nis2(law: tuple[Regime, ...], described: Described) -> None:
    regimes = [replace(regime, enabled=False) if regime.id == "eu-dora" else regime for regime in law]
    told = {"unit": {"region": "FR", "sector": "finance"}}
    told = laid(told, {"incident": {"facts": {"significant": True, "major": True}}})
    case = read_case(json.dumps(merged(described, told)), "case.yaml")
    answer: Any = explain(case, regimes, datetime(2026, 3, 2, tzinfo=UTC))

    assert {looked.id: looked.applies for looked in answer.regimes}["eu-nis2"] is True


def test_the_golden_cases_are_described_in_the_form_of_the_contract() -> None:
    for file in GOLDEN:
        assert isinstance(yaml.safe_load(file.read_text("utf-8")), dict)
