"""Nothing accepted is lost or stored twice, whoever is killed: `kill -9` from outside at random times.

    .venv/bin/python benchmarks/kill.py [--scenario FILE]

One process is the collector's ingest (server.py, mutual TLS, SQLite), one has many agents' real outboxes and
uplinks (sender.py). Either is killed and started again on the same files while the other goes on.

*Accepted* is what stands in the agents' records: ids written after the outbox had fsynced the report.
*Stored* is what a reader takes from the event log: of every entry the reports above its floor.

A kill of the collector fell *between commit and ack* if afterwards, with the collector dead and the agent's
request known to have failed, the session row in the collector's file is ahead of the last acknowledged
number in the agent's: that commit's answer never arrived and now never will. A kill of the agents fell there
if the session row is ahead while they are dead.

Exit: 0 nothing lost or double, 1 otherwise, 2 wrong usage, 3 the measurement is invalid.
"""

import argparse
import contextlib
import random
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from benchmarks.server import client_pairs
from wire.codec import IDENTITY, ZSTD, Codec, unpack
from wire.messages import Batch

FAILED, INVALID = 1, 3
_SECONDS = 60.0
_batch = Codec(Batch)


class InvalidError(Exception):
    """The campaign did not go as it should; its counts say nothing."""


def until(what: str, holds: Callable[[], bool], seconds: float = _SECONDS) -> None:
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise InvalidError(f"{what}: not within {seconds:.0f} s")
        time.sleep(0.002)


