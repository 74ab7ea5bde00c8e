"""Identifiers sort by the time they were made."""

import doctest
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from wire import ids
from wire.ids import uuid7, uuid7s

times = st.datetimes(min_value=datetime(1970, 1, 2), max_value=datetime(9000, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis wants naive bounds


def test_the_example_is_true() -> None:
    assert doctest.testmod(ids).failed == 0


@given(times)
def test_an_id_is_a_uuid_of_version_7(now: datetime) -> None:
    made = UUID(uuid7(now))

    assert made.version == 7
    assert made.int >> 80 == int(now.timestamp() * 1000)


@given(times, st.integers(1, 10**9))
def test_a_later_id_sorts_behind(now: datetime, later: int) -> None:
    assert uuid7(now) < uuid7(now + timedelta(milliseconds=later))


@given(times, st.binary(min_size=10, max_size=10))
def test_the_text_is_the_one_that_uuid_writes(now: datetime, random: bytes) -> None:
    made = uuid7(now, random)

    assert made == str(UUID(made))
    assert UUID(made).variant == "specified in RFC 4122"


@given(times, st.integers(0, 50))
def test_ids_of_one_moment_are_different_and_in_order(now: datetime, count: int) -> None:
    made = uuid7s(now, count)

    assert len(set(made)) == count
    assert made == sorted(made)
    assert {(UUID(one).version, UUID(one).int >> 80) for one in made} <= {(7, int(now.timestamp() * 1000))}
