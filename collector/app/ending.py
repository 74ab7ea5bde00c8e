"""How a collector ends: it was told to, or a part of it died; and nothing that hangs keeps it."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

CLOSE_SECONDS = 5.0
Notes = Callable[[str], None]
"""Takes lines for whoever started the process."""


class Ending:
    """Why and when the process ends.

    Attributes:
        asked: Set once it shall end.
        dead: Names of the parts that died.
    """

    def __init__(self, notes: Notes) -> None:
        self._notes = notes
        self.asked = asyncio.Event()
        self.dead: list[str] = []

    def died(self, name: str, error: BaseException) -> None:
        """End loudly: a part is gone."""
        self.dead.append(name)
        self._notes(f"{name} died: {type(error).__name__}: {error}")
        self.asked.set()


async def closed_in_time(name: str, close: Callable[[], Coroutine[Any, Any, None]], notes: Notes) -> None:
    """Close a database, but let nothing that hangs keep the process: what was committed is on the disk."""
    try:
        async with asyncio.timeout(CLOSE_SECONDS):
            await close()
    except TimeoutError:
        notes(f"{name} did not close within {CLOSE_SECONDS:.0f} s; left as it is")
