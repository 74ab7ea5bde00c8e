"""A collector's settings are tried for one stretch of time, whatever happens to agent, host and disk."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from msgspec import structs

from agent.settings import Moment, Pushed, Settings
from agent.trial import Trial

if TYPE_CHECKING:
    from pathlib import Path

    from agent.clock import Clock

GIVEN = {"heartbeat_seconds": 9}


@pytest.fixture
def pushed(tmp_path: Path) -> Pushed:
    made = Pushed(tmp_path / "state")
    (tmp_path / "state").mkdir()
    made.begin_trial(3, GIVEN)
    return made


def trial(pushed: Pushed, clock: Clock, language: str = "en") -> Trial:
    return Trial(pushed, clock, lambda: 0.0, language)


def later(clock: Clock, seconds: float) -> Clock:
    return structs.replace(clock, monotonic=lambda: clock.monotonic() + seconds)


async def test_an_agent_that_dies_before_an_answer_again_and_again_goes_back_when_the_time_is_over(
    pushed: Pushed, clock: Clock
) -> None:
    """Each start in the trial goes on from the first: what kills the agent holds no longer than the rest."""
    for seconds in (0, 70, 140):
        assert trial(pushed, later(clock, seconds)).laid_over(Settings()).heartbeat_seconds == 9
    after = trial(pushed, later(clock, 181))

    assert after.laid_over(Settings()) == Settings()
    assert (after.held.state, after.held.refused) == ("none", 3)


async def test_what_is_left_of_the_time_is_all_a_restarted_agent_gives(pushed: Pushed, clock: Clock) -> None:
    trial(pushed, clock)
    again = trial(pushed, later(clock, 179.9))

    async with asyncio.timeout(5):
        assert await again.run(asyncio.Event()) == "rolled_back"
    assert pushed.read().refused == 3


async def test_a_full_disk_at_the_end_of_a_trial_ends_no_agent(
    pushed: Pushed, clock: Clock, tmp_path: Path
) -> None:
    answered = asyncio.Event()
    answered.set()
    one = trial(pushed, clock)
    in_the_way = tmp_path / "state" / "pushed.json.new"
    in_the_way.mkdir()  # nothing can be written beside what is there

    async def room_again() -> None:
        await asyncio.sleep(0)
        assert pushed.read().state == "trial"
        in_the_way.rmdir()

    async with asyncio.timeout(5):
        ended, _ = await asyncio.gather(one.run(answered), room_again())
    assert (ended, pushed.read().state) == ("kept", "kept")


async def test_the_way_back_is_told_in_the_nodes_language(
    pushed: Pushed, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    trial(pushed, clock)
    trial(pushed, later(clock, 999), "zh")

    assert "下发设置第 3 版已回退（180 秒内没有采集端应答），恢复第 0 版。" in caplog.text


async def test_it_says_when_others_were_pushed_since(pushed: Pushed, clock: Clock) -> None:
    one = trial(pushed, clock)
    assert not one.outdated
    pushed.begin_trial(4, {})

    assert one.outdated
    assert isinstance(pushed.start_clock(Moment("boot", 1, 1)).begun, Moment)
