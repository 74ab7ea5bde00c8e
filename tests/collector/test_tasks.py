"""Tasks go through one door: named, held, and loud when they die."""

import asyncio
import gc

import pytest

from collector.tasks import spawn


class Deaths(list[tuple[str, BaseException]]):
    def note(self, name: str, error: BaseException) -> None:
        self.append((name, error))


async def test_a_task_has_its_name_and_gives_its_result() -> None:
    async def work() -> int:
        return 7

    task = spawn("counting", work(), Deaths().note)
    assert task.get_name() == "counting"
    assert await task == 7


async def test_a_task_that_dies_is_told_by_name() -> None:
    deaths = Deaths()

    async def work() -> None:
        raise ValueError("broken")

    task = spawn("counting", work(), deaths.note)
    with pytest.raises(ValueError, match="broken"):
        await task
    await asyncio.sleep(0)
    assert [(name, str(error)) for name, error in deaths] == [("counting", "broken")]


async def test_a_cancelled_task_is_no_death() -> None:
    deaths = Deaths()
    task = spawn("waiting", asyncio.Event().wait(), deaths.note)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert deaths == []


async def test_a_task_nobody_holds_goes_on() -> None:
    go, done = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        await go.wait()
        done.set()

    spawn("alone", work(), Deaths().note)
    await asyncio.sleep(0)
    gc.collect()
    go.set()
    await asyncio.wait_for(done.wait(), 5)
