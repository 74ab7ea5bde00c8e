"""What a node sends again is bounded by the minute: a fleet before full collectors is no flood."""

from __future__ import annotations

import asyncio
from secrets import token_hex
from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from agent.outbox import Bounds, Entry, Outbox
from agent.tasks import Tasks
from agent.transport import Transport
from agent.uplink import Uplink
from agent.uplink.pace import RETRY_BYTES
from tests.agent.conftest import FarSide, serve

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from agent.clock import Clock
    from agent.enrolment import Identity
    from tests.agent.conftest import Authority

MINUTES = 5


class Full:
    """Collectors that take nothing, and the minutes in which a node asks them."""

    def __init__(self, *far: FarSide, status: int) -> None:
        self.seconds = 0.0
        self.minutes: dict[int, int] = {}
        self.over = asyncio.Event()
        self._status = status
        for one in far:
            one.behave["/v1/batches"] = self._refuse

    async def _refuse(self, request: web.Request) -> web.StreamResponse:
        minute = int(self.seconds // 60)
        self.minutes[minute] = self.minutes.get(minute, 0) + len(await request.read())
        return web.Response(status=self._status)

    async def sleep(self, seconds: float) -> None:
        self.seconds += seconds
        if self.seconds > MINUTES * 60:
            self.over.set()
            await asyncio.Event().wait()
        await asyncio.sleep(0)


@pytest.fixture
async def second(authority: Authority) -> AsyncIterator[FarSide]:
    async for far in serve(FarSide(authority)):
        yield far


@pytest.mark.parametrize("status", [503, 502], ids=["the first says so", "both are asked every time"])
async def test_what_is_sent_again_stays_within_the_cap_of_every_minute(
    *,
    far_side: FarSide,
    second: FarSide,
    identity: Identity,
    clock: Clock,
    tmp_path: Path,
    status: int,
) -> None:
    """By a node that draws no wait at all between its tries."""
    full = Full(far_side, second, status=status)
    folder = tmp_path / "outbox"
    folder.mkdir()
    outbox = Outbox(folder, clock, Bounds(min_free_bytes=0))
    for _ in range(8):
        await outbox.accept(Entry("evidence", "test", clock.now(), {"noise": token_hex(60_000)}))
    batch = await outbox.peek()
    assert batch is not None
    transport = Transport([far_side.url, second.url], identity.tls(), clock.now)
    up = Uplink(transport, outbox, lambda: 0.0, "en", sleep=full.sleep, steady=lambda: full.seconds)
    async with asyncio.timeout(30), Tasks() as tasks:
        tasks.spawn("uplink", up.run())
        await full.over.wait()
    await transport.close()
    outbox.close()

    first, *later = full.minutes.values()
    assert len(later) >= MINUTES - 1
    assert max(later) <= RETRY_BYTES
    assert min(later) > RETRY_BYTES / 2, "the cap is there to be used"
    assert first <= RETRY_BYTES * 1.5, "with the first try, which is free"
