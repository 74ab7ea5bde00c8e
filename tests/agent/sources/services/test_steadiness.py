import doctest
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from agent.sources.services import steadiness
from agent.sources.services.steadiness import Steadiness

NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)


def at(minute: int) -> datetime:
    return NOON + timedelta(minutes=minute)


def after(checks: str, start: Steadiness | None = None, first: int = 0) -> Steadiness:
    """A check a minute: `.` good, `x` bad."""
    state = start or Steadiness()
    for minute, check in enumerate(checks, first):
        state = state.after(at(minute), good=check == ".", down_after=3, up_after=2)
    return state


def test_the_story_runs() -> None:
    assert doctest.testmod(steadiness).failed == 0


def test_a_short_failure_is_no_outage() -> None:
    assert after("..xx..xx..").down_since is None


def test_an_outage_lasts_from_the_first_failure_to_the_first_lasting_success() -> None:
    state = after("..xxxx..")

    assert after("..xxxx.").down_since == at(2)
    assert state.down_since is None
    assert state.ended_at == at(6)


def test_a_service_that_flaps_has_one_outage_that_ends_late() -> None:
    """The second time it asks for four successes in a row, the third for eight."""
    state = after("xxx..xxx...")
    assert state.down_since == at(5)
    state = after(".xxx......", state, 11)
    assert state.down_since == at(12)

    assert after("..", state, 21).ended_at == at(15)


def test_an_outage_long_after_the_last_is_a_first_one_again() -> None:
    later = after("xxx", after("xxx.."), 120)

    assert later.outages == 1
    assert after("..", later, 123).down_since is None


@given(st.text(alphabet=".x", max_size=60))
def test_down_since_is_never_later_than_now_and_begins_with_a_failure(checks: str) -> None:
    state = after(checks)

    assert state.fails == 0 or state.successes == 0
    if state.down_since is not None:
        minute = int((state.down_since - NOON).total_seconds() // 60)
        assert checks[minute : minute + 3] == "xxx"
        assert minute == 0 or checks[minute - 1] == "." or "xxx" not in checks[:minute]
