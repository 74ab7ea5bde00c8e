"""Whose turn it is to write: one at a time, first come first served, and a second queue that goes ahead.

    waits:    others  a b c d         goes:   x  P1 a P2 b c d
              ahead   P1 P2                   ^ writes when all of these come

What nodes report opens incidents, and each commit wakes every flow; a node's report would else wait behind
all of them. Who goes ahead waits for the write that runs, and for one other at most. After each that went
ahead one of the others has its turn, so that none of them waits for ever: statutory clocks are among them.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress


class Turns:
    """A fair lock with two queues, of one event loop."""

    def __init__(self) -> None:
        self._held = False
        self._went_ahead = False
        self._waiting: dict[bool, deque[asyncio.Future[None]]] = {True: deque(), False: deque()}

    @asynccontextmanager
    async def turn(self, *, ahead: bool) -> AsyncIterator[None]:
        """Have a turn for the time of a block."""
        await self._take(ahead)
        try:
            yield
        finally:
            self._give()

    async def _take(self, ahead: bool) -> None:  # noqa: FBT001 - which queue
        if not self._held:
            self._held, self._went_ahead = True, ahead
            return
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[ahead].append(mine)
        try:
            await mine
        except asyncio.CancelledError:
            if mine.done() and not mine.cancelled():
                self._give()  # the turn came in the same moment
            else:
                with suppress(ValueError):
                    self._waiting[ahead].remove(mine)
            raise

    def _give(self) -> None:
        """Hand the turn on; it is never free in between, so that nobody new overtakes who waits."""
        for ahead in (not self._went_ahead, self._went_ahead):
            queue = self._waiting[ahead]
            while queue:
                following = queue.popleft()
                if not following.done():
                    self._went_ahead = ahead
                    following.set_result(None)
                    return
        self._held = False
