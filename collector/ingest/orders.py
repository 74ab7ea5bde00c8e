"""The long poll for orders: thousands of agents wait, one look at the database serves them all.

    agent      GET /v1/orders ..................... answer (an order, or nothing after the wait)
    desk            waits        news -> one query: which nodes have open orders? -> wakes those

An order is open until its outcome arrives, and the agent asks again as soon as it is answered. What was
answered last is therefore held back for a while: the agent works on it, or has lost the answer and gets it
again.

An agent takes no answer of more than 4 MB. What is too much for one comes with the next, at once, to an agent
that says up to where it has them (`after`); to one that says nothing, once the first have ended. So they
come as they were given, whatever is lost on the way: a release never overtakes its isolation.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress

from wire.codec import encode
from wire.messages import VERSION, Orders, Signed

from ..errors import RetryableError
from ..store.signal import Signal
from .tally import Tally

MAX_WAIT_SECONDS = 55.0
REPEAT_SECONDS = 10.0
_LOOK_SECONDS = 2.0
_PAUSE_SECONDS = 0.1
MOST_BYTES = 2 * 1024 * 1024
"""Of one answer; the largest order alone is smaller."""

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
        self._answered: dict[str, dict[str, float]] = {}
        self._closed = False

    async def poll(self, node: str, seconds: float, after: str = "") -> Orders:
        """Return a node's open orders as soon as there are any to tell, or none after `seconds`.

        Args:
            node: Who asks.
            seconds: How long it waits.
            after: Id of the last order that it has got; those behind it are told first.
        """
        orders: list[Signed] = []
        with suppress(TimeoutError):
            async with asyncio.timeout(min(max(seconds, 0.0), MAX_WAIT_SECONDS)):
                orders = await self._await_orders(node, after)
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

    async def _await_orders(self, node: str, after: str) -> list[Signed]:
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
                orders = self._worth_telling(node, await self._find(node), after)
                if orders:
                    return orders
        finally:
            waiting.discard(news)
            if not waiting:
                self._waiting.pop(node, None)

    def _worth_telling(self, node: str, orders: list[Signed], after: str) -> list[Signed]:
        now = asyncio.get_running_loop().time()
        recent = {key: told for key, told in self._answered.items() if _since(told.values(), now)}
        told = {key: at for key, at in recent.get(node, {}).items() if now - at < REPEAT_SECONDS}
        behind = [order for order in orders if after and order.id > after]
        found = within(behind or orders)
        if not behind and all(order.id in told for order in found):
            found = []
        self._answered = recent | {node: told | {order.id: now for order in found}}
        return found


def within(orders: list[Signed], most: int = MOST_BYTES) -> list[Signed]:
    """Return the first orders that one answer of so many bytes holds, and at least one."""
    size, fitting = 0, 0
    for order in orders:
        size += len(encode(order)) + 1
        if fitting and size > most:
            break
        fitting += 1
    return orders[:fitting]


def _since(times: Iterable[float], now: float) -> bool:
    return any(now - at < REPEAT_SECONDS for at in times)
