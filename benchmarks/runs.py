"""How fast plans start and advance on SQLite, and what open runs cost: the figures of docs/plans.md.

    .venv/bin/python benchmarks/runs.py [--seconds 10] [--open 10000]

Measured through the real runner, casework and store, each commit on the disk (synchronous=FULL). Three parts:
starts (incidents that wait for a plan -> run, first step, journal), advances (steps moved, with their notices
and journal), and what open runs with timers cost a runner of its own process against one without any.

Exit: 0 measured and the aims met; 1 measured, an aim missed; 2 wrong usage; 3 the measurement is invalid.
"""

import argparse
import asyncio
import json
import resource
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from collector.actions import build
from collector.actions.port import Surroundings
from collector.escalation.roster import Directory
from collector.plans import Plan, examine
from collector.registry import read_registry
from collector.runs.runner import Runner
from collector.store.engine import Store
from collector.store.incidents import Incident, insert_incident
from collector.store.schema import incidents, journal, notices, run_steps, runs
from wire.ids import uuid7

ROOT = Path(__file__).parents[1]
AIM_STARTS = 300.0
AIM_ADVANCES = 1000.0
BATCH = 500
REST_PASSES = 100
AIM_GROWTH_KB = 2048.0
NOW = datetime(2026, 3, 2, 1, 10, tzinfo=UTC)
# The aim is about the engine: steps that steer and wait, one in five with an effect, as in the shipped plans.
ADVANCING = """
id: advancing
name: {zh: 推进, en: advancing}
classes: [NAWEBMOD]
variables: {n: {type: number, value: 1}}
steps:
  - {id: tell, kind: notify, owner: duty, to: duty, title: {zh: 通知, en: tell}}
  - id: both
    kind: parallel
    title: {zh: 并行, en: both}
    branches:
      - - {id: a, kind: wait, owner: duty, for: 0s, title: {zh: 等, en: a}}
        - {id: b, kind: wait, owner: duty, for: 0s, title: {zh: 等, en: b}}
      - - id: c
          kind: if-condition
          owner: duty
          condition: vars.n == 1
          title: {zh: 若, en: c}
          then:
            - {id: d, kind: wait, owner: duty, for: 0s, title: {zh: 等, en: d}}
  - {id: e, kind: wait, owner: duty, for: 0s, title: {zh: 等, en: e}}
"""
STARTING = """
id: starting
name: {zh: 启动, en: starting}
classes: [NAWEBMOD]
steps:
  - {id: rest, kind: wait, owner: duty, for: 30d, title: {zh: 等, en: rest}}
"""


class Invalid(Exception):  # noqa: N818 - a finding about the measurement
    """What was counted does not fit what was asked for."""


def plan_of(text: str) -> Plan:
    """Return a plan that may run."""
    examined = examine(text, "benchmark.yaml")
    if examined.plan is None:
        raise Invalid(str(examined.findings))
    return examined.plan


def directory() -> Directory:
    """Return the register that the tests work with."""
    file = ROOT / "tests" / "golden" / "office.yaml"
    return read_registry(file.read_text(), str(file))


async def no_filing(*_: object, **__: object) -> str:
    """Answer for authority: these plans file nothing."""
    raise Invalid("a filing was asked for")


def runner(store: Store, plan: Plan, clock: list[datetime]) -> Runner:
    """Return a runner with one plan in force."""
    register = directory()
    actions = build(Surroundings(directory=lambda: register, file=no_filing))
    return Runner(store, lambda: {plan.id: plan}, actions, lambda: clock[0])


async def add_incidents(store: Store, count: int) -> None:
    """Put in incidents that wait for a plan."""
    async with store.write() as conn:
        for _ in range(count):
            key = uuid7(NOW)
            await insert_incident(conn, incident(key))


def incident(key: str) -> Incident:
    """Return an incident that waits for a plan."""
    return Incident(
        id=key,
        fingerprint=key,
        unit="county",
        asset="portal",
        node="node-1",
        klass="NAWEBMOD",
        level="IV",
        level_by="cn-cac-2025",
        reasons=[],
        next_level=None,
        state="open",
        acknowledged_by=None,
        title="门户网站首页被篡改",
        title_en="home page tampered with",
        facts={},
        times={},
        evidence=[],
        count=1,
        first_seen=NOW,
        last_seen=NOW,
        opened_at=NOW,
        updated_at=NOW,
        closed_at=None,
        late=False,
        plan_hint=None,
        plan_pending=True,
        drill=False,
        version=1,
    )


async def count(store: Store, table: sa.Table, *where: sa.ColumnElement[bool]) -> int:
    """Count rows."""
    async with store.read() as conn:
        query = sa.select(sa.func.count()).select_from(table).where(*where)
        return int((await conn.execute(query)).scalar_one())


