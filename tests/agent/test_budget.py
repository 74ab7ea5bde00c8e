import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent import budget
from agent.budget import Account, Budget, Pace, RestingError, StillRunningError


def test_a_run_that_has_not_come_back_is_never_joined_by_a_second() -> None:
    account = Account(Budget())
    account.start(0.0)

    with pytest.raises(StillRunningError, match="has not come back for 3600 s"):
        account.start(3600.0)
    account.finish(3600.0, cpu_seconds=0.1)
    account.start(3601.0)


def test_a_source_that_overdraws_its_cpu_rests_and_then_goes_on() -> None:
    account = Account(Budget(cpu_seconds=1.0, window=300.0, cool_down=60.0))
    account.start(0.0)
    overdraft = account.finish(10.0, cpu_seconds=1.5)

    assert overdraft is not None
    assert (overdraft.what, overdraft.spent, overdraft.allowed) == ("cpu_seconds", 1.5, 1.0)
    with pytest.raises(RestingError, match="resting for 60 s"):
        account.start(10.0)
    account.start(70.0)


def test_a_rest_of_an_earlier_life_goes_on_and_is_no_longer_than_the_budget_says() -> None:
    account = Account(Budget(cool_down=60.0))
    account.resume(1000.0, 20.0)
    with pytest.raises(RestingError, match="resting for 20 s"):
        account.start(1000.0)
    account.start(1020.0)
    account.finish(1020.0, cpu_seconds=0.1)

    account.resume(2000.0, 1e9)
    assert account.rest(2000.0) == 60.0


def test_purses_are_full_again_in_the_next_window() -> None:
    account = Account(Budget(cpu_seconds=1.0, window=300.0))
    for at in (0.0, 300.0, 600.0):
        account.start(at)
        assert account.finish(at, cpu_seconds=0.9) is None


def test_too_many_bytes_of_reports_are_an_overdraft_too() -> None:
    account = Account(Budget(report_bytes=1000))

    assert account.pay_bytes(0.0, 900) is None
    overdraft = account.pay_bytes(1.0, 200)
    assert overdraft is not None
    assert (overdraft.what, overdraft.since) == ("report_bytes", 0.0)
    assert account.rest(1.0) == 300.0


def test_an_overdraft_is_told_once_a_rest() -> None:
    account = Account(Budget(report_bytes=10))

    assert account.pay_bytes(0.0, 11) is not None
    assert account.pay_bytes(1.0, 11) is None


@given(st.lists(st.floats(0, 2), min_size=1, max_size=60))
def test_no_window_costs_more_than_its_purse_and_one_run(costs: list[float]) -> None:
    """Whatever runs cost, what is spent between two rests stays within the purse and the last run."""
    account = Account(Budget(cpu_seconds=3.0, window=1e9, cool_down=5.0))
    at, spent = 0.0, 0.0
    for cost in costs:
        at += 1.0
        try:
            account.start(at)
        except RestingError:
            spent = 0.0
            continue
        spent += cost
        assert spent <= 3.0 + cost + 1e-9
        if account.finish(at, cpu_seconds=cost):
            spent = 0.0


@given(
    st.lists(st.tuples(st.floats(0, 0.3), st.integers(0, 400), st.floats(0, 40)), min_size=1, max_size=300)
)
def test_whoever_keeps_the_pace_is_never_overdrawn(looks: list[tuple[float, int, float]]) -> None:
    """Looks of up to a twentieth of the purse, and a caller that waits as long as it is told, or longer."""
    budget = Budget(cpu_seconds=6.0, report_bytes=8000, window=300.0)
    account, pace, at = Account(budget), Pace(budget), 0.0
    for cost, count, idle in looks:
        account.start(at)
        pace.spend(at, cpu_seconds=cost)
        assert account.finish(at, cpu_seconds=cost) is None
        pace.spend(at, report_bytes=count)
        assert account.pay_bytes(at, count) is None
        at += max(pace.wait(at), idle)


def test_a_flood_still_gets_what_flows_back_and_a_quiet_time_fills_the_stock() -> None:
    pace = Pace(Budget(cpu_seconds=6.0, window=300.0))
    for _ in range(1000):
        pace.spend(0.0, cpu_seconds=0.004)
    assert pace.wait(0.0) > 100

    at, looks = 0.0, 0
    while at < 300.0:
        at += pace.wait(at)
        pace.spend(at, cpu_seconds=0.004)
        looks += 1
    assert looks > 300, "a look every half second, however long the flood lasts"
    assert pace.wait(at + 300.0) == 0.0


def test_the_examples_of_the_file_are_true() -> None:
    assert doctest.testmod(budget).failed == 0
