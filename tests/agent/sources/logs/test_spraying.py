from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.sources.logs.authlog import Attempt
from agent.sources.logs.bursts import Bursts, BurstSettings, Counter
from agent.sources.logs.spraying import Sprayed, Spraying, SpraySettings

T = datetime(2026, 3, 2, 1, 10, tzinfo=UTC)


def tried(second: float, source: str, account: str, *, succeeded: bool = False) -> Attempt:
    at = T + timedelta(seconds=second)
    word = "Accepted" if succeeded else "Failed"
    return Attempt(at, succeeded, account, source, "password", f"{word} password for {account}")


def spray(
    counted: Spraying | Bursts, accounts: int, every: float, addresses: int = 12, begin: int = 0
) -> list[dict[str, Any]]:
    """One try of each account, from one address after the other."""
    return [
        body
        for number in range(begin, begin + accounts)
        for body in counted.add(tried(number * every, f"203.0.113.{number % addresses}", f"clerk{number:03}"))
    ]


def test_many_accounts_tried_once_each_from_many_addresses_are_one_incident() -> None:
    (told,) = spray(Bursts(BurstSettings()), 25, 5)

    assert (told["key"], told["class"], told["severity_hint"]) == ("logins:spray", "NACRED", "medium")
    assert (told["pace"], told["count"], told["accounts_total"], told["source_addresses_total"]) == (
        "quick",
        25,
        25,
        12,
    )
    assert told["evidence"][0]["account"] == "clerk005"
    assert spray(Bursts(BurstSettings()), 24, 5) == []


def test_one_address_that_tries_each_account_once_is_told_as_the_source_it_is() -> None:
    quick = spray(Bursts(BurstSettings()), 60, 5, addresses=1)
    slow = spray(Bursts(BurstSettings()), 60, 1000, addresses=1)

    assert [body["key"] for body in quick] == ["logins:source:203.0.113.0"]
    assert [body["key"] for body in slow] == ["logins:slow:source:203.0.113.0"]


def test_who_sprays_one_account_a_quarter_of_an_hour_is_told_within_the_day() -> None:
    bodies = spray(Bursts(BurstSettings()), 96, 900)

    assert [(body["key"], body["pace"], body["count"]) for body in bodies] == [("logins:spray", "slow", 80)]
    assert spray(Bursts(BurstSettings()), 300, 1200) == []


def test_clerks_who_mistype_on_a_monday_and_come_in_are_none() -> None:
    bursts = Bursts(BurstSettings())
    told = []
    for number in range(400):
        clerk, desk = f"clerk{number}", f"10.1.{number // 250}.{number % 250}"
        told += bursts.add(tried(number, desk, clerk))
        told += bursts.add(tried(number + 0.5, desk, clerk, succeeded=True))

    assert told == []


def test_telephones_with_old_passwords_are_none() -> None:
    """Sixty of them, each once in two hours, all day; only their first three tries look like spraying."""
    counted = Spraying(SpraySettings(slow_accounts=50))
    first = [body for n in range(4) for body in _telephones(counted, 30, 7200.0 * n)]
    later = [body for n in range(4, 12) for body in _telephones(counted, 60, 7200.0 * n)]

    assert first == []
    assert later == []


def _telephones(counted: Spraying, count: int, begin: float) -> list[dict[str, Any]]:
    return [
        body
        for number in range(count)
        for body in counted.add(tried(begin + number * 60, f"10.1.1.{number}", f"clerk{number}"))
    ]


def test_an_address_that_is_told_by_itself_counts_no_further() -> None:
    bursts = Bursts(BurstSettings())
    told = []
    for number in range(9):
        told += bursts.add(tried(number, f"198.51.100.{number}", f"other{number}"))
    for number in range(60):
        told += bursts.add(tried(20 + number / 10, "203.0.113.9", f"clerk{number}"))

    assert [body["key"] for body in told] == ["logins:source:203.0.113.9"]


def test_it_goes_on_once_a_minute_and_is_over_after_six_hours() -> None:
    counted = Spraying(SpraySettings())
    spray(counted, 25, 5)
    assert counted.tick(T + timedelta(seconds=400)) == []
    spray(counted, 5, 5, begin=100)
    (more,) = counted.tick(T + timedelta(seconds=620))
    assert counted.tick(T + timedelta(seconds=520 + 21600)) == []
    (over,) = counted.tick(T + timedelta(seconds=521 + 21600))

    assert (more["count"], more["restored"]) == (30, False)
    assert (over["count"], over["restored"]) == (30, True)
    assert counted.tick(T + timedelta(days=1)) == []


def test_a_telephone_with_an_old_password_does_not_keep_it_alive() -> None:
    counted = Spraying(SpraySettings())
    for number in range(4):
        counted.add(tried(number, "10.1.1.9", "li"))
    spray(counted, 25, 5)
    ended = [body for hour in range(1, 8) for body in counted.add(tried(3600.0 * hour, "10.1.1.9", "li"))]

    assert [(body["restored"], body["count"]) for body in ended] == [(True, 25)]


def test_one_of_the_addresses_that_comes_in_is_grave_and_any_other_is_a_login() -> None:
    counted = Spraying(SpraySettings())
    spray(counted, 25, 5)
    assert counted.add(tried(130, "10.1.1.7", "li", succeeded=True)) == []
    (told,) = counted.add(tried(131, "203.0.113.3", "clerk099", succeeded=True))

    assert (told["succeeded"], told["severity_hint"]) == (True, "high")
    assert told["evidence"][-1]["account"] == "clerk099"
    assert counted.add(tried(132, "203.0.113.3", "clerk098", succeeded=True)) == []


@pytest.mark.parametrize("every", [5, 900])
def test_it_survives_a_restart_between_any_two_tries(every: float) -> None:
    bursts = Bursts(BurstSettings())
    told = []
    for number in range(90):
        counters = msgspec.json.decode(msgspec.json.encode(bursts.saved()), type=list[Counter])
        sprayed = msgspec.json.decode(msgspec.json.encode(bursts.sprayed()), type=Sprayed)
        bursts = Bursts(BurstSettings(), counters, sprayed)
        told += spray(bursts, 1, every, begin=number)

    assert [(body["key"], body["count"]) for body in told] == [("logins:spray", 25 if every == 5 else 80)]


def test_any_number_of_accounts_is_borne() -> None:
    counted = Spraying(SpraySettings(accounts=10_000, slow_accounts=10_000))
    spray(counted, 3000, 1)

    assert len(counted.saved().tries) == 2000
    assert len(counted.saved().evidence) == 20


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(st.integers(0, 60), st.sampled_from("abcdefgh"), st.integers(0, 30), st.booleans()),
        max_size=80,
    )
)
def test_fewer_accounts_than_the_threshold_or_fewer_addresses_are_never_told(
    rows: list[tuple[int, str, int, bool]],
) -> None:
    counted = Spraying(SpraySettings(accounts=10, sources=5))
    second, accounts, sources = 0, set(), set()
    for pause, source, account, succeeded in rows:
        second += pause
        if not succeeded:
            accounts.add(account)
            sources.add(source)
        if counted.add(tried(second, source, f"clerk{account}", succeeded=succeeded)):
            assert len(accounts) >= 10
            assert len(sources) >= 5
