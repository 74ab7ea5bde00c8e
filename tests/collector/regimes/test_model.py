"""A regime file says what the model can hold, and the shipped law says where each claim comes from."""

from datetime import datetime, timedelta

import pytest

from collector.regimes.model import Regime, Text, Validity

BEGIN = datetime.fromisoformat("2025-11-01T00:00:00+08:00")


@pytest.mark.parametrize(
    ("validity", "before", "at_begin", "at_end"),
    [
        (Validity(), True, True, True),
        (Validity(begin=BEGIN), False, True, True),
        (Validity(until=BEGIN + timedelta(days=1)), True, True, False),
        (Validity(begin=BEGIN, until=BEGIN + timedelta(days=1)), False, True, False),
    ],
)
def test_a_law_is_in_force_from_a_time_on_until_another(
    validity: Validity, before: object, at_begin: object, at_end: object
) -> None:
    assert validity.covers(BEGIN - timedelta(seconds=1)) is before
    assert validity.covers(BEGIN) is at_begin
    assert validity.covers(BEGIN + timedelta(days=1)) is at_end


def test_a_text_reads_in_two_languages() -> None:
    text = Text("甲", "A")

    assert (text.in_language("zh"), text.in_language("en"), text.in_language("fr")) == ("甲", "A", "A")


def test_a_stage_is_found_by_its_id(law: tuple[Regime, ...]) -> None:
    regime = next(regime for regime in law if regime.id == "eu-nis2")

    assert (stage := regime.stage("final")) is not None
    assert stage.id == "final"
    assert regime.stage("initial") is None


# regulations.md, marks [V]: read in the official text or quoted word for word.
VERIFIED_STAGES = {
    "au-soci/first",
    "au-soci/written",
    "cn-cac-2025/crime",
    "cn-cac-2025/first",
    "cn-cac-2025/onward",
    "cn-cac-2025/summary",
    "cn-cac-2025/supplement",
    "cn-informatization/report",
    "eu-dora/final",
    "eu-dora/initial",
    "eu-dora/intermediate",
    "eu-nis2/early_warning",
    "eu-nis2/final",
    "eu-nis2/intermediate",
    "eu-nis2/notification",
    "in-certin/first",
    "tw-cyber/first",
    "us-circia/incident",
    "us-circia/ransom",
    "us-fisma/congress",
    "us-fisma/first",
}


def test_only_stages_read_in_an_official_text_are_verified(law: tuple[Regime, ...]) -> None:
    verified = {f"{regime.id}/{stage.id}" for regime in law for stage in regime.stages if stage.verified}

    assert verified == VERIFIED_STAGES


def test_items_one_and_two_are_required_now_and_the_others_may_follow(law: tuple[Regime, ...]) -> None:
    stage = next(regime for regime in law if regime.id == "cn-cac-2025").stage("first")
    assert stage is not None

    assert [item.may_follow for item in stage.content.items] == [False, False, *[True] * 6]


def test_the_house_target_is_marked_as_no_law(law: tuple[Regime, ...]) -> None:
    targets = {
        regime.id: stage.house_target for regime in law for stage in regime.stages if stage.house_target
    }

    assert list(targets) == ["cn-informatization"]
    target = targets["cn-informatization"]
    assert target.limit == timedelta(minutes=60)
    assert target.text == Text("本单位目标，非法定时限", "house target, not law")
