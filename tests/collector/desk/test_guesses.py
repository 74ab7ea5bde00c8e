"""Who guesses waits ever longer; who knows a password gets in from elsewhere."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.desk.guesses import DelayedError, Guesses

NOW = datetime(2026, 3, 2, 1, 10, tzinfo=UTC)
PATIENT = timedelta(minutes=15)


def guess(guesses: Guesses, times: int, name: str = "li", address: str = "10.0.0.9") -> timedelta:
    """Guess wrong, each time as soon as it is allowed; return the last delay."""
    now, delay = NOW, timedelta()
    for _ in range(times):
        delay = guesses.begin(name, address, now)
        now += delay
    return delay


def test_each_wrong_guess_doubles_the_wait_up_to_a_quarter_of_an_hour() -> None:
    assert [guess(Guesses(), times).total_seconds() for times in (5, 6, 7, 8)] == [0, 1, 2, 4]
    assert guess(Guesses(), 40) == PATIENT


def test_a_guess_that_must_wait_is_not_counted() -> None:
    guesses = Guesses()
    guess(guesses, 6)
    for _ in range(100):
        with pytest.raises(DelayedError):
            guesses.begin("li", "10.0.0.9", NOW)

    assert guesses.begin("li", "10.0.0.9", NOW + timedelta(seconds=1)) == timedelta(seconds=2)


def test_one_address_that_tries_many_names_is_slowed_down_too() -> None:
    guesses = Guesses()
    delays = [guesses.begin(f"name{number}", f"2001:db8::{number}", NOW) for number in range(21)]

    assert delays == [timedelta()] * 20 + [timedelta(seconds=1)]


def test_however_many_guess_at_a_name_its_owner_gets_in_from_a_fresh_address() -> None:
    guesses = Guesses()
    for number in range(20):
        with suppress(DelayedError):
            guess(guesses, 5, address=f"10.1.0.{number}")
    with pytest.raises(DelayedError):
        guesses.begin("li", "10.1.0.1", NOW)

    assert guesses.begin("li", "10.9.0.1", NOW) >= timedelta()
    guesses.right("li", "10.9.0.1", NOW)
    assert guesses.begin("li", "10.9.0.1", NOW) == timedelta()


def test_who_knew_the_password_begins_anew_and_a_quiet_hour_forgets() -> None:
    guesses = Guesses()
    guess(guesses, 5)
    guesses.begin("li", "10.0.0.9", NOW)
    guesses.right("li", "10.0.0.9", NOW)
    assert guess(guesses, 5) == timedelta()

    assert guesses.begin("li", "10.0.0.9", NOW + timedelta(hours=1, seconds=1)) == timedelta()


@given(st.lists(st.tuples(st.text(max_size=3), st.ip_addresses().map(str)), max_size=60))
def test_what_is_kept_is_bounded_and_so_is_every_wait(tries: list[tuple[str, str]]) -> None:
    guesses = Guesses(most=10)
    for name, address in tries:
        with suppress(DelayedError):
            assert guesses.begin(name, address, NOW) <= PATIENT
        assert len(guesses._counts) <= 10
