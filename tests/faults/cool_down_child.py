"""A source that overdraws its budget at every look, with a real outbox; it says each step as it takes it.

Usage: cool_down_child.py STATE_DIR COOL_DOWN
"""

import asyncio
import os
import sys
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from agent.budget import Budget
from agent.clock import host_clock
from agent.outbox import Bounds, Outbox
from agent.sources.port import Observation
from agent.sources.rounds.patrol import NoNotes, Patrol, Round


class Spender(Patrol[NoNotes]):
    name = "spender"

    def look(self, now: datetime, notes: NoNotes, *, alone: bool) -> Round:  # noqa: ARG002 - the port's
        say("looked")
        return Round()

    def folders(self) -> Iterable[Path]:
        """Asking where changes would be heard is its first look, and costs as much."""
        say("looked")
        return ()


def say(step: str) -> None:
    os.write(1, f"{step} {host_clock().now().isoformat()}\n".encode())


async def main(folder: Path, cool_down: float) -> None:
    clock = host_clock()
    outbox = Outbox(folder, clock, Bounds(min_free_bytes=0))
    await outbox.begin()
    source = Spender(poll=0.0, budget=Budget(cpu_seconds=0.0, cool_down=cool_down), state=folder)
    source.resume(await outbox.rests())

    async def emit(seen: Observation) -> None:
        say("telling")
        await outbox.accept(seen)
        say("told")

    await source.watch(emit, clock.now)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), float(sys.argv[2])))
