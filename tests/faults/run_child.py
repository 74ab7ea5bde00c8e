"""A process that runs plans and carries out their calls, to be killed.

Its clock runs twenty times as fast, so that the lease of a killed sending is over in a few seconds.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from msgspec.structs import replace
from sqlalchemy.ext.asyncio import AsyncConnection

from collector.actions import build
from collector.actions.port import Surroundings
from collector.channels.webhook import Webhook
from collector.notices import Notices
from collector.plans import examine
from collector.registry import read_registry
from collector.runs.runner import Runner
from collector.store.clocks import get_clock
from collector.store.engine import Store
from collector.store.filings import add_filing
from wire.messages import VERSION, Filing

EPOCH = datetime(2026, 3, 2, tzinfo=UTC)
FAST = 20
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
      - - {id: short, kind: wait, owner: duty, for: 20s, title: {zh: 短, en: short}}
        - {id: again, kind: notify, owner: duty, to: leader, title: {zh: 再, en: again}}
      - - id: file
          kind: file_report
          owner: duty
          obligation: cn-informatization/report
          title: {zh: 报, en: file}
      - - id: call
          kind: http_request
          owner: duty
          url: "HOOK/{incident.id}"
          title: {zh: 调, en: call}
        - {id: long, kind: wait, owner: duty, for: 40s, title: {zh: 长, en: long}}
  - id: maybe
    kind: if-condition
    owner: duty
    condition: incident.count >= 1
    title: {zh: 若, en: maybe}
    then:
      - {id: last, kind: notify, owner: duty, to: duty, title: {zh: 末, en: last}}
"""


def now() -> datetime:
    """The clock of all these processes."""
    return EPOCH + timedelta(seconds=FAST * time.clock_gettime(time.CLOCK_MONOTONIC))


def died(name: str, error: BaseException) -> None:
    """End loudly: a task of the sending is gone."""
    raise SystemExit(f"{name}: {error}")


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


async def main(url: str, hook: str, ready: Callable[[], None]) -> None:
    """Run plans and send what they ask for until killed."""
    plan = examine(PLAN.replace("HOOK", hook), "often-killed.yaml").plan
    assert plan is not None
    known = read_registry(OFFICE.read_text(), str(OFFICE))
    people = {key: replace(one, channels={"webhook": ""}) for key, one in known.people.items()}
    register = replace(known, people=people)  # people are told at the hook too
    surroundings = Surroundings(directory=lambda: register, file=file, http_allow=lambda: [hook])
    store = await Store.open(url)
    channels = {"webhook": Webhook("webhook", f"{hook}/people")}
    sending = Notices(
        store,
        channels=lambda: channels,
        registry=lambda: register,
        http_allow=lambda: [hook],
        clock=now,
        on_death=died,
    )
    ready()
    await asyncio.gather(
        Runner(store, lambda: {plan.id: plan}, build(surroundings), now).run(), sending.run()
    )


def work(url: str, hook: str, ready: Connection) -> None:
    """Be such a process."""
    asyncio.run(main(url, hook, lambda: ready.send_bytes(b"ready")))
