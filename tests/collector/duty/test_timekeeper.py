from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from collector.duty.timekeeper import Timekeeper

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Host:
    def __init__(self) -> None:
        self.wall = NINE
        self.steady = 100.0

    def keeper(self, mark: datetime | None = None) -> Timekeeper:
        return Timekeeper(lambda: self.wall, lambda: self.steady, mark)

    def pass_seconds(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)
        self.steady += seconds


def test_a_well_kept_clock_is_followed() -> None:
    host = Host()
    keeper = host.keeper()
    host.pass_seconds(5)

    assert (keeper.now(), keeper.behind, keeper.jumped) == (host.wall, timedelta(0), timedelta(0))


def test_a_clock_set_back_is_not_followed_and_time_goes_on() -> None:
    host = Host()
    keeper = host.keeper()
    host.wall -= HOUR
    host.pass_seconds(60)

    assert keeper.now() == NINE + timedelta(seconds=60)
    assert keeper.behind == HOUR


def test_a_clock_set_back_is_followed_again_once_it_has_caught_up() -> None:
    host = Host()
    keeper = host.keeper()
    host.wall -= HOUR
    keeper.now()
    host.wall += 2 * HOUR

    assert (keeper.now(), keeper.behind) == (NINE + HOUR, timedelta(0))


def test_a_jump_forward_is_followed_and_measured() -> None:
    host = Host()
    keeper = host.keeper()
    host.wall += HOUR

    assert (keeper.now(), keeper.jumped) == (NINE + HOUR, HOUR)
    assert (keeper.now(), keeper.jumped) == (NINE + HOUR, timedelta(0))


def test_after_a_restart_with_a_clock_behind_time_goes_on_from_the_mark() -> None:
    host = Host()
    keeper = host.keeper(NINE + HOUR)
    host.pass_seconds(1)

    assert keeper.now() == NINE + HOUR + timedelta(seconds=1)
    assert keeper.behind == HOUR


@given(st.lists(st.tuples(st.floats(0, 1e6), st.integers(-(10**6), 10**6))))
def test_time_never_goes_back(steps: list[tuple[float, int]]) -> None:
    host = Host()
    keeper = host.keeper()
    told = [keeper.now()]
    for seconds, jump in steps:
        host.pass_seconds(seconds)
        host.wall += timedelta(seconds=jump)
        told.append(keeper.now())

    assert told == sorted(told)
    assert told[-1] >= host.wall
