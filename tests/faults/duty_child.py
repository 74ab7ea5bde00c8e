"""A collector process that does nothing but fire alarms, until it is killed: `duty_child.py URL`.

It says `ready`, then a dot a committed transaction, and `idle` where nothing is due any more.
"""

import asyncio
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from collector.casework import Casework
from collector.duty import DutyClock
from collector.escalation import read_policy
from collector.regimes import load_regimes
from collector.registry import read_registry
from collector.store.engine import Store
from collector.tasks import spawn

ROOT = Path(__file__).parents[2]


async def main(url: str) -> None:
    registry = read_registry((ROOT / "tests/golden/office.yaml").read_text(), "office.yaml")
    regimes = load_regimes(ROOT / "configs/regimes")
    policy = read_policy((ROOT / "configs/escalation/default.yaml").read_text(), "default.yaml")
    casework = Casework(registry=lambda: registry, regimes=lambda: regimes, policy=lambda: policy)
    store = await Store.open(url)
    clock = DutyClock(
        store,
        casework,
        wall=lambda: datetime.now(UTC),  # noqa: TID251 - a process of its own has a clock of its own
        steady=time.monotonic,
        batch=1,
    )
    say("ready")
    spawn("dots", dots(store), lambda _name, _error: None)
    while True:
        wait = await clock.tick()
        say("idle")
        await asyncio.sleep(wait.total_seconds())


async def dots(store: Store) -> None:
    seen = store.changed.count
    while True:
        seen = await store.changed.wait(seen)
        say(".")


def say(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
