"""A collector process that only carries notices out, until it is killed: `notices_child.py URL HOOK`.

Its clock runs a hundred times as fast, so that the lease of a killed process is over in less than a second.
"""

import asyncio
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from collector.channels.webhook import Webhook
from collector.notices import Notices
from collector.registry import read_registry
from collector.store.engine import Store

ROOT = Path(__file__).parents[2]
EPOCH = datetime(2026, 3, 2, tzinfo=UTC)
FAST = 100


def clock() -> datetime:
    """Return the same time in every process."""
    return EPOCH + timedelta(seconds=FAST * (time.clock_gettime(time.CLOCK_MONOTONIC)))


def died(name: str, error: BaseException) -> None:
    raise SystemExit(f"{name}: {error}")


async def main(url: str, hook: str) -> None:
    registry = read_registry((ROOT / "tests/golden/office.yaml").read_text("utf-8"), "office.yaml")
    store = await Store.open(url)
    channel = Webhook("webhook", hook)
    flow = Notices(
        store,
        channels=lambda: {"webhook": channel},
        registry=lambda: registry,
        http_allow=list,
        clock=clock,
        on_death=died,
    )
    await flow.run()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
