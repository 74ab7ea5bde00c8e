import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.uplink.pace import MOST_REPORTS, RETRY_BYTES, Pace


def test_a_confirmed_batch_that_made_progress_doubles_the_next_up_to_the_most() -> None:
    pace = Pace(lambda: 0.5)
    pace.judge(413, 1000)
    assert pace.limit == 500

    for _ in range(3):
        assert pace.judge(200, 500).verb == "confirm"
        pace.progressed()

    assert pace.limit == MOST_REPORTS


def test_a_batch_that_cannot_be_taken_is_halved_at_once_down_to_the_one_to_blame() -> None:
    pace = Pace(lambda: 0.5)
    count, verbs = 1000, []
    while count > 1:
        step = pace.judge(400, count)
        verbs.append((step.verb, step.wait))
        count = pace.limit

    assert set(verbs) == {("again", 0.0)}
    assert len(verbs) == 9
    assert pace.judge(400, 1).verb == "set_aside"


def test_where_everything_is_refused_setting_aside_slows_down_to_one_a_minute() -> None:
    pace = Pace(lambda: 0.999)

    waits = [pace.judge(400, 1).wait for _ in range(20)]

    assert waits[0] < 1
    assert waits[-1] > 59


@pytest.mark.parametrize("status", [401, 403, 404, 426])
def test_what_only_a_person_can_mend_is_held_and_asked_seldom_and_nothing_is_set_aside(status: int) -> None:
    pace = Pace(lambda: 0.999)

    steps = [pace.judge(status, 1) for _ in range(10)]

    assert {step.verb for step in steps} == {"hold"}
    assert steps[-1].wait > 800


@pytest.mark.parametrize("status", [429, 500, 503, 507])
def test_a_collector_that_asks_for_time_gets_it(status: int) -> None:
    assert Pace(lambda: 0.5).judge(status, 10, 30).wait >= 30


def test_the_first_reconciliation_is_tried_at_once_and_the_next_waits() -> None:
    pace = Pace(lambda: 0.5)

    assert pace.judge(409, 3).verb == "reconcile"
    assert pace.reconciled(changed=True) == 0
    assert pace.reconciled(changed=True) > 0
    pace.progressed()
    assert pace.reconciled(changed=False) > 0


@given(
    st.lists(
        st.tuples(
            st.one_of(st.none(), st.integers(100, 599)),
            st.integers(1, 1000),
            st.one_of(st.none(), st.floats(0, 1e6)),
        ),
        max_size=60,
    )
)
def test_whatever_is_answered_something_is_sent_again_and_nothing_is_dropped(
    answers: list[tuple[int | None, int, float | None]],
) -> None:
    pace = Pace(lambda: 0.999)
    for status, count, retry_after in answers:
        step = pace.judge(status, count, retry_after)

        assert 1 <= pace.limit <= MOST_REPORTS
        assert 0 <= step.wait <= 3600 + 900
        if step.verb == "set_aside":
            assert count == 1
            assert status in {400, 413, 422}
        if step.verb == "confirm":
            assert status == 200


def test_what_is_sent_again_is_capped_by_the_minute_and_progress_lifts_the_cap() -> None:
    pace = Pace(lambda: 0.5)
    half = RETRY_BYTES // 2
    assert [pace.sends(RETRY_BYTES, at) for at in (0.0, 0.1)] == [0.0, 0.0]  # the first tries are no retries

    pace.judge(503, 1)
    tries = [
        pace.sends(half, 100.0),
        pace.sends(half, 110.0),
        pace.sends(half, 130.0),
        pace.sends(half, 160.0),
    ]
    pace.progressed()

    assert tries == [0.0, 0.0, 30.0, 0.0]
    assert pace.sends(RETRY_BYTES, 161.0) == 0.0


def test_a_batch_above_the_cap_is_tried_once_a_minute() -> None:
    pace = Pace(lambda: 0.5)
    pace.judge(None, 1)

    assert [pace.sends(RETRY_BYTES * 2, at) for at in (0.0, 20.0, 60.0)] == [0.0, 40.0, 0.0]


def test_a_body_that_several_addresses_took_counts_for_each_and_one_that_none_took_for_nothing() -> None:
    pace = Pace(lambda: 0.5)
    pace.judge(502, 1)
    third = RETRY_BYTES // 3
    assert pace.sends(third, 0.0) == 0.0
    pace.took(third, 2)

    assert pace.sends(third, 1.0) == 59.0  # two thirds are gone, and it is to cost two more
    assert pace.sends(third, 60.0) == 0.0
    pace.took(third, 0)
    assert [pace.sends(third, at) for at in (61.0, 62.0, 63.0, 64.0)] == [0.0, 0.0, 0.0, 56.0]
