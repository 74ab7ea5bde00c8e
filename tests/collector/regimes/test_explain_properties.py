"""What holds for every case, whatever is known of it."""

import json
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from collector.regimes import Answer, Case, Regime, explain, read_case

from .conftest import Described, laid

DAYS = ["2025-10-31", "2026-01-01", "2026-01-31", "2026-03-29", "2026-09-11", "2026-09-12", "2026-10-25"]
moments = st.sampled_from(
    [f"{day}T02:30:00{offset}" for day in DAYS for offset in ("+02:00", "+08:00", "-05:00")]
)


def told(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Described]:
    return st.fixed_dictionaries({}, optional=fields)


units = told(
    kind=st.sampled_from(
        ["central_organ", "local_government", "cii_operator", "enterprise", "provincial_cac"]
    ),
    level=st.sampled_from(["national", "provincial", "district"]),
    region=st.sampled_from(["CN-12", "CN-HK", "DE", "US-VA", "SG", "AU", "TW", "GB", "IN", "KR"]),
    sector=st.sampled_from(["government", "finance"]),
    timezone=st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "America/New_York"]),
)
assets = told(
    role=st.sampled_from(["portal", "product", "platform"]), cii=st.booleans(), classified=st.booleans()
)
NAMES = ("aware", "graded", "believed", "received", "handled", "paid", "patch_available")
times = told(**dict.fromkeys(NAMES, moments))
facts = told(
    portal_down_minutes=st.sampled_from([0, 120, 1440]),
    homepage_tampered_since=moments,
    personal_records=st.sampled_from([0, 10_000_000]),
    significant=st.booleans(),
    relevant=st.booleans(),
    major=st.booleans(),
    core_function_disrupted=st.booleans(),
    personal_data=st.booleans(),
    intermediate_requested=moments,
)
filings = st.lists(
    st.fixed_dictionaries(
        {
            "obligation": st.sampled_from(
                ["cn-cac-2025/first", "cn-cac-2025/first/police", "eu-nis2/notification", "eu-dora/initial"]
            ),
            "at": moments,
        },
        optional={"receipt_at": moments, "complete": st.booleans()},
    ),
    max_size=3,
)
incidents = told(
    kind=st.sampled_from(["incident", "vulnerability"]),
    crime_suspected=st.booleans(),
    times=times,
    facts=facts,
    filings=filings,
)
cases = st.fixed_dictionaries({}, optional={"unit": units, "asset": assets, "incident": incidents})


def read(described: Described) -> Case:
    return read_case(json.dumps(described or {"unit": {}}), "case.yaml")


def answered(described: Described, law: tuple[Regime, ...], now: str) -> Answer:
    return explain(read(described), law, datetime.fromisoformat(now))


@given(cases, moments)
def test_every_obligation_stands_in_a_state_that_its_times_bear_out(
    law: tuple[Regime, ...], described: Described, now: str
) -> None:
    moment = datetime.fromisoformat(now)
    answer = answered(described, law, now)

    assert len({duty.id for duty in answer.obligations}) == len(answer.obligations)
    for duty in answer.obligations:
        if duty.state in {"not_yet", "cannot_compute", "no_number"}:
            assert duty.due_at is None
        if duty.state == "open":
            assert duty.due_at is not None
            assert moment <= duty.due_at
        if duty.state == "overdue":
            assert duty.due_at is not None
            assert moment > duty.due_at
        if duty.state == "cannot_compute":
            assert duty.missing
        if duty.due_at is not None:
            assert duty.anchor_at is not None
            assert duty.anchor_at < duty.due_at


@given(cases, cases, moments)
def test_learning_more_never_contradicts_whether_a_regime_applies(
    law: tuple[Regime, ...], more: Described, described: Described, now: str
) -> None:
    # When the unit became aware decides which law is in force: it is known in both or in neither.
    aware = {
        "incident": {"times": {"aware": described.get("incident", {}).get("times", {}).get("aware", now)}}
    }
    described, known = laid(described, aware), laid(more, described, aware)
    before = {looked.id: looked.applies for looked in answered(described, law, now).regimes}
    after = {looked.id: looked.applies for looked in answered(known, law, now).regimes}

    # The Chinese measures apply once the level has risen, and NIS2 gives way once DORA is known to apply.
    for name in before.keys() - {"cn-cac-2025", "eu-nis2"}:
        assert before[name] in {"unknown", after[name]}


@given(cases, moments)
def test_the_answer_is_the_same_every_time_and_is_one_json_document(
    law: tuple[Regime, ...], described: Described, now: str
) -> None:
    first, second = answered(described, law, now), answered(described, law, now)

    assert first.to_json() == second.to_json()
    assert set(json.loads(first.to_json())) == set(Answer.__struct_fields__)


@given(cases, moments, st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "America/New_York"]))
def test_the_zone_of_the_unit_changes_how_times_print_and_not_what_is_owed(
    law: tuple[Regime, ...], described: Described, now: str, zone: str
) -> None:
    plain = laid(described, {"unit": {"timezone": "UTC"}})
    local = laid(described, {"unit": {"timezone": zone}})
    calendar_months = {"eu-nis2/final", "eu-dora/final", "eu-cra/final"}

    # Times of the hour that clocks go through twice equal none of another zone (PEP 495): as UTC they do.
    def utc(at: datetime | None) -> datetime | None:
        return at and at.astimezone(UTC)

    def owed(case: Described) -> list[tuple[object, ...]]:
        return [
            (duty.id, duty.state, utc(duty.anchor_at), utc(duty.due_at), utc(duty.target_at))
            for duty in answered(case, law, now).obligations
            if duty.id not in calendar_months
        ]

    assert owed(plain) == owed(local)
