import asyncio

from collector.store.signal import Signal


async def test_who_slept_through_changes_wakes_at_once() -> None:
    signal = Signal()
    seen = signal.count
    signal.fire()
    signal.fire()

    assert await signal.wait(seen) == seen + 2


async def test_everybody_who_waits_is_woken_by_one_change() -> None:
    signal = Signal()

    async def change() -> None:
        signal.fire()

    assert await asyncio.gather(signal.wait(0), signal.wait(0), change()) == [1, 1, None]
