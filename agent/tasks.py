"""The one door through which the agent starts tasks.

A task that dies takes the others with it and the process ends with its error: an agent whose uplink has
silently stopped looks healthy and is not.
"""

import asyncio
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self


class TaskEndedError(RuntimeError):
    """A task that should run as long as the agent came to its end."""


class Tasks:
    """Tasks that live and die together; leaving the block by `stop` cancels what still runs.

    Use as `async with Tasks() as tasks`. The error of a task that died is raised at the end of the block in
    an exception group, after all others have ended.
    """

    def __init__(self) -> None:
        self._group = asyncio.TaskGroup()
        self._running: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        await self._group.__aexit__(kind, error, trace)

    def spawn(self, name: str, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Start `work`, which must not end by itself."""
        task = self._group.create_task(_endless(name, work), name=name)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        # A task cancelled before its first step never awaits its work.
        task.add_done_callback(lambda _: work.close())
        return task

    def stop(self) -> None:
        """Cancel every task."""
        for task in tuple(self._running):
            task.cancel()


async def _endless(name: str, work: Coroutine[Any, Any, None]) -> None:
    await work
    raise TaskEndedError(f"task {name} ended by itself; it should run as long as the agent")
