"""Agents' real outboxes and uplinks in one process, fed without pause, for `kill.py`.

    python sender.py FOLDER URL AGENTS

Beside each outbox stands a record, written after the fact it tells of: `a ID` when the outbox had accepted a
report (after its fsync), `l` when a request got no answer. SIGTERM ends the feeding; the process then ends
when every outbox is empty.
"""

import asyncio
import os
import random
import signal
import ssl
import sys
import traceback
from pathlib import Path
from typing import Any

import uvloop

sys.path.insert(0, str(Path(__file__).parents[1]))

from agent.clock import host_clock
from agent.outbox import Bounds, Entry, Outbox
from agent.transport import Reply, Transport, UnreachableError
from agent.uplink.uplink import Uplink

_LONGEST_WAIT = 0.1


class Record:
    """Lines that a `kill -9` of this process does not take back."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def write(self, line: str) -> None:
        os.write(self._file, f"{line}\n".encode())


class Way:
    """The agent's transport, telling the record of requests without an answer."""

    def __init__(self, transport: Transport, record: Record) -> None:
        self._transport = transport
        self._record = record

    async def request(self, *words: Any, **more: Any) -> Reply:
        try:
            return await self._transport.request(*words, **more)
        except UnreachableError:
            self._record.write("l")
            raise


def _end_loudly(task: "asyncio.Task[None]") -> None:
    if not task.cancelled():
        traceback.print_exception(task.exception())
        os._exit(1)


async def feed(folder: Path, url: str, ended: asyncio.Event) -> None:
    clock = host_clock()
    record = Record(folder / "record")
    outbox = Outbox(folder, clock, Bounds(min_free_bytes=0))
    await outbox.begin()
    context = ssl.create_default_context(cafile=folder / "ca.pem")
    context.load_cert_chain(folder / "client.pem")
    transport = Transport([url], context, clock.now)

    async def pause(seconds: float) -> None:
        await asyncio.sleep(min(seconds, _LONGEST_WAIT))

    uplink = asyncio.get_running_loop().create_task(
        Uplink(Way(transport, record), outbox, random.random, "en", sleep=pause).run()
    )
    uplink.add_done_callback(_end_loudly)
    while not ended.is_set():
        entry = Entry("incident", "benchmark", clock.now(), {"class": "NAWEBMOD", "from": folder.name})
        record.write(f"a {await outbox.accept(entry)}")
        await asyncio.sleep(random.uniform(0, 0.02))
    await outbox.drained()
    uplink.cancel()
    await asyncio.wait([uplink])
    await transport.close()
    outbox.close()


async def main() -> None:
    folder, url, agents = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    await asyncio.gather(*(feed(folder / f"agent-{n}", url, ended) for n in range(agents)))


if __name__ == "__main__":
    uvloop.run(main())
