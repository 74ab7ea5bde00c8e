"""A process that does nothing but run plans, to be killed: `run_child.py DATABASE_URL`."""

import asyncio
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from collector.actions import build
from collector.actions.port import Surroundings
from collector.plans import examine
from collector.registry import read_registry
from collector.runs import Runner
from collector.store.clocks import get_clock
from collector.store.engine import Store
from collector.store.filings import add_filing
from wire.messages import VERSION, Filing

OFFICE = Path(__file__).parents[1] / "golden" / "office.yaml"
PLAN = """
id: often-killed
name: {zh: 多次中断, en: often killed}
classes: [NAWEBMOD]
variables: {rounds: {type: number, value: 0}}
steps:
  - {id: tell, kind: notify, owner: duty, to: duty, title: {zh: 通知, en: tell}}
  - id: fan
    kind: parallel
    title: {zh: 并行, en: fan}
    branches:
      - - {id: short, kind: wait, owner: duty, for: 1s, title: {zh: 短, en: short}}
        - {id: again, kind: notify, owner: duty, to: leader, title: {zh: 再, en: again}}
      - - id: file
          kind: file_report
          owner: duty
          obligation: cn-informatization/report
          title: {zh: 报, en: file}
      - - id: call
          kind: http_request
          owner: duty
          url: "http://127.0.0.1:9000/hooks/{incident.id}"
          title: {zh: 调, en: call}
        - {id: long, kind: wait, owner: duty, for: 2s, title: {zh: 长, en: long}}
  - id: maybe
    kind: if-condition
    owner: duty
    condition: incident.count >= 1
    title: {zh: 若, en: maybe}
    then:
      - {id: last, kind: notify, owner: duty, to: duty, title: {zh: 末, en: last}}
"""


def now() -> datetime:
    """The child's clock."""
    return datetime.now(UTC)  # noqa: TID251 - this is a whole process: it owns its clock


async def file(
    conn: AsyncConnection,
    clock_id: str,
    actor: str,
    now: datetime,
    *,
    complete: bool,
    content: Mapping[str, Any],
) -> str:
    """Queue a filing as authority does: once a key."""
    clock = await get_clock(conn, clock_id)
    assert clock is not None
    message = Filing(
        version=VERSION,
        key=f"{clock.incident}/{clock.obligation}",
        incident_id=clock.incident,
        unit="county",
        obligation=clock.obligation,
        recipient=clock.recipient,
        level=None,
        filed_at=now,
        due_at=clock.due_at,
        complete=complete,
        incident={},
        content=dict(content),
    )
    filing, _ = await add_filing(conn, message=message, clock=clock_id, way="upstream", actor=actor, now=now)
    return filing


async def main(url: str) -> None:
    """Run plans until killed."""
    plan = examine(PLAN, "often-killed.yaml").plan
    assert plan is not None
    register = read_registry(OFFICE.read_text(), str(OFFICE))
    surroundings = Surroundings(
        directory=lambda: register, file=file, http_allow=lambda: ["http://127.0.0.1:9000/hooks"]
    )
    store = await Store.open(url)
    print("ready", flush=True)  # noqa: T201 - the parent waits for it
    await Runner(store, lambda: {plan.id: plan}, build(surroundings), now).run()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
