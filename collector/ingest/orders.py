"""The long poll for orders: thousands of agents wait, one look at the database serves them all.

    agent      GET /v1/orders ..................... answer (an order, or nothing after the wait)
    desk            waits        news -> one query: which nodes have open orders? -> wakes those

An order is open until its outcome arrives, and the agent asks again as soon as it is answered. What was
answered last is therefore held back for a while: the agent works on it, or has lost the answer and gets it
again.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from wire.messages import VERSION, Orders, Signed

from ..errors import RetryableError
from ..store.signal import Signal
from .tally import Tally

MAX_WAIT_SECONDS = 55.0
REPEAT_SECONDS = 10.0
_LOOK_SECONDS = 2.0
_PAUSE_SECONDS = 0.1

FindOrders = Callable[[str], Awaitable[list[Signed]]]
FindNodes = Callable[[], Awaitable[set[str]]]


class OrderDesk:
    """Answers the polls of all nodes."""

    def __init__(self, find: FindOrders, nodes: FindNodes, changed: Signal, tally: Tally) -> None:
        """Take what is asked of the store.

        Args:
            find: Open orders of a node, oldest first, signed.
            nodes: Which nodes have open orders.
            changed: Fires when this process changed the store.
            tally: Counts the times the store could not be read.
        """
        self._find = find
        self._nodes = nodes
        self._changed = changed
        self._tally = tally
        self._waiting: dict[str, set[asyncio.Event]] = {}
        self._busy: set[str] = set()
        self._answered: dict[str, tuple[list[str], float]] = {}
        self._closed = False

    async def poll(self, node: str, seconds: float) -> Orders:
        """Return a node's open orders as soon as there are any to tell, or none after `seconds`."""
        orders: list[Signed] = []
        with suppress(TimeoutError):
            async with asyncio.timeout(min(max(seconds, 0.0), MAX_WAIT_SECONDS)):
                orders = await self._await_orders(node)
        return Orders(version=VERSION, orders=orders)

    def dismiss(self) -> None:
        """Answer who waits, and who asks from now on, that there is nothing: the collector is about to go."""
        self._closed = True
        for waiting in self._waiting.values():
            for news in waiting:
                news.set()

    async def watch(self) -> None:
        """Wake the polls whose node has open orders; runs until cancelled."""
        while True:
            seen = self._changed.count
            try:
                self._busy = await self._nodes()
            except RetryableError:
                self._tally.refused["orders_look"] += 1
            for node in self._busy & self._waiting.keys():
                for news in self._waiting[node]:
                    news.set()
            # Changes come in flocks; a look for each of them would find the same.
            await asyncio.sleep(_PAUSE_SECONDS)
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_SECONDS):
                    await self._changed.wait(seen)

    async def _await_orders(self, node: str) -> list[Signed]:
        news = asyncio.Event()
        if node in self._busy or self._closed:
            news.set()
        waiting = self._waiting.setdefault(node, set())
        waiting.add(news)
        try:
            while True:
                await news.wait()
                if self._closed:
                    return []
                news.clear()
                orders = await self._find(node)
                if orders and self._worth_telling(node, orders):
                    return orders
        finally:
            waiting.discard(news)
            if not waiting:
                self._waiting.pop(node, None)

    def _worth_telling(self, node: str, orders: list[Signed]) -> bool:
        now = asyncio.get_running_loop().time()
        ids = [order.id for order in orders]
        told, at = self._answered.get(node, ([], 0.0))
        if ids == told and now - at < REPEAT_SECONDS:
            return False
        recent = {key: (ids, at) for key, (ids, at) in self._answered.items() if now - at < REPEAT_SECONDS}
        self._answered = recent
        self._answered[node] = (ids, now)
        return True
