"""Statutory clocks: many due in one second, and many open while the process is killed at random times.

    .venv/bin/python benchmarks/clocks.py [--scenario FILE] [--only drain|kills]

One incident is opened by the product; its row, one of its clocks and that clock's alarm are then copied
by SQL. What fires them is the product's duty clock, in a process of its own for the kills. Each alarm tells
three people: it writes 3 notices, 4 journal entries and the next alarm. The journal says what sounded.
"""

import argparse
import asyncio
import contextlib
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import uvloop
import yaml

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from collector.casework import Casework
from collector.duty import DutyClock
from collector.escalation import read_policy
from collector.incident import Finding
from collector.regimes import load_regimes
from collector.registry import read_registry
from collector.store.engine import Store
from collector.tasks import spawn

FAILED, INVALID = 1, 3
ROOT = HERE.parent
FORM = "%Y-%m-%d %H:%M:%S.%f"
COPIES = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count) "


class InvalidError(Exception):
    """The run says nothing."""


def now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - a process of its own


def casework() -> Casework:
    registry = read_registry((ROOT / "tests/golden/office.yaml").read_text(), "office.yaml")
    regimes = load_regimes(ROOT / "configs/regimes")
    policy = read_policy((ROOT / "configs/escalation/default.yaml").read_text(), "default.yaml")
    return Casework(registry=lambda: registry, regimes=lambda: regimes, policy=lambda: policy)


async def open_one(url: str) -> None:
    """Open the incident that is copied: level III, so that the first report is owed."""
    at = now() - timedelta(hours=3)
    finding = Finding(
        fingerprint="f",
        klass="NAWEBMOD",
        unit="county",
        asset="portal",
        facts={"declared_level": "III"},
        times={"occurred": at, "detected": at},
        first_seen=at,
        last_seen=at,
        title="门户网站首页被篡改",
        title_en="home page of the portal tampered with",
        source="node:node-1",
    )
    store = await Store.open(url)
    async with store.write() as connection:
        await casework().open(connection, finding, at, at)
    await store.close()


def copy(file: Path, count: int, due: Callable[[int], datetime]) -> None:
    """Replace the one incident by copies of it, each with one open clock and its alarm `due`."""
    with contextlib.closing(sqlite3.connect(file)) as db:
        db.execute("PRAGMA synchronous=OFF")
        db.create_function("due_of", 1, lambda number: due(number).strftime(FORM))
        db.execute("DELETE FROM alarms WHERE kind != 'due'")
        db.execute("DELETE FROM clocks WHERE due_at IS NULL")
        for table, changes in (
            ("incidents", {"id": "'i' || i", "fingerprint": "'f' || i", "state": "'acknowledged'"}),
            ("clocks", {"id": "'c' || i", "incident": "'i' || i", "due_at": "due_of(i)"}),
            ("alarms", {"id": "'a' || i", "incident": "'i' || i", "clock": "'c' || i", "at": "due_of(i)"}),
        ):
            names = [row[1] for row in db.execute("SELECT * FROM pragma_table_info(?)", (table,))]
            listed = ", ".join(f'"{name}"' for name in names)
            values = ", ".join(changes.get(name, f'"{name}"') for name in names)
            one = f"(SELECT * FROM {table} LIMIT 1)"  # noqa: S608 - names of the schema
            db.execute(
                f"INSERT INTO {table} ({listed}) {COPIES} SELECT {values} FROM n, {one}",  # noqa: S608 - names
                {"count": count},
            )
            db.execute(f"DELETE FROM {table} WHERE rowid = 1")  # noqa: S608 - likewise
        db.commit()
        # On the disk before it begins, or the first commit that is measured would have to bring it there.
        db.execute("PRAGMA synchronous=FULL")
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


async def drain(folder: Path, scenario: dict[str, Any]) -> int:
    """Fire what is due in one second, in this process."""
    file, count = folder / "drain.db", scenario["clocks"]
    url = f"sqlite+aiosqlite:///{file}"
    await open_one(url)
    moment = now() - timedelta(milliseconds=1)
    copy(file, count, lambda _: moment)
    store = await Store.open(url)
    clock = DutyClock(store, casework(), wall=now, steady=time.monotonic)
    began, used = time.perf_counter(), time.process_time()
    await clock.tick()
    took, used = time.perf_counter() - began, time.process_time() - used
    await store.close()
    print(f"drain: {clock.fired} alarms due in one second fired in {took:.2f} s ({used:.2f} s of CPU)")
    if clock.fired != count:
        raise InvalidError(f"{clock.fired} alarms fired, expected {count}")
    return FAILED if took > scenario["expect"]["seconds"] else 0


