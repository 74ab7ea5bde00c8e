from datetime import UTC, datetime, timedelta

import pytest

from agent.detection.loss import Counted, Loss, LossMeter

START = datetime(2026, 3, 2, 9, tzinfo=UTC)


def reading(seconds: int, seen: int, lost: int) -> Counted:
    return Counted(START + timedelta(seconds=seconds), seen, lost)


def test_the_first_reading_says_nothing_for_what_came_before_the_agent_is_not_known() -> None:
    assert LossMeter(0.01).note("", reading(0, 1000, 900)) is None


def test_a_sensor_that_loses_a_tenth_says_so_with_the_count_and_the_time() -> None:
    meter = LossMeter(0.01)
    meter.note("", reading(0, 1000, 0))
    loss = meter.note("", reading(10, 10_000, 1000))

    assert loss == Loss(START, START + timedelta(seconds=10), 9000, 1000)
    assert loss.gap("suricata") == {
        "kind": "incident",
        "count": 1000,
        "from": "2026-03-02T09:00:00Z",
        "to": "2026-03-02T09:00:10Z",
        "why": "suricata lost 1000 of 10000 packets (10.0%)",
    }
    assert (loss.finding("suricata").incident_class, loss.finding("suricata").severity) == (
        "DETECH",
        "medium",
    )


@pytest.mark.parametrize(("seen", "lost"), [(11_000, 0), (1_000_000, 900), (1000, 0)])
def test_a_sensor_that_loses_nothing_or_next_to_nothing_is_left_alone(seen: int, lost: int) -> None:
    meter = LossMeter(0.01)
    meter.note("", reading(0, 1000, 0))

    assert meter.note("", reading(10, seen, lost)) is None


def test_counters_that_fell_began_anew() -> None:
    meter = LossMeter(0.01)
    meter.note("", reading(0, 100_000, 5000))
    loss = meter.note("", reading(10, 60, 40))

    assert loss
    assert (loss.seen, loss.lost, loss.finding("s").severity) == (60, 40, "high")


def test_readers_are_counted_apart_and_no_number_of_them_takes_memory() -> None:
    meter = LossMeter(0.01)
    meter.note("a", reading(0, 0, 0))

    assert meter.note("b", reading(1, 100, 100)) is None
    for number in range(1000):
        meter.note(str(number), reading(2, 0, 0))
    assert len(meter._last) == 64
