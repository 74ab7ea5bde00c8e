"""How many reports a second one collector core takes and has on disk, against Alertmanager's from memory.

    .venv/bin/python benchmarks/ingest.py [--scenario FILE] [--server-python PATH] [--json FILE]

The collector (or Alertmanager) runs on one core, the senders of load.py on the other. Every figure is taken
in each round beside its pair; ratios are of one round, the table has their median and range. Plain HTTP
exists in this benchmark alone: it builds the listener without TLS and says itself who each connection is.

Exit: 0 as expected, 1 slower than expected, 2 wrong usage, 3 the measurement is invalid.
"""

import argparse
import contextlib
import json
import math
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from typing import Any

import load
import psutil
import uvloop
import yaml
from server import client_contexts

HERE = Path(__file__).parent
SLOW = DEAR = 1
INVALID = 3


class InvalidError(Exception):
    """The figures can't be trusted: a counter does not add up, or the senders were the bottleneck."""


class Server:
    """A child process pinned to a core."""

    def __init__(self, words: list[str], core: int, port: int, environment: dict[str, str]) -> None:
        self.port = port
        self._child = subprocess.Popen(
            ["taskset", "-c", str(core), *words],
            env={**os.environ, **environment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        self._process = psutil.Process(self._child.pid)
        self._await_port()

    def _await_port(self) -> None:
        end = monotonic() + 15
        while monotonic() < end:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            if self._child.poll() is not None:
                break
        raise InvalidError(f"the server did not start: {self.stop()}")

    def cpu(self) -> float:
        times = self._process.cpu_times()
        return float(times.user + times.system)

    def stop(self) -> str:
        self._child.send_signal(signal.SIGTERM)
        try:
            _, said = self._child.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            self._child.kill()
            _, said = self._child.communicate()
        return said.decode(errors="replace")[-500:]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def collector(folder: Path, python: str, scenario: dict[str, Any], *, tls: bool) -> Iterator[Server]:
    port = free_port()
    words = [python, str(HERE / "server.py"), str(folder), str(port), "tls" if tls else "plain"]
    server = Server(words, scenario["cores"]["server"], port, {})
    try:
        yield server
    finally:
        server.stop()


@contextlib.contextmanager
def alertmanager(folder: Path, scenario: dict[str, Any]) -> Iterator[Server]:
    port = free_port()
    config = folder / "alertmanager.yml"
    config.write_text("route: {receiver: none}\nreceivers: [{name: none}]\n")
    words = ["prometheus-alertmanager", f"--config.file={config}", f"--storage.path={folder / 'am'}"]
    words += [f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address=", "--log.level=error"]
    server = Server(words, scenario["cores"]["server"], port, {"GOMAXPROCS": "1"})
    try:
        yield server
    finally:
        server.stop()


def measure(server: Server, build: load.Build, scenario: dict[str, Any], **more: Any) -> dict[str, float]:
    """One run: rate of requests, latencies, and how busy both sides were."""
    os.sched_setaffinity(0, {scenario["cores"]["load"]})
    mine, theirs, began = sum(os.times()[:2]), server.cpu(), monotonic()
    outcome = uvloop.run(
        load.run(
            server.port,
            build,
            connections=scenario["connections"],
            warm=scenario["warm"],
            seconds=scenario["window"],
            **more,
        )
    )
    seconds = monotonic() - began
    if outcome.other:
        raise InvalidError(f"answers other than 200: {outcome.other}")
    return {
        "accepted": outcome.accepted,
        "rate": outcome.in_window / scenario["window"],
        "per_cpu_second": outcome.accepted / (server.cpu() - theirs),
        "p50": outcome.quantile(0.5),
        "p99": outcome.quantile(0.99),
        "server_busy": (server.cpu() - theirs) / seconds,
        "load_busy": (sum(os.times()[:2]) - mine) / seconds,
    }


def check_size(low: int, high: int) -> None:
    if not low <= load.report_size() <= high:
        raise InvalidError(f"a report has {load.report_size()} bytes, not {low} to {high}")


def check_saturated(name: str, figures: dict[str, float]) -> None:
    if figures["load_busy"] > 0.97 and figures["server_busy"] < 0.9:
        raise InvalidError(f"{name}: the senders were the bottleneck ({figures})")


def stored(folder: Path) -> int:
    import sqlite3  # noqa: PLC0415 - read by another library than wrote it would be better, but there is none

    with contextlib.closing(sqlite3.connect(folder / "events.db")) as db:
        return int(db.execute("SELECT coalesce(sum(count), 0) FROM batch").fetchone()[0])


def measure_ours(
    scratch: Path, python: str, scenario: dict[str, Any], size: int, *, tls: bool
) -> dict[str, dict[str, float]]:
    """Saturated, then at 80 % of that rate, on a fresh log; every accepted report must be in it.

    A scenario may name `eased_from`, the reports a second that the 80 % are taken of where ours is more.
    """
    folder = scratch / f"{'tls' if tls else 'plain'}-{size}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    with collector(folder, python, scenario, tls=tls) as server:
        contexts = client_contexts(folder, scenario["connections"]) if tls else None
        full = measure(server, load.batches(size, "full"), scenario, contexts=contexts)
        check_saturated(folder.name, full)
        rate = 0.8 * min(full["rate"], scenario.get("eased_from", math.inf) / size)
        eased = measure(server, load.batches(size, "eased"), scenario, contexts=contexts, rate=rate)
    accepted = int(full["accepted"] + eased["accepted"]) * size
    if (found := stored(folder)) != accepted:
        raise InvalidError(f"{folder.name}: {accepted} reports accepted, {found} in the log")
    return {"full": full, "eased": eased}


def measure_alertmanager(scratch: Path, scenario: dict[str, Any], size: int) -> dict[str, float]:
    folder = scratch / f"alertmanager-{size}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    with alertmanager(folder, scenario) as server:
        figures = measure(server, load.alerts(size), scenario)
        check_saturated(folder.name, figures)
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/metrics", timeout=30) as answer:
            lines = answer.read().decode().splitlines()
    got = sum(
        float(line.split()[-1]) for line in lines if line.startswith("alertmanager_alerts_received_total")
    )
    if int(got) != int(figures["accepted"]) * size:
        raise InvalidError(f"Alertmanager counts {got}, accepted were {figures['accepted'] * size}")
    return figures


def middle(values: list[float]) -> str:
    return f"{statistics.median(values):.2f} ({min(values):.2f}-{max(values):.2f})"


def judge(rounds: list[dict[str, Any]], scenario: dict[str, Any]) -> list[str]:
    """Print the table; return what is slower than expected."""
    expect, slow = scenario["expect"], []
    for size in scenario["sizes"]:
        taken = [a_round[str(size)] for a_round in rounds]
        for name in ("plain", "mtls"):
            rates = [one[name]["full"]["rate"] * size for one in taken]
            tail = [one[name]["eased"]["p99"] * 1000 for one in taken]
            print(f"{name:13} {size:4} reports a request: {middle(rates)} reports/s, p99 {middle(tail)} ms")
            if statistics.median(tail) > expect["p99_seconds_at_80_percent"] * 1000:
                slow.append(f"{name} {size}: p99 at 80 % is {middle(tail)} ms")
        rates = [one["alertmanager"]["rate"] * size for one in taken]
        print(f"alertmanager  {size:4} alerts a request:  {middle(rates)} alerts/s, from memory")
        for name in ("plain", "mtls"):
            ratios = [
                one[name]["full"]["per_cpu_second"] / one["alertmanager"]["per_cpu_second"] for one in taken
            ]
            print(f"  {name}_to_alertmanager by requests per CPU second {size:4}: {middle(ratios)}")
        pairs = {
            "plain_to_alertmanager": [
                one["plain"]["full"]["rate"] / one["alertmanager"]["rate"] for one in taken
            ],
            "mtls_to_plain": [one["mtls"]["full"]["rate"] / one["plain"]["full"]["rate"] for one in taken],
        }
        for name, ratios in pairs.items():
            print(f"{name:22} {size:4}: {middle(ratios)}, expected at least {expect[name][size]}")
            if statistics.median(ratios) < expect[name][size]:
                slow.append(f"{name} {size}: {middle(ratios)}")
    return slow


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--scenario", type=Path, default=HERE / "scenarios" / "ingest.yaml")
    parser.add_argument("--server-python", default=sys.executable, help="interpreter of the collector")
    parser.add_argument("--sizes", type=int, nargs="+", help="only these of the scenario's sizes")
    parser.add_argument("--json", type=Path, help="write every figure of every round here")
    args = parser.parse_args()
    scenario = yaml.safe_load(args.scenario.read_text())
    scenario["sizes"] = args.sizes or scenario["sizes"]
    low, high = scenario["report_bytes"]
    rounds: list[dict[str, Any]] = []
    try:
        check_size(low, high)
        with tempfile.TemporaryDirectory(prefix="fengsui-bench-") as name:
            for number in range(scenario["rounds"]):
                print(f"round {number + 1}", file=sys.stderr)
                rounds.append(
                    {
                        str(size): a_pair(Path(name), args.server_python, scenario, size)
                        for size in scenario["sizes"]
                    }
                )
    except InvalidError as error:
        print(f"invalid: {error}", file=sys.stderr)
        return INVALID
    finally:
        if args.json:
            args.json.write_text(json.dumps(rounds, indent=1))
    slow = judge(rounds, scenario)
    for line in slow:
        print(f"slow: {line}", file=sys.stderr)
    return SLOW if slow else 0


def a_pair(scratch: Path, python: str, scenario: dict[str, Any], size: int) -> dict[str, Any]:
    return {
        "plain": measure_ours(scratch, python, scenario, size, tls=False),
        "alertmanager": measure_alertmanager(scratch, scenario, size),
        "mtls": measure_ours(scratch, python, scenario, size, tls=True),
    }


if __name__ == "__main__":
    sys.exit(main())