class Campaign:
    """One process at a time fires alarms; it is killed and the next one started."""

    def __init__(self, file: Path, scenario: dict[str, Any]) -> None:
        self._file = file
        self._scenario = scenario
        self.down: list[tuple[datetime, datetime]] = []
        self._child = self._start()
        self._down_from: datetime | None = None

    def run(self, begins: datetime) -> None:
        random, kills = Random(self._scenario["seed"]), self._scenario["kills"]
        lasts = self._scenario["lasts"]
        for moment in sorted(random.uniform(0.05, 0.9) * lasts for _ in range(kills)):
            time.sleep(max(0.0, (begins + timedelta(seconds=moment) - now()).total_seconds()))
            self._child.kill()
            self._child.wait()
            died = now()
            self._child = self._start()
            self.down.append((died, now()))
        time.sleep(max(0.0, (begins + timedelta(seconds=lasts + 3) - now()).total_seconds()))
        self._child.send_signal(signal.SIGKILL)
        self._child.wait()

    def _start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, __file__, "--child", f"sqlite+aiosqlite:///{self._file}"]
        child = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert child.stdout is not None
        if child.stdout.readline() != b"ready\n":
            raise InvalidError("a process that fires alarms did not start")
        return child


def kills(folder: Path, scenario: dict[str, Any]) -> int:
    file, count, sounding = folder / "kills.db", scenario["clocks"], scenario["sounding"]
    asyncio.run(open_one(f"sqlite+aiosqlite:///{file}"))
    begins = now() + timedelta(seconds=15 + count / 20_000)
    gap = timedelta(seconds=scenario["lasts"]) / sounding
    far = begins + timedelta(days=1)
    copy(file, count, lambda i: begins + i * gap if i <= sounding else far)
    if now() > begins:
        raise InvalidError("filling the database took longer than planned")
    campaign = Campaign(file, scenario)
    campaign.run(begins)
    fired = sounded(file)
    lost = sum(f"a{i}" not in fired for i in range(1, sounding + 1))
    double = sum(len(times) - 1 for times in fired.values())
    after: list[float] = []
    service: list[float] = []
    for times in fired.values():
        at, late = times[0]
        killed = any(died - timedelta(seconds=1) <= at <= back for died, back in campaign.down)
        (after if killed else service).append(late)
    print(f"kills: {len(campaign.down)}; {count} clocks, {len(fired)} alarms, lost {lost}, double {double}")
    figures = {"in_service": p99(service), "after_kill": p99(after)}
    print(f"p99 lateness in service {figures['in_service']:.2f} s of {len(service)}, ", end="")
    print(f"after a kill {figures['after_kill']:.2f} s of {len(after)}")
    if len(after) < scenario["counters"]["after_kill_at_least"]:
        raise InvalidError("too few alarms fell due while no process ran")
    expect = scenario["expect"]
    slow = any(figures[name] > expect[f"p99_{name}"] for name in figures)
    return FAILED if slow or lost > expect["lost"] or double > expect["double"] else 0


def sounded(file: Path) -> dict[str, list[tuple[datetime, float]]]:
    """When each alarm that the scenario made was due, and how late each sounding of it was."""
    found: dict[str, list[tuple[datetime, float]]] = {}
    queued: Counter[str] = Counter()
    with contextlib.closing(sqlite3.connect(file)) as db:
        rows = db.execute(
            "SELECT action, subject, detail FROM journal WHERE action IN ('clock.fired', 'notice.queued')"
        )
        for action, subject, text in rows:
            detail = msgspec.json.decode(text)
            if action == "notice.queued":
                queued[detail["key"]] += 1
            elif detail["kind"] == "due":
                at = datetime.fromisoformat(detail["at"])
                found.setdefault(subject.removeprefix("alarm:"), []).append((at, detail["late_by_seconds"]))
    if any(count > 1 for count in queued.values()):
        raise InvalidError("the journal has a notice's key twice")
    return found


def p99(late: list[float]) -> float:
    return sorted(late)[int(len(late) * 0.99)] if late else 0.0


async def child(url: str) -> None:
    store = await Store.open(url)
    clock = DutyClock(store, casework(), wall=now, steady=time.monotonic)
    await clock.tick()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await spawn("clock", clock.run(), lambda _name, _error: None)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--scenario", type=Path, default=HERE / "scenarios" / "clocks.yaml")
    parser.add_argument("--only", choices=["drain", "kills"])
    parser.add_argument("--child", metavar="URL", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        uvloop.run(child(args.child))
        return 0
    scenario = yaml.safe_load(args.scenario.read_text())
    folder = Path(tempfile.mkdtemp(prefix="fengsui-clocks-"))
    try:
        first = 0 if args.only == "kills" else uvloop.run(drain(folder, scenario["drain"]))
        second = 0 if args.only == "drain" else kills(folder, scenario["kills"])
    except InvalidError as error:
        print(f"invalid: {error}", file=sys.stderr)
        return INVALID
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return first or second


if __name__ == "__main__":
    sys.exit(main())
