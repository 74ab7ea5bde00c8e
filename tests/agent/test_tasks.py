import asyncio

import pytest

from agent.tasks import TaskEndedError, Tasks


async def test_a_task_that_dies_takes_the_others_with_it_and_is_named() -> None:
    others_end = asyncio.Event()

    async def other() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            others_end.set()

    async def dies() -> None:
        await asyncio.sleep(0)
        raise ValueError("broken")

    with pytest.RaisesGroup(pytest.RaisesExc(ValueError, match="broken")):
        async with Tasks() as tasks:
            tasks.spawn("other", other())
            tasks.spawn("dies", dies())
            await asyncio.Event().wait()

    assert others_end.is_set()


async def test_a_task_that_ends_by_itself_counts_as_dead() -> None:
    async def ends() -> None:
        await asyncio.sleep(0)

    with pytest.RaisesGroup(pytest.RaisesExc(TaskEndedError, match="task short ended by itself")):
        async with Tasks() as tasks:
            tasks.spawn("short", ends())
            await asyncio.Event().wait()


async def test_leaving_the_block_ends_every_task() -> None:
    async def runs() -> None:
        await asyncio.Event().wait()

    async with Tasks() as tasks:
        task = tasks.spawn("runs", runs())

    assert task.cancelled()
    assert task.get_name() == "runs"
