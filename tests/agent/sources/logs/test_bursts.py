from datetime import UTC, datetime, timedelta

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from agent.sources.logs.authlog import Attempt
from agent.sources.logs.bursts import Bursts, BurstSettings, Counter

T = datetime(2026, 3, 2, 1, 10, tzinfo=UTC)
FIVE = BurstSettings(window=300.0, by_source=5, by_account=1000, slow_by_account=1000, repeat=60.0)


def failed(second: float, source: str = "203.0.113.9", account: str = "root", times: int = 1) -> Attempt:
    at = T + timedelta(seconds=second)
    return Attempt(at, False, account, source, "password", f"Failed password for {account}", times)


def succeeded(second: float, source: str = "203.0.113.9", account: str = "root") -> Attempt:
    return Attempt(T + timedelta(seconds=second), True, account, source, "password", "Accepted password")


def test_the_threshold_begins_a_burst_and_one_less_does_not() -> None:
    bursts = Bursts(FIVE)

    assert [bursts.add(failed(second)) for second in range(4)] == [[], [], [], []]
    (told,) = bursts.add(failed(4))
    assert told["key"] == "logins:source:203.0.113.9"
    assert told["class"] == "NACRED"
    assert (told["count"], told["first_seen"], told["last_seen"]) == (
        5,
        "2026-03-02T01:10:00Z",
        "2026-03-02T01:10:04Z",
    )
    assert told["source_address"] == "203.0.113.9"
    assert told["accounts"] == ["root"]
    assert not told["restored"]


def test_a_clerk_who_mistypes_now_and_then_is_no_burst() -> None:
    bursts = Bursts(FIVE)
    day = [
        bursts.add(failed(hour * 3600.0 + minute, "10.1.1.20", "li"))
        for hour in range(8)
        for minute in (0, 9)
    ]

    assert not any(day)


def test_failures_that_leave_the_window_do_not_count_for_the_threshold() -> None:
    bursts = Bursts(FIVE)
    for second in (0, 100, 200, 290):
        bursts.add(failed(second))

    assert bursts.add(failed(301)) == []


def test_one_account_tried_from_many_addresses_is_a_burst_too() -> None:
    bursts = Bursts(BurstSettings(by_source=5, by_account=8))
    told = [body for n in range(8) for body in bursts.add(failed(n, f"203.0.113.{n}"))]

    (one,) = told
    assert (one["key"], one["target"], one["source_address"]) == ("logins:account:root", "root", None)
    assert len(one["source_addresses"]) == 8


def test_a_burst_that_goes_on_is_told_again_once_a_minute() -> None:
    bursts = Bursts(FIVE)
    for second in range(5):
        bursts.add(failed(second))
    told = []
    for second in range(5, 125):
        told += bursts.add(failed(second))
        told += bursts.tick(T + timedelta(seconds=second))

    assert [body["count"] for body in told] == [65, 125]


def test_a_window_without_a_failure_ends_it() -> None:
    bursts = Bursts(FIVE)
    for second in range(5):
        bursts.add(failed(second))
    assert bursts.tick(T + timedelta(seconds=304)) == []
    (told,) = bursts.tick(T + timedelta(seconds=305))

    assert told["restored"] is True
    assert told["count"] == 5
    assert [one for one in bursts.saved() if one.pace == "quick"] == []


def test_a_success_within_a_burst_is_told_at_once_and_once() -> None:
    bursts = Bursts(FIVE)
    for second in range(5):
        bursts.add(failed(second))
    (told,) = bursts.add(succeeded(6))

    assert told["succeeded"] is True
    assert told["severity_hint"] == "high"
    assert told["evidence"][-1]["succeeded"] is True
    assert bursts.add(succeeded(7)) == []


def test_a_success_without_a_burst_is_a_login() -> None:
    bursts = Bursts(FIVE)
    bursts.add(failed(0))

    assert bursts.add(succeeded(1)) == []


def test_folded_lines_count_as_often_as_they_came() -> None:
    bursts = Bursts(FIVE)
    bursts.add(failed(0))
    (told,) = bursts.add(failed(1, times=4))

    assert told["count"] == 5


def test_a_burst_after_a_silence_that_nobody_ticked_ends_the_old_one_first() -> None:
    bursts = Bursts(FIVE)
    for second in range(5):
        bursts.add(failed(second))
    (ended,) = bursts.add(failed(10_000))

    assert ended["restored"] is True


