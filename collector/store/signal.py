"""A wake-up inside one process: who slept through several changes wakes once and misses none."""

import asyncio


class Signal:
    """Counts changes. A flow keeps the number it has seen and waits until there is a newer one.

    >>> async def flow() -> int:
    ...     changed = Signal()
    ...     seen = changed.count
    ...     changed.fire()
    ...     changed.fire()
    ...     return await changed.wait(seen)
    >>> asyncio.run(flow())
    2
    """

    def __init__(self) -> None:
        self.count = 0
        self._next = asyncio.Event()

    def fire(self) -> None:
        """Tell everyone who waits."""
        self.count += 1
        self._next.set()
        self._next = asyncio.Event()

    async def wait(self, seen: int) -> int:
        """Return the newest count once it differs from `seen`; at once if it already does."""
        while self.count == seen:
            await self._next.wait()
        return self.count