async def starts(folder: Path, seconds: float) -> dict[str, float]:
    """Measure runs begun a second."""
    store = await Store.open(f"sqlite+aiosqlite:///{folder / 'starts.db'}")
    clock = [NOW]
    flow = runner(store, plan_of(STARTING), clock)
    spent = 0.0
    made = 0
    while spent < seconds:
        await add_incidents(store, BATCH)
        begun = time.perf_counter()
        await flow._start()  # noqa: SLF001 - this part of a pass alone
        spent += time.perf_counter() - begun
        made += BATCH
    if await count(store, runs) != made or await count(store, journal) != made:
        raise Invalid("not every incident got its run and its journal entry")
    await store.close()
    return {"runs": made, "seconds": round(spent, 3), "starts_per_second": round(made / spent, 1)}


async def advances(folder: Path, seconds: float, plan: Plan) -> dict[str, float]:
    """Measure steps moved to their end a second, with effects and journal."""
    store = await Store.open(f"sqlite+aiosqlite:///{folder / 'advances.db'}")
    clock = [NOW]
    flow = runner(store, plan, clock)
    spent = 0.0
    while spent < seconds:
        await add_incidents(store, BATCH)
        await flow._start()  # noqa: SLF001 - not what is measured here
        begun = time.perf_counter()
        while await flow.work():
            clock[0] += timedelta(seconds=1)
        spent += time.perf_counter() - begun
    made = await count(store, runs)
    over = await count(store, run_steps, run_steps.c.state == "done")
    if await count(store, runs, runs.c.state == "done") != made or over != made * len(plan.steps):
        raise Invalid("not every run came to its end")
    if await count(store, notices) != made:
        raise Invalid("not every run told its duty officer once")
    await store.close()
    return {"steps": over, "seconds": round(spent, 3), "advances_per_second": round(over / spent, 1)}


async def open_runs(folder: Path, amount: int) -> dict[str, float]:
    """Measure what open runs with timers cost a runner that has nothing to do, against one that has none."""
    file = folder / "open.db"
    store = await Store.open(f"sqlite+aiosqlite:///{file}")
    nothing = await at_rest(file)
    clock = [NOW]
    plan = plan_of(STARTING)
    for _ in range(amount // BATCH):
        await add_incidents(store, BATCH)
        await runner(store, plan, clock).work()
    waiting = await count(store, incidents, incidents.c.plan_pending.is_(sa.true()))
    if waiting or await count(store, run_steps, run_steps.c.state == "waiting") != amount:
        raise Invalid("not every run waits at its timer")
    await store.close()
    resting = await at_rest(file)
    return {
        "open_runs": amount,
        "idle_pass_ms": resting["idle_pass_ms"],
        "memory_kb_without": nothing["memory_kb"],
        "memory_kb": resting["memory_kb"],
        "memory_grown_kb": resting["memory_kb"] - nothing["memory_kb"],
    }


async def at_rest(file: Path) -> dict[str, float]:
    """Return what a runner of its own process takes for passes over a database where nothing is due."""
    asked = [sys.executable, __file__, "--rest", str(file)]
    process = await asyncio.create_subprocess_exec(*asked, stdout=asyncio.subprocess.PIPE)
    told, _ = await process.communicate()
    if process.returncode != 0:
        raise Invalid("a runner at rest failed")
    found: dict[str, float] = json.loads(told)
    return found


async def rest(file: Path) -> dict[str, float]:
    """Make passes; what the process took at most is its memory."""
    store = await Store.open(f"sqlite+aiosqlite:///{file}")
    flow = runner(store, plan_of(STARTING), [NOW])
    begun = time.perf_counter()
    for _ in range(REST_PASSES):
        if await flow.work():
            raise Invalid("something moved that should rest")
    spent = (time.perf_counter() - begun) / REST_PASSES
    await store.close()
    taken = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"idle_pass_ms": round(spent * 1000, 2), "memory_kb": taken}


async def measure(seconds: float, amount: int) -> dict[str, dict[str, float]]:
    """Run the three parts, each on a database of its own."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        return {
            "starts": await starts(place, seconds),
            "advances": await advances(place, seconds, plan_of(ADVANCING)),
            "open": await open_runs(place, amount),
        }


def main() -> int:
    """Measure, print one JSON document, say by the exit code whether the aims were met."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=10.0, help="measured time of each part")
    parser.add_argument("--open", type=int, default=10_000, help="open runs of the third part")
    parser.add_argument("--rest", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.rest is not None:
        print(json.dumps(asyncio.run(rest(args.rest))))
        return 0
    try:
        figures = asyncio.run(measure(args.seconds, args.open))
    except Invalid as error:
        print(f"invalid: {error}", file=sys.stderr)
        return 3
    print(json.dumps(figures, indent=2))
    met = (
        figures["starts"]["starts_per_second"] >= AIM_STARTS
        and figures["advances"]["advances_per_second"] >= AIM_ADVANCES
        and figures["open"]["memory_grown_kb"] <= AIM_GROWTH_KB
    )
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
