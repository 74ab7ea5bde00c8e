from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.casework.case import read_form
from collector.incident import (
    EVIDENCE_KEPT,
    STATES,
    IllegalMoveError,
    State,
    check_move,
    graver,
    merge_evidence,
    merge_facts,
    merge_times,
    reopens,
)
from collector.regimes import Asset, Case, Facts, Incident, Region, Times, Unit, explain, load_regimes
from wire.vocabulary import rank

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
MINUTES = st.integers(0, 2000)
SINCE = st.integers(0, 1440).map(lambda ago: (NINE - timedelta(minutes=ago)).isoformat())
FACTS = st.fixed_dictionaries(
    {},
    optional={
        "portal_down_minutes": MINUTES,
        "homepage_tampered_since": SINCE,
        "page_tampered_since": SINCE,
        "views": st.integers(0, 10**7),
        "loss_yuan": st.integers(0, 10**9),
        "data_threat": st.sampled_from(["none", "fairly_serious", "serious", "especially_serious"]),
        "declared_level": st.sampled_from(["I", "II", "III", "IV"]),
        "ransom_demanded": st.booleans(),
    },
)
REGIMES = load_regimes(Path(__file__).parents[2] / "configs" / "regimes")


@pytest.mark.parametrize("state", STATES)
def test_an_incident_only_goes_forward(state: State) -> None:
    allowed = set()
    for to in STATES:
        try:
            allowed.add(check_move(state, to))
        except IllegalMoveError:
            continue

    assert allowed == set(STATES[STATES.index(state) + 1 :])


@pytest.mark.parametrize("state", STATES)
def test_a_refused_move_says_where_it_may_go(state: State) -> None:
    with pytest.raises(IllegalMoveError, match=f"incident is '{state}', asked for 'burning'; from here"):
        check_move(state, "burning")


def test_only_what_was_handled_is_reopened_by_a_report() -> None:
    assert [state for state in STATES if reopens(state)] == ["handled"]


@given(FACTS, FACTS)
def test_merged_facts_are_never_less_grave_than_either(one: dict[str, Any], other: dict[str, Any]) -> None:
    def level(facts: dict[str, Any]) -> int:
        case = Case(
            unit=Unit(kind="local_government", level="district", region=Region("CN-12")),
            asset=Asset(role="portal"),
            incident=Incident(times=Times(aware=NINE), facts=read_form(facts, Facts)),
        )
        answer = explain(case, REGIMES, NINE)
        assert answer.level is not None
        return rank(answer.level)

    assert level(merge_facts(one, other)) >= max(level(one), level(other))


@given(FACTS, FACTS)
def test_merging_a_second_time_changes_nothing(one: dict[str, Any], other: dict[str, Any]) -> None:
    merged = merge_facts(one, other)

    assert merge_facts(merged, other) == merged


def test_what_is_told_as_over_goes_on_no_longer() -> None:
    known = {"page_tampered_since": "2026-03-02T09:00:00Z", "page_tampered_minutes": 5}

    assert merge_facts(known, {"page_tampered_minutes": 31}) == {"page_tampered_minutes": 31}


@pytest.mark.parametrize(
    ("known", "new", "kept"),
    [
        ({"views": 10}, {"views": "many"}, {"views": 10}),
        ({"page_tampered_since": "soon"}, {"page_tampered_since": "2026-03-02T09:00:00Z"}, None),
        ({"data_threat": "serious"}, {"data_threat": "dreadful"}, None),
        ({"x_since": "2026-03-02T09:00:00"}, {"x_since": "2026-03-02T09:00:00Z"}, None),
    ],
)
def test_a_value_that_cannot_be_read_changes_nothing(
    known: dict[str, Any], new: dict[str, Any], kept: dict[str, Any] | None
) -> None:
    assert merge_facts(known, new) == (kept or known)


def test_the_earliest_of_each_time_counts() -> None:
    early, late = NINE, NINE + timedelta(hours=1)

    assert merge_times({"aware": late, "occurred": early}, {"aware": early, "detected": late}) == {
        "aware": early,
        "occurred": early,
        "detected": late,
    }


def test_evidence_is_a_ring_of_the_newest() -> None:
    known = [{"n": number} for number in range(EVIDENCE_KEPT)]
    merged = merge_evidence(known, ({"n": 98}, {"n": 99}))

    assert len(merged) == EVIDENCE_KEPT
    assert (merged[0], merged[-1]) == ({"n": 2}, {"n": 99})


def test_ungraded_counts_least() -> None:
    assert (graver(None, None), graver("IV", None), graver(None, "I"), graver("III", "II")) == (
        None,
        "IV",
        "I",
        "II",
    )
