"""When something was seen, by our clock, whatever the host's said."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Raw
from msgspec.structs import replace

from collector.stages.hosttime import TOLERANCE, ahead, by_our_clock
from wire.messages import Batch, Report

SEEN = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
DAY, YEAR = timedelta(days=1), timedelta(days=365)
SECOND = timedelta(seconds=1)


def told(
    wrong: timedelta, held: timedelta, *, mended: bool = False, boot: str = "b", monotonic: bool = True
) -> tuple[Batch, Report, datetime]:
    """What a host says that saw something at `SEEN`, by a clock that is wrong, and sent it later."""
    report = Report(
        id="r",
        seq=1,
        kind="incident",
        source="files",
        observed_at=SEEN + wrong,
        boot_id="b",
        monotonic=100.0,
        body=Raw(b"{}"),
    )
    batch = Batch(
        version=1,
        epoch="e",
        after=0,
        after_id="",
        sent_at=SEEN + held + (timedelta() if mended else wrong),
        boot_id=boot,
        monotonic=100.0 + held.total_seconds() if monotonic else None,
        reports=[report],
    )
    return batch, report, SEEN + held


@given(
    wrong=st.timedeltas(-40 * YEAR, 40 * YEAR),
    held=st.timedeltas(timedelta(), 10 * DAY),
    line=st.timedeltas(timedelta(), timedelta(minutes=4)),
    mended=st.booleans(),
)
@settings(max_examples=60)
def test_whatever_the_hosts_clock_says_and_becomes_it_was_seen_when_it_was_seen(
    wrong: timedelta, held: timedelta, line: timedelta, *, mended: bool
) -> None:
    """But for what the line takes, and a difference that may be the line's."""
    batch, report, received_at = told(wrong, held, mended=mended)
    received_at += line
    seen = by_our_clock(report.observed_at, ahead(batch, report, received_at), received_at)

    assert seen <= received_at
    assert abs(seen - SEEN) <= TOLERANCE + timedelta(minutes=4) + SECOND


def test_a_clock_that_is_right_or_a_line_that_is_slow_changes_nothing() -> None:
    for wrong in (timedelta(), TOLERANCE - SECOND, -TOLERANCE + SECOND):
        assert ahead(*told(wrong, DAY)) == timedelta()
    batch, report, received_at = told(timedelta(), DAY)
    assert ahead(batch, report, received_at + TOLERANCE) == timedelta()


@pytest.mark.parametrize("wrong", [DAY, -DAY, YEAR, -YEAR])
@pytest.mark.parametrize("how", [{"boot": "another"}, {"monotonic": False}], ids=["reboot", "older agent"])
def test_without_the_seconds_since_its_boot_the_hosts_clock_now_has_to_do(
    wrong: timedelta, how: dict[str, object]
) -> None:
    batch, report, received_at = told(wrong, timedelta(hours=20), **how)  # type: ignore[arg-type]
    assert ahead(batch, report, received_at) == wrong


def test_a_clock_set_since_an_earlier_boot_is_not_believed_to_have_been_wrong_then() -> None:
    batch, report, received_at = told(timedelta(), timedelta(hours=20), boot="another")
    back = replace(batch, sent_at=datetime(1970, 1, 1, tzinfo=UTC))
    assert ahead(back, report, received_at) == timedelta()


@pytest.mark.parametrize("monotonic", [-1e300, 1e300, 0.0])
def test_seconds_that_nothing_can_have_lasted_are_no_distance(monotonic: float) -> None:
    batch, report, received_at = told(YEAR, DAY)
    assert ahead(replace(batch, monotonic=monotonic), report, received_at) == YEAR


def test_a_batch_without_an_offset_tells_nothing_of_the_hosts_clock() -> None:
    batch, report, received_at = told(YEAR, DAY, monotonic=False)
    assert (
        ahead(replace(batch, sent_at=batch.sent_at.replace(tzinfo=None)), report, received_at) == timedelta()
    )


@pytest.mark.parametrize("year", [1, 1970, 9998])
@pytest.mark.parametrize("off", [-7000 * YEAR, -100 * YEAR, timedelta(), 100 * YEAR, 1900 * YEAR])
def test_any_time_becomes_one_that_a_host_can_have_had_by_our_clock(year: int, off: timedelta) -> None:
    at = by_our_clock(datetime(year, 1, 2, tzinfo=UTC), off, SEEN)
    assert datetime(1970, 1, 1, tzinfo=UTC) <= at <= SEEN
