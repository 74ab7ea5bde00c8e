"""Statutory clocks: many due in one second, and many open while processes are killed at random times.

    .venv/bin/python benchmarks/clocks.py [--scenario FILE] [--only drain|sqlite|postgresql]

One incident is opened by the product; its row, one of its clocks and that clock's alarm are then copied.
What fires them is the product's duty clock, in processes of their own for the kills. Each alarm tells three
people: it writes 3 notices, 2 journal entries and the next alarm. The journal says what sounded.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import uvloop
import yaml

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from clock_kills import child, fill_due, kills
from clock_office import InvalidError, casework, now

from collector.duty import DutyClock
from collector.memory import settle_memory
from collector.store.engine import Store

FAILED, INVALID = 1, 3
DATABASES = ("sqlite", "postgresql")


async def drain(folder: Path, scenario: dict[str, Any]) -> int:
    """Fire what is due in one second, in this process."""
    url, count = f"sqlite+aiosqlite:///{folder / 'drain.db'}", scenario["clocks"]
    await fill_due(url, count, now() - timedelta(milliseconds=1))
    store = await Store.open(url)
    clock = DutyClock(store, casework(), wall=now, steady=time.monotonic)
    settle_memory()  # as the collector does
    began, used = time.perf_counter(), time.process_time()
    await clock.tick()
    took, used = time.perf_counter() - began, time.process_time() - used
    await store.close()
    print(f"drain: {clock.fired} alarms due in one second fired in {took:.2f} s ({used:.2f} s of CPU)")
    if clock.fired != count:
        raise InvalidError(f"{clock.fired} alarms fired, expected {count}")
    return took > scenario["expect"]["seconds"]


def measure(scenario: dict[str, Any], only: str | None) -> int:
    """Return how many expectations were not met."""
    folder = Path(tempfile.mkdtemp(prefix="fengsui-clocks-"))
    missed = 0
    try:
        if only in {None, "drain"}:
            missed += uvloop.run(drain(folder, scenario["drain"]))
        for name in DATABASES:
            if only in {None, name}:
                missed += kills(name, folder, scenario["kills"] | scenario[name])
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return missed


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--scenario", type=Path, default=HERE / "scenarios" / "clocks.yaml")
    parser.add_argument("--only", choices=["drain", *DATABASES])
    parser.add_argument("--child", metavar="URL", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        uvloop.run(child(args.child))
        return 0
    if os.getloadavg()[0] > (os.cpu_count() or 1):
        print("invalid: the machine has other work", file=sys.stderr)
        return INVALID
    try:
        return FAILED if measure(yaml.safe_load(args.scenario.read_text()), args.only) else 0
    except InvalidError as error:
        print(f"invalid: {error}", file=sys.stderr)
        return INVALID


if __name__ == "__main__":
    sys.exit(main())
