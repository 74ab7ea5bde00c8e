"""A collector process that only runs the pipeline, until it is killed: `pipeline_child.py STATE EVENTS`."""

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path

from collector.casework import Casework
from collector.classes import read_classes
from collector.escalation import read_policy
from collector.eventlog.sqlite import SqliteLog
from collector.pipeline import Pipeline
from collector.regimes import load_regimes
from collector.registry import read_registry
from collector.stages import stages
from collector.store.engine import Store

ROOT = Path(__file__).parents[2]


def text(path: str) -> tuple[str, str]:
    return (ROOT / path).read_text("utf-8"), path


async def main(state: str, events: str) -> None:
    registry = read_registry(*text("tests/golden/office.yaml"))
    classes = read_classes(*text("configs/classes.yaml"))
    policy = read_policy(*text("configs/escalation/default.yaml"))
    regimes = load_regimes(ROOT / "configs/regimes")
    casework = Casework(registry=lambda: registry, regimes=lambda: regimes, policy=lambda: policy)
    store = await Store.open(state)
    log = await SqliteLog.open(Path(events))
    chain = stages(lambda: registry, lambda: classes, casework.open, casework.note)
    pipeline = Pipeline(
        log,
        store,
        chain,
        lambda: datetime.now(UTC),  # noqa: TID251 - a process of its own has a clock of its own
        rows=3,
    )
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await pipeline.run()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
