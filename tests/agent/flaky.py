"""A source that fails."""

import asyncio
from collections.abc import Mapping
from datetime import datetime

from agent.sources.port import Clock, Emit, Observation, Reading


class Flaky:
    """A source that fails the first times it watches."""

    name = "flaky"
    cpu_seconds = 0.0

    def __init__(self, failures: int) -> None:
        self.failures = failures

    def resume(self, rests: Mapping[str, float]) -> None:
        assert rests == {}

    async def once(self, now: datetime) -> Reading:
        raise NotImplementedError(now)

    async def watch(self, emit: Emit, clock: Clock) -> None:
        if self.failures:
            self.failures -= 1
            raise RuntimeError("the sensor broke")
        await emit(Observation("incident", "flaky", clock(), {"class": "NACRED"}))
        await asyncio.Event().wait()
