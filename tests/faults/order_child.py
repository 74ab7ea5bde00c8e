"""A node that carries out orders and kills itself at the n-th step of their way; 0: never.

Usage: order_child.py STATE_DIR URL N
"""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

from agent.actions import Asked, Finished
from agent.clock import host_clock
from agent.enrolment import load_identity
from agent.orders import Orders
from agent.outbox import Bounds, Entry, Outbox
from agent.signatures import Signatures
from agent.tasks import Tasks
from agent.transport import Reply, Transport
from wire.messages import Outcome


class Steps:
    """Counts the steps; what it kills is gone as by SIGKILL from outside."""

    def __init__(self, left: int) -> None:
        self._left = left

    def take(self) -> None:
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


class Block:
    """An effect on the host that is there or not, as an element of a firewall's set is."""

    kind = "block_address"

    def __init__(self, folder: Path, steps: Steps) -> None:
        self._folder, self._steps = folder, steps

    def carry_out(self, asked: Asked) -> Finished:
        self._steps.take()
        (self._folder / asked.order.id).touch()
        self._steps.take()
        return Finished({"blocked": True}, ({"order": asked.order.id, "chunk": 0},))


class WatchedTransport(Transport):
    """A step before each request and after each answer."""

    steps: Steps

    async def request(self, *args: Any, **named: Any) -> Reply:  # noqa: ANN401 - as the transport's
        self.steps.take()
        reply = await super().request(*args, **named)
        self.steps.take()
        return reply


class WatchedOutbox(Outbox):
    """A step before and after each change that belongs to an order."""

    steps: Steps
    told: asyncio.Event

    async def conclude(self, outcome: Outcome, entries: list[Entry]) -> bool:
        self.steps.take()
        concluded = await super().conclude(outcome, entries)
        self.steps.take()
        return concluded

    async def outcome_told(self, order: str) -> None:
        self.steps.take()
        await super().outcome_told(order)
        self.steps.take()
        self.told.set()


async def main(folder: Path, url: str, kill_at: int) -> None:
    clock, steps = host_clock(), Steps(kill_at)
    outbox = WatchedOutbox(folder, clock, Bounds(min_free_bytes=0))
    outbox.steps, outbox.told = steps, asyncio.Event()
    await outbox.begin()
    identity = load_identity(folder)
    transport = WatchedTransport([url], identity.tls(), clock.now)
    transport.steps = steps
    (folder / "blocked").mkdir(exist_ok=True)
    orders = Orders(
        transport,
        outbox,
        {"block_address": Block(folder / "blocked", steps)},
        node=identity.node,
        signatures=Signatures(identity.authorities()),
        now=clock.now,
        random=lambda: 0.0,
        language="en",
    )
    await outbox.order_ended("o1")  # what was told already is told again, as where the collector asks again
    async with Tasks() as tasks:
        tasks.spawn("orders", orders.run())
        async with asyncio.timeout(30):
            await outbox.told.wait()
    await transport.close()
    outbox.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
