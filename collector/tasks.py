"""The one door through which tasks are started."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

OnDeath = Callable[[str, BaseException], None]
"""Told the name and the error of a task that ended by one; the process is expected to stop."""

Result = TypeVar("Result")

# The event loop keeps weak references only: a task nobody holds may vanish in the middle of its work.
_running: set[asyncio.Task[Any]] = set()


def spawn(name: str, coro: Coroutine[Any, Any, Result], on_death: OnDeath) -> asyncio.Task[Result]:
    """Start a task that has a name, is held until it ends, and does not die in silence.

    Args:
        name: What logs and `on_death` call it.
        coro: The work; a normal end and cancellation are no deaths.
        on_death: Called in the event loop with the name and the error it ended by.
    """

    def ended(task: asyncio.Task[Result]) -> None:
        _running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            on_death(name, error)

    task = asyncio.get_running_loop().create_task(coro, name=name)
    _running.add(task)
    task.add_done_callback(ended)
    return task
