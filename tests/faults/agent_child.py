"""A node under load: accepts observations, says each as soon as it is accepted, and sends them meanwhile.

Usage: agent_child.py STATE_DIR URL load|drain
"""

import asyncio
import os
import random
import sys
from pathlib import Path

from agent.clock import host_clock
from agent.enrolment import load_identity
from agent.outbox import Bounds, Entry, Outbox
from agent.tasks import Tasks
from agent.transport import Transport
from agent.uplink import Uplink

WRITERS = 8


async def accept(outbox: Outbox, writer: int) -> None:
    number = 0
    while True:
        note = f"{os.getpid()}-{writer}-{number}"
        await outbox.accept(Entry("incident", "load", host_clock().now(), {"note": note}))
        os.write(1, f"{note}\n".encode())
        number += 1


async def main(folder: Path, url: str, mode: str) -> None:
    clock = host_clock()
    outbox = Outbox(folder, clock, Bounds(min_free_bytes=0))
    await outbox.begin()
    transport = Transport([url], load_identity(folder).tls(), clock.now)
    uplink = Uplink(transport, outbox, lambda: random.random() / 50, "en")  # noqa: S311 - jitter
    async with Tasks() as tasks:
        tasks.spawn("uplink", uplink.run())
        if mode == "drain":
            await outbox.drained()
        else:
            for writer in range(WRITERS):
                tasks.spawn(f"writer-{writer}", accept(outbox, writer))
            await asyncio.Event().wait()
    await transport.close()
    outbox.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3]))