def test_evidence_is_bounded_whatever_comes() -> None:
    bursts = Bursts(FIVE)
    told = []
    for second in range(290):
        told += bursts.add(failed(second, account=f"user{second}"))
        told += bursts.tick(T + timedelta(seconds=second))

    assert max(len(body["evidence"]) for body in told) == 20
    assert max(len(body["accounts"]) for body in told) == 20


def test_counters_survive_a_restart() -> None:
    before = Bursts(FIVE)
    for second in range(4):
        before.add(failed(second))
    saved = msgspec.json.decode(msgspec.json.encode(before.saved()), type=list[Counter])
    (told,) = Bursts(FIVE, saved).add(failed(4))

    assert told["count"] == 5


@given(st.lists(st.tuples(st.floats(0, 600), st.integers(1, 3)), max_size=60))
def test_whenever_a_window_holds_the_threshold_the_burst_is_told(rows: list[tuple[float, int]]) -> None:
    """Held against counting every window by hand."""
    rows = sorted(rows)
    bursts = Bursts(BurstSettings(window=300.0, by_source=5, by_account=1000))
    told = [body for second, times in rows for body in bursts.add(failed(second, times=times))]
    full = any(
        sum(times for second, times in rows if last - 300.0 <= second <= last) >= 5 for last, _ in rows
    )

    assert bool(told) is full


def test_who_tries_once_in_ten_minutes_is_told_after_seven_hours_and_only_at_the_slow_pace() -> None:
    bursts = Bursts(BurstSettings())
    told = []
    for number in range(144):
        told += [(number, body) for body in bursts.add(failed(600.0 * number, account=f"user{number}"))]
        bursts.tick(T + timedelta(seconds=600.0 * number))

    ((number, body),) = told
    assert (number, body["key"]) == (39, "logins:slow:source:203.0.113.9")
    assert (body["count"], body["first_seen"]) == (40, "2026-03-02T01:10:00Z")


def test_an_account_tried_by_a_thousand_addresses_in_a_day_is_told_at_the_slow_pace() -> None:
    bursts = Bursts(BurstSettings())
    told = [body for n in range(60) for body in bursts.add(failed(1000.0 * n, f"203.0.113.{n}"))]

    assert [body["key"] for body in told] == ["logins:slow:account:root"]


def test_a_clerk_who_mistypes_four_times_a_day_is_never_told() -> None:
    bursts = Bursts(BurstSettings())
    told = [
        bursts.add(failed(86400.0 * day + 7200 * try_, "10.1.1.20", "li"))
        for day in range(30)
        for try_ in range(4)
    ]

    assert not any(told)


def test_a_burst_that_is_told_is_not_told_again_at_the_slow_pace() -> None:
    bursts = Bursts(BurstSettings())
    told = [body for second in range(200) for body in bursts.add(failed(second))]

    assert {body["key"] for body in told} == {"logins:source:203.0.113.9", "logins:account:root"}


def test_the_slow_pace_survives_a_restart_and_ends_after_a_quarter_of_its_window() -> None:
    bursts = Bursts(BurstSettings())
    told = []
    for number in range(40):
        saved = msgspec.json.decode(msgspec.json.encode(bursts.saved()), type=list[Counter])
        bursts = Bursts(BurstSettings(), saved)
        told += bursts.add(failed(600.0 * number, account=""))
    assert [body["restored"] for body in told] == [False]
    assert bursts.tick(T + timedelta(seconds=600 * 39 + 6 * 3600)) == []
    (over,) = bursts.tick(T + timedelta(seconds=600 * 39 + 6 * 3600 + 1))

    assert over["restored"] is True


def test_no_flood_of_other_addresses_makes_the_patient_one_forgotten() -> None:
    """Twenty of its tries, then ten thousand addresses with one each, then twenty more."""
    bursts = Bursts(BurstSettings())
    told = [body for n in range(20) for body in bursts.add(failed(600.0 * n, account=""))]
    for number in range(10_000):
        told += bursts.add(failed(12_000 + number / 10, f"2001:db8::{number:x}", account=""))
    told += [body for n in range(20) for body in bursts.add(failed(14_000 + 600.0 * n, account=""))]

    assert [body["key"] for body in told] == ["logins:slow:source:203.0.113.9"]
    assert len(bursts.saved()) <= 4000