class Campaign:
    """One collector, many agents, and somebody with `kill -9`.

    Attributes:
        kills: How many of each side.
        between: How many of them fell between commit and ack.
    """

    def __init__(self, folder: Path, agents: int, seed: int) -> None:
        self._folder = folder
        self._agents = agents
        self._chance = random.Random(seed)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = int(probe.getsockname()[1])
        self.kills: Counter[str] = Counter()
        self.between: Counter[str] = Counter()
        for number, (pair, trusted) in enumerate(client_pairs(folder, agents)):
            home = folder / f"agent-{number}"
            home.mkdir(mode=0o700)
            (home / "client.pem").write_bytes(pair)
            (home / "ca.pem").write_text(trusted)

    def run(self, kills: int, pause: tuple[float, float], share_of_collector: float) -> None:
        """Kill and restart, then let the agents empty their outboxes and end both in peace."""
        self._start_collector()
        self._start_agents()
        for _ in range(kills):
            time.sleep(self._chance.uniform(*pause))
            if self._chance.random() < share_of_collector:
                self._kill_collector()
                self._start_collector()
            else:
                self._kill_agents()
                self._start_agents()
        self._agents_child.terminate()
        if self._agents_child.wait(_SECONDS * 2) != 0:
            raise InvalidError(f"the agents ended with {self._agents_child.returncode}")
        self._collector.terminate()
        self._collector.wait(_SECONDS)

    def end(self) -> None:
        """Leave no child behind."""
        for child in (getattr(self, "_collector", None), getattr(self, "_agents_child", None)):
            if child is not None and child.poll() is None:
                child.kill()
                child.wait()

    def accepted(self) -> Counter[str]:
        """Ids in the agents' records."""
        return Counter(
            line[2:]
            for number in range(self._agents)
            for line in self._record(number).read_text().splitlines()
            if line.startswith("a ")
        )

    def stored(self) -> Counter[str]:
        """Ids a reader takes from the event log."""
        found: Counter[str] = Counter()
        with contextlib.closing(sqlite3.connect(self._folder / "events.db")) as db:
            for floor, body in db.execute("SELECT floor, stored FROM batch ORDER BY position"):
                packed = body.startswith(b"\x28\xb5\x2f\xfd")
                batch = _batch.decode(unpack(body, ZSTD if packed else IDENTITY))
                found.update(report.id for report in batch.reports if report.seq > floor)
        return found

    def left(self) -> int:
        """Reports still in the outboxes."""
        return sum(self._outbox(n, "SELECT count(*) FROM reports")[0] for n in range(self._agents))

    def _start_collector(self) -> None:
        words = [sys.executable, str(HERE / "server.py"), str(self._folder), str(self._port), "tls"]
        self._collector = subprocess.Popen(words)
        until("the collector listens", self._listens)

    def _listens(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self._port), 1):
            return True
        return False

    def _start_agents(self) -> None:
        words = [sys.executable, str(HERE / "sender.py"), str(self._folder)]
        words += [f"https://localhost:{self._port}", str(self._agents)]
        sizes = [self._size(n) for n in range(self._agents)]
        with (self._folder / "agents.log").open("ab") as said:
            self._agents_child = subprocess.Popen(words, stderr=said)
        until("all agents accept", lambda: all(self._size(n) > sizes[n] for n in range(self._agents)))

    def _kill_collector(self) -> None:
        self._collector.send_signal(signal.SIGKILL)
        self._collector.wait()
        lost = [self._losses(n) for n in range(self._agents)]
        until("every agent saw it", lambda: self._agents_saw(lost))
        self._count("collector")

    def _agents_saw(self, lost: list[int]) -> bool:
        if self._agents_child.poll() is not None:
            raise InvalidError(f"the agents died by themselves with {self._agents_child.returncode}")
        return all(self._losses(n) > lost[n] for n in range(self._agents))

    def _kill_agents(self) -> None:
        self._agents_child.send_signal(signal.SIGKILL)
        self._agents_child.wait()
        self._count("agents")

    def _count(self, side: str) -> None:
        self.kills[side] += 1
        with contextlib.closing(sqlite3.connect(self._folder / "events.db")) as db:
            held = {
                (node, epoch): n for node, epoch, n in db.execute("SELECT node, epoch, highest FROM session")
            }
        for number in range(self._agents):
            epoch, acked = self._outbox(number, "SELECT epoch, acked FROM state")
            if held.get((f"node-{number}", epoch), 0) > acked:
                self.between[side] += 1
                return

    def _outbox(self, number: int, sql: str) -> Any:
        with contextlib.closing(
            sqlite3.connect(self._folder / f"agent-{number}" / "outbox.db", timeout=10)
        ) as db:
            return db.execute(sql).fetchone()

    def _record(self, number: int) -> Path:
        return self._folder / f"agent-{number}" / "record"

    def _size(self, number: int) -> int:
        with contextlib.suppress(FileNotFoundError):
            return self._record(number).stat().st_size
        return 0

    def _losses(self, number: int) -> int:
        return self._record(number).read_bytes().count(b"l\n")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--scenario", type=Path, default=HERE / "scenarios" / "kill.yaml")
    args = parser.parse_args()
    scenario = yaml.safe_load(args.scenario.read_text())
    folder = Path(tempfile.mkdtemp(prefix="fengsui-kill-"))
    campaign = Campaign(folder, scenario["agents"], scenario["seed"])
    try:
        campaign.run(scenario["kills"], tuple(scenario["pause"]), scenario["share_of_collector"])
        accepted, stored, left = campaign.accepted(), campaign.stored(), campaign.left()
    except InvalidError as error:
        print(f"invalid: {error}", file=sys.stderr)
        return INVALID
    finally:
        campaign.end()
    shutil.rmtree(folder, ignore_errors=True)
    lost = sum((accepted - stored).values())
    double = sum(count - 1 for count in stored.values() if count > 1)
    print(f"kills {dict(campaign.kills)}, between commit and ack {dict(campaign.between)}")
    print(f"accepted {len(accepted)}, stored {len(stored)}, lost {lost}, double {double}, left {left}")
    expect = scenario["expect"]
    if len(accepted) < scenario["counters"]["reports_at_least"] or left:
        print("invalid: too few reports, or an outbox was not emptied", file=sys.stderr)
        return INVALID
    if campaign.between["collector"] < expect["between_commit_and_ack"]:
        print("invalid: too few kills fell between commit and ack", file=sys.stderr)
        return INVALID
    return FAILED if lost > expect["lost"] or double > expect["double"] else 0


if __name__ == "__main__":
    sys.exit(main())
