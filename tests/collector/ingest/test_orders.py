"""The long poll for orders."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.errors import RetryableError
from collector.ingest import orders
from collector.ingest.orders import OrderDesk
from collector.ingest.tally import Tally
from collector.store.signal import Signal
from collector.tasks import spawn
from wire.codec import MAX_PACKED, encode
from wire.messages import Signed

NOW = datetime(2026, 3, 2, 4, tzinfo=UTC)


def order(identifier: str) -> Signed:
    return Signed(id=identifier, purpose="order", body=b"{}", certificate="", signature=b"")


def large(number: int) -> Signed:
    """An order of 90 KB of settings, as each travels: in base64."""
    return Signed(id=f"o{number:03}", purpose="order", body=bytes(90_000), certificate="", signature=b"")


class Shelf:
    """Orders as the store would tell them."""

    def __init__(self) -> None:
        self.changed = Signal()
        self.tally = Tally()
        self.by_node: dict[str, list[Signed]] = {}
        self.looks = 0
        self.broken = False
        self.desk = OrderDesk(self._of, self._busy, self.changed, self.tally)

    def put(self, node: str, *some: Signed) -> None:
        self.by_node[node] = list(some)
        self.changed.fire()

    async def _of(self, node: str) -> list[Signed]:
        self.looks += 1
        return self.by_node.get(node, [])

    async def _busy(self) -> set[str]:
        if self.broken:
            self.broken = False
            raise RetryableError("away")
        return set(self.by_node)


@asynccontextmanager
async def watched(shelf: Shelf) -> AsyncIterator[OrderDesk]:
    task = spawn("orders", shelf.desk.watch(), lambda *_: None)
    yield shelf.desk
    task.cancel()
    await asyncio.wait([task])


async def test_a_poll_is_answered_as_soon_as_there_is_an_order() -> None:
    shelf = Shelf()
    async with watched(shelf) as desk:
        polls = asyncio.gather(desk.poll("a", 30), desk.poll("b", 0.3))
        shelf.put("a", order("o1"))
        async with asyncio.timeout(5):
            first, second = await polls
    assert [found.id for found in first.orders] == ["o1"]
    assert second.orders == []


async def test_an_idle_poll_asks_the_store_nothing() -> None:
    shelf = Shelf()
    async with watched(shelf) as desk:
        assert (await desk.poll("a", 0.2)).orders == []
    assert shelf.looks == 0


async def test_an_answered_order_is_not_told_again_at_once_but_a_new_one_is() -> None:
    shelf = Shelf()
    shelf.put("a", order("o1"))
    async with watched(shelf) as desk, asyncio.timeout(10):
        assert len((await desk.poll("a", 5)).orders) == 1
        assert (await desk.poll("a", 0.3)).orders == []
        waiting = asyncio.gather(desk.poll("a", 5))
        shelf.put("a", order("o1"), order("o2"))
        [answer] = await waiting
    assert [found.id for found in answer.orders] == ["o1", "o2"]


async def test_an_order_whose_answer_was_lost_is_told_again_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orders, "REPEAT_SECONDS", 0.2)
    monkeypatch.setattr(orders, "_LOOK_SECONDS", 0.05)
    shelf = Shelf()
    shelf.put("a", order("o1"))
    async with watched(shelf) as desk, asyncio.timeout(10):
        await desk.poll("a", 5)
        assert [found.id for found in (await desk.poll("a", 5)).orders] == ["o1"]


async def test_two_polls_of_one_node_are_both_woken() -> None:
    """An agent may be back while its old connection has not been given up yet."""
    shelf = Shelf()
    async with watched(shelf) as desk, asyncio.timeout(5):
        old, new = asyncio.gather(desk.poll("a", 0.4)), asyncio.gather(desk.poll("a", 3))
        await old
        shelf.put("a", order("o1"))
        [answer] = await new
    assert [found.id for found in answer.orders] == ["o1"]


async def test_who_waits_when_the_collector_goes_is_answered_at_once_and_the_store_asked_nothing() -> None:
    shelf = Shelf()
    waiting = [asyncio.get_running_loop().create_task(shelf.desk.poll(f"n{n}", 50)) for n in range(3)]
    await asyncio.sleep(0)
    shelf.desk.dismiss()

    async with asyncio.timeout(5):
        told = [await poll for poll in waiting]
        told.append(await shelf.desk.poll("late", 50))
    assert [one.orders for one in told] == 4 * [[]]
    assert shelf.looks == 0


async def test_a_store_that_is_away_for_a_moment_ends_no_watch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orders, "_LOOK_SECONDS", 0.05)
    shelf = Shelf()
    shelf.broken = True
    async with watched(shelf) as desk:
        shelf.put("a", order("o1"))
        async with asyncio.timeout(5):
            assert len((await desk.poll("a", 5)).orders) == 1
    assert shelf.tally.refused["orders_look"] == 1


@given(st.lists(st.integers(0, 1_000_000), max_size=12), st.integers(1, 3_000_000))
@settings(max_examples=40, deadline=None)
def test_an_answer_holds_the_first_that_fit_and_at_least_one(sizes: list[int], most: int) -> None:
    some = [
        Signed(id=f"o{n}", purpose="order", body=bytes(size), certificate="", signature=b"")
        for n, size in enumerate(sizes)
    ]
    fitting = orders.within(some, most)

    def plain(part: list[Signed]) -> int:
        return sum(len(encode(one)) + 1 for one in part)

    assert fitting == some[: len(fitting)]
    assert bool(fitting) == bool(some)
    assert len(fitting) < 2 or plain(fitting) <= most
    assert fitting == some or plain(some[: len(fitting) + 1]) > most


async def test_more_orders_than_an_agent_takes_at_once_come_one_answer_behind_the_other() -> None:
    shelf = Shelf()
    issued = [large(number) for number in range(60)]
    shelf.put("a", *issued)
    got: list[str] = []
    async with watched(shelf) as desk, asyncio.timeout(5):
        while len(got) < 60:
            answer = await desk.poll("a", 5, got[-1] if got else "")
            assert len(encode(answer)) < MAX_PACKED
            got += [one.id for one in answer.orders]
        again = await desk.poll("a", 0.3, got[-1])

    assert got == [one.id for one in issued]
    assert again.orders == []


async def test_who_lost_the_first_answer_gets_it_before_what_is_behind_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(orders, "REPEAT_SECONDS", 0.2)
    monkeypatch.setattr(orders, "_LOOK_SECONDS", 0.05)
    shelf = Shelf()
    shelf.put("a", *(large(number) for number in range(60)))
    async with watched(shelf) as desk, asyncio.timeout(10):
        lost = await desk.poll("a", 5)
        again = await desk.poll("a", 5)

    assert lost.orders[0].id == "o000"
    assert again == lost


async def test_an_order_that_got_no_end_is_told_again_to_who_has_the_last_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(orders, "REPEAT_SECONDS", 0.2)
    monkeypatch.setattr(orders, "_LOOK_SECONDS", 0.05)
    shelf = Shelf()
    shelf.put("a", order("o1"), order("o2"))
    async with watched(shelf) as desk, asyncio.timeout(10):
        await desk.poll("a", 5)
        again = await desk.poll("a", 5, "o2")
    assert [found.id for found in again.orders] == ["o1", "o2"]
